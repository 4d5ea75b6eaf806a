"""The only place that knows how sqlglot names things: its trees become the shapes of `tree`."""
