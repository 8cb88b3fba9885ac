"""Fixtures of the store's tests: an empty store in a folder and one in a bucket."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcray.store import filesystem
from tcray.store.paths import SWEEPS
from tcray.store.store import Store

from .fakes import Bucket


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return an empty store in a folder."""
    return Store.open(str(tmp_path / "trials"), create=True)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """Return an empty bucket; writers do not wait for each other."""
    monkeypatch.setattr(filesystem, "SETTLE_SECONDS", 0.0)
    return Bucket()


@pytest.fixture(params=["folder", "bucket"])
def any_store(request: pytest.FixtureRequest, store: Store, bucket: Bucket) -> Store:
    """Return an empty store, once on a local disk and once on object storage."""
    if request.param == "folder":
        return store
    bucket.filesystem().make_folder(SWEEPS)
    return Store(bucket.filesystem())
