"""Why something was not measured: what one topic meets does not end the others."""

from __future__ import annotations


class Unmeasurable(Exception):
    """The message says what happened."""


class NotStarted(Unmeasurable):
    """A server did not come up; the message holds what it wrote."""


class UnexpectedAnswer(Unmeasurable):
    """A server did not answer as the benchmark needs it to: what it would measure then is something else."""
