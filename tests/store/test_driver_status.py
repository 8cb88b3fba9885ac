"""What a driver is at."""

from __future__ import annotations

import json

import pytest

from tcray.errors import StoreError
from tcray.store.driver_status import read_status, write_status
from tcray.store.store import Store, SweepStore

from .recorded import SWEEP_ID, an_activity


@pytest.fixture
def sweep(any_store: Store) -> SweepStore:
    """A sweep that nobody has run."""
    return any_store.sweep(SWEEP_ID)


def test_what_is_written_is_read(sweep: SweepStore):
    """To the last digit, and as whole tuples; what was there before is replaced."""
    for activity in (an_activity("t"), an_activity("t", seconds_left=None, best=(), hosts=(), pending_reasons={})):
        write_status(sweep, activity)
        assert read_status(sweep, "t") == activity


def test_ended_runs_are_counted_however_they_ended():
    """Complete, pruned and failed ones."""
    assert an_activity("t").ended == 300 + 88 + 1


def test_a_driver_that_has_said_nothing_yet_is_at_nothing(sweep: SweepStore):
    """What the driver before it left does not count for it, be it of another version of tcray."""
    assert read_status(sweep, "t") is None
    write_status(sweep, an_activity("before"))
    assert read_status(sweep, "t") is None
    sweep.filesystem.write(sweep.paths.status, json.dumps({"token": "before", "mood": "good"}).encode())
    assert read_status(sweep, "t") is None


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"token": "t"}', b'{"token": "t", "best": [{"cell": "a"}]}'])
def test_what_another_version_wrote_is_named(content: bytes, sweep: SweepStore):
    """It is not taken for something else."""
    sweep.filesystem.write(sweep.paths.status, content)
    with pytest.raises(StoreError) as caught:
        read_status(sweep, "t")
    shown = sweep.filesystem.display_path(sweep.paths.status)
    assert caught.value.message == f"{shown} was not written by this version of tcray"
    assert caught.value.remedy.startswith("Use the version that runs the sweep")
