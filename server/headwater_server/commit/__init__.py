"""The one writer: appends to the log, answers, brings the graph up to it."""
