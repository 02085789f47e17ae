"""Scenario files: their model, reading them, matching them to submissions, resolving them into scripts."""
