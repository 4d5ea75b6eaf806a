"""No secret reaches the disk: what looks like one is replaced before the log sees it."""
