"""The emulator's own API, under /_emulator: clock, queue, scenarios, and runs as they are inside."""
