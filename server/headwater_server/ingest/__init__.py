"""Events come in: read with care, appended to the log, answered, projected."""
