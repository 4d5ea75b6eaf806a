"""What leaves: the events behind a node, so that another server shows the same."""
