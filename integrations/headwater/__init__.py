"""What pipelines and training code import. The standard library alone."""

__version__ = "0.1.0"
