"""Who asks, and what they may do. Nothing here knows HTTP, the log or the graph store."""
