"""Tests of the driver's status."""

from __future__ import annotations

import json

import pytest

from tcray.errors import StoreError
from tcray.store.driver_status import read_status, write_status
from tcray.store.store import Store, SweepStore

from .factories import SWEEP_ID, make_driver_status


@pytest.fixture
def sweep(any_store: Store) -> SweepStore:
    """Return a sweep that was never run."""
    return any_store.sweep(SWEEP_ID)


def test_a_status_survives_writing_and_reading(sweep: SweepStore) -> None:
    """All digits and types are kept; a new status replaces the old one."""
    for status in (
        make_driver_status("t"),
        make_driver_status("t", seconds_left=None, best=(), hosts=(), pending_reasons={}),
    ):
        write_status(sweep, status)
        assert read_status(sweep, "t") == status


def test_ended_runs_include_pruned_and_failed_ones() -> None:
    """`ended` is the sum of complete, pruned and failed runs."""
    assert make_driver_status("t").ended == 300 + 88 + 1


def test_a_new_driver_has_no_status(sweep: SweepStore) -> None:
    """The status of an earlier driver is ignored, even if another version of tcray wrote it."""
    assert read_status(sweep, "t") is None
    write_status(sweep, make_driver_status("before"))
    assert read_status(sweep, "t") is None
    sweep.filesystem.write(sweep.paths.status, json.dumps({"token": "before", "mood": "good"}).encode())
    assert read_status(sweep, "t") is None


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b'{"token": "t"}', b'{"token": "t", "best": [{"cell": "a"}]}'])
def test_a_status_of_another_version_is_an_error(content: bytes, sweep: SweepStore) -> None:
    """Invalid JSON, missing fields and unexpected fields are errors that name the file."""
    sweep.filesystem.write(sweep.paths.status, content)
    with pytest.raises(StoreError) as caught:
        read_status(sweep, "t")
    shown = sweep.filesystem.display_path(sweep.paths.status)
    assert caught.value.message == f"{shown} was not written by this version of tcray"
    assert caught.value.remedy.startswith("Use the version that runs the sweep, or delete the file")
