from __future__ import annotations

from pathlib import Path

import pytest

from tcray.errors import StoreError
from tcray.store.filesystem import StoreFilesystem
from tcray.store.lease import Lease
from tcray.store.store import Store, SweepStore
from tcray.tune.blobs import RelayedBlobs, sees_store, start_relay

LARGE = bytes(range(256)) * 2**14
"""4 MiB: more than Ray sends inline with a call."""


@pytest.fixture
def store(tmp_path: Path) -> SweepStore:
    """Return a sweep of a store in a local folder."""
    return Store.open(str(tmp_path / "trials"), create=True).sweep("small-1")


def at(location: str | Path) -> SweepStore:
    """Return the same sweep at another location."""
    return SweepStore(StoreFilesystem.from_uri(str(location)), "small-1")


def test_a_host_sees_the_store_that_has_the_lease(store: SweepStore, tmp_path: Path) -> None:
    """A local folder is the driver's store only if it holds the driver's lease."""
    with Lease(store) as lease:
        assert sees_store(store, lease.token)
        assert not sees_store(SweepStore(store.filesystem, "small-2"), lease.token)
        assert not sees_store(at(tmp_path / "elsewhere"), lease.token)
        (tmp_path / "a file").write_text("")
        assert not sees_store(at(tmp_path / "a file"), lease.token)
    with Lease(store) as later:
        assert sees_store(store, later.token)
        assert not sees_store(store, lease.token)


def test_every_host_sees_object_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket is not read: a problem with it is an error, not another store."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert sees_store(at("s3://bucket/trials?region=nowhere"), "token")


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
class TestRelay:
    """A store accessed through an actor, as on a host that does not see it."""

    def test_a_relay_reads_and_writes_the_store(self, store: SweepStore) -> None:
        """Blobs written through a relay are in the store, and blobs of the store are read through it."""
        blobs = RelayedBlobs(store.paths, start_relay(store))
        path = store.paths.weights("a run")
        assert blobs.read_blob(path) is None
        blobs.write_blob(path, LARGE)
        assert LARGE == store.read_blob(path)
        store.write_blob(path, LARGE[::-1])
        assert LARGE[::-1] == blobs.read_blob(path)

    def test_a_relay_raises_the_stores_errors(self, store: SweepStore) -> None:
        """An error that the store raises at the relay is raised at the caller with the same message."""
        Path(store.uri, "checkpoints").write_text("a file")
        with pytest.raises(StoreError) as expected:
            store.write_blob(store.paths.checkpoint("a run", 1), b"")
        with pytest.raises(StoreError) as caught:
            RelayedBlobs(store.paths, start_relay(store)).write_blob(store.paths.checkpoint("a run", 1), b"")
        assert (expected.value.message, expected.value.remedy) == (caught.value.message, caught.value.remedy)

    def test_a_dead_relay_is_restarted(self, store: SweepStore) -> None:
        """A relay has no state, so Ray restarts it and calls succeed."""
        import ray

        actor = start_relay(store)
        blobs = RelayedBlobs(store.paths, actor)
        blobs.write_blob("weights/one", b"1")
        ray.kill(actor, no_restart=False)
        assert b"1" == blobs.read_blob("weights/one")

    def test_a_missing_relay_is_a_store_error(self, store: SweepStore) -> None:
        """If the relay is gone for good, reading raises StoreError."""
        import ray

        actor = start_relay(store)
        ray.kill(actor)
        with pytest.raises(StoreError, match="the driver's host does not serve the store"):
            RelayedBlobs(store.paths, actor).read_blob("weights/one")
