"""HTTP in, HTTP out: routes parse, call one feature, render."""
