"""What runs only where hosts can be made, in which order, and the summary at the end."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from .hosts import missing

ASKED_FOR = "TCRAY_TEST_CLUSTER"

TOLD: pytest.StashKey[list[str]] = pytest.StashKey()

Tell = Callable[[str], None]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: Sequence[pytest.Item]) -> None:
    """Skips the tests of this folder where they were not asked for or cannot run."""
    reason = (
        missing()
        if os.environ.get(ASKED_FOR)
        else f"takes root and a quarter of an hour: {ASKED_FOR}=1, which make test-cluster sets"
    )
    if reason is None:
        return
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.skip(reason=reason))


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
