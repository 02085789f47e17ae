"""What all tests share: Hypothesis profiles, and no skipping where nobody would notice."""

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

pytest_plugins = ["pytester"]  # only the topmost conftest may ask for it; tests/plugin/ uses it

IN_CI = bool(os.environ.get("CI"))

# No deadline: two workers share two cores, and a slow example is not a wrong one.
# CI tries the same examples each time, so that it refuses a change for what the change broke. What nobody has found
# yet is looked for by every run elsewhere, and at length by `make test ARGS="--hypothesis-profile explore"`; the blob
# says how to replay it.
settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile("ci", deadline=None, print_blob=True, derandomize=True)
settings.register_profile("explore", deadline=None, print_blob=True, max_examples=2_000)
settings.load_profile("ci" if IN_CI else "default")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test fails: a test that needs something must be given it there."""
    report = yield
    expected_to_fail = hasattr(report, "wasxfail")  # pytest reports those as skipped, too
    if IN_CI and report.skipped and not expected_to_fail:
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} skips, and CI does not allow that: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a module that skips itself as a whole."""
    report = yield
    if IN_CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"{collector.nodeid} skips, and CI does not allow that: {report.longrepr}"
    return report
