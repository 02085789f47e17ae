"""Metric series as arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__tracebackhide__ = True

_ABOUT_THE_RUN = ("executionId", "hostname", "timeRange")


class MetricSeries(Struct, frozen=True, eq=False):
    """One series: `values` at `times`, which are in UTC; both are arrays of one dimension and one length."""

    times: NDArray[np.datetime64]
    values: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.values)


def series_of(answer: Mapping[str, Any]) -> dict[str, MetricSeries]:
    """The series in an answer of the metrics operation, by their names."""
    import numpy as np  # late: a tenth of a second, and most tests ask for no metrics

    found = {}
    for name, points in answer.items():
        if name not in _ABOUT_THE_RUN:
            times = np.array([point["timestamp"].rstrip("Z") for point in points], dtype="datetime64[ms]")
            values = np.array([point["value"] for point in points], dtype=np.float64)
            found[name] = MetricSeries(times, values)
    return found
