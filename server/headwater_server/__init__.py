"""Headwater's server: one graph for data lineage, experiment tracking and the model registry."""
