"""Points of metrics over steps: kept beside the graph, which holds their summaries only."""
