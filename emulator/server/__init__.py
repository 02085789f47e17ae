"""The emulated API over HTTP: a thin shell around the core."""
