"""Experiment tracking: experiments, runs, what they log and what they read; said by clients, kept in the graph."""
