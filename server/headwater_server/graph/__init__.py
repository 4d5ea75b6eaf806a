"""The vocabulary: the words of the graph, changes to it and time. Pure, no I/O."""
