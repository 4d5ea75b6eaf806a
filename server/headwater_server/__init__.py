"""Headwater's server: one graph for data lineage, experiment tracking and the model registry."""

__version__ = "0.1.0"
