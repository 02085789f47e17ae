"""The run: what was submitted and ordered, and all it shows as functions of that and of the time."""
