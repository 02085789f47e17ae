"""The machines that runs get: GPU devices and hardware profiles, as data."""
