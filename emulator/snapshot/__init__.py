"""The whole state of an emulator, or of one tenant, as one JSON document, and back."""
