"""Selection and order of the multi-host tests, and the summary at the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .hosts import missing

ENABLED_BY = "TCRAY_TEST_CLUSTER"

QUICK = ("test_hosts", "test_aws")

SUMMARY: pytest.StashKey[list[str]] = pytest.StashKey()

Report = Callable[[str], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of this folder unless they are enabled and can run; run the quick ones first."""
    here = [item for item in items if item.path.parent == Path(__file__).parent]
    elsewhere = [item for item in items if item.path.parent != Path(__file__).parent]
    items[:] = elsewhere + sorted(here, key=lambda item: item.path.stem not in QUICK)
    for item in here:
        if reason := _skip_reason():
            item.add_marker(pytest.mark.skip(reason=reason))


def _skip_reason() -> str | None:
    if not os.environ.get(ENABLED_BY):
        return f"needs root and half an hour: `make test-cluster` enables it with {ENABLED_BY}=1"
    return missing()


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    """Return a function that adds a line to the summary at the end."""
    return pytestconfig.stash.setdefault(SUMMARY, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the summary: what was done to the cluster, and what was measured."""
    lines = terminalreporter.config.stash.get(SUMMARY, [])
    if lines:
        terminalreporter.section("the cluster")
        for line in lines:
            terminalreporter.write_line(line)
