"""Traces of applications: kept beside the graph, which holds what they come to only."""
