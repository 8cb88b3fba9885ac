"""What runs only where hosts can be made, in which order, and the summary at the end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from .hosts import missing

ASKED_FOR = "TCRAY_TEST_CLUSTER"

QUICK = ("test_hosts", "test_aws")

TOLD: pytest.StashKey[list[str]] = pytest.StashKey()

Tell = Callable[[str], None]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skips the tests of this folder where they were not asked for or cannot run; the quick ones come first."""
    here = [item for item in items if item.path.parent == Path(__file__).parent]
    elsewhere = [item for item in items if item.path.parent != Path(__file__).parent]
    items[:] = elsewhere + sorted(here, key=lambda item: item.path.stem not in QUICK)
    for item in here:
        if reason := _reason():
            item.add_marker(pytest.mark.skip(reason=reason))


def _reason() -> str | None:
    if not os.environ.get(ASKED_FOR):
        return f"takes root and half an hour: `make test-cluster` asks for it by {ASKED_FOR}=1"
    return missing()


@pytest.fixture(scope="session")
def tell(pytestconfig: pytest.Config) -> Tell:
    """Adds a line to the summary that is printed at the end."""
    return pytestconfig.stash.setdefault(TOLD, []).append


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was done to the cluster, and what was seen."""
    told = terminalreporter.config.stash.get(TOLD, [])
    if told:
        terminalreporter.section("the cluster")
        for line in told:
            terminalreporter.write_line(line)
