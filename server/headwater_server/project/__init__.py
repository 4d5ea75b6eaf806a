"""Facts become the graph: joined into states, derived into nodes and edges, applied as differences."""
