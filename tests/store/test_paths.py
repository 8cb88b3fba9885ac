"""Tests of the paths of a sweep."""

from __future__ import annotations

from tcray.store.paths import LEASE, PART, SweepPaths

PATHS = SweepPaths("rank-1a2b")


def test_paths_are_as_documented() -> None:
    """Each table has one folder per sweep; manifest, leases, stop request and status are in one folder."""
    assert PATHS.manifest == "sweeps/rank-1a2b/manifest.json"
    assert PATHS.stop == "sweeps/rank-1a2b/stop"
    assert PATHS.status == "sweeps/rank-1a2b/status.json"
    assert PATHS.lease(3) == "sweeps/rank-1a2b/lease-000003.json"
    assert PATHS.part("runs", 12, "00ff00ff") == "runs/rank-1a2b/00000012-00ff00ff.parquet"
    assert PATHS.weights("abc") == "weights/rank-1a2b/abc"
    assert PATHS.checkpoint("abc", 9) == "checkpoints/rank-1a2b/abc-000009"


def test_parts_sort_in_the_order_of_writing() -> None:
    """The order depends on the numbers, not on the checksums."""
    parts = [
        PATHS.part("runs", number, suffix) for number, suffix in ((9, "ffffffff"), (10, "00000000"), (100, "1" * 8))
    ]
    assert sorted(parts) == parts
    matches = [PART.fullmatch(part.rpartition("/")[2]) for part in parts]
    assert [match and int(match[1]) for match in matches] == [9, 10, 100]


def test_the_name_of_a_lease_contains_its_number() -> None:
    """The number is parsed from the file name."""
    match = LEASE.fullmatch("lease-000003.json")
    assert match is not None
    assert int(match[1]) == 3
