"""Files that runs and models leave behind: streamed in and out, named by a path, known by their SHA-256."""
