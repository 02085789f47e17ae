"""Faults: bad answers asked for on purpose, as values."""
