from __future__ import annotations

from pathlib import Path

import pytest

from tcray.errors import StoreError
from tcray.store.lease import Lease
from tcray.store.store import Store, SweepStore
from tcray.tune.blobs import RelayedBlobs, is_seen, relay

LARGE = bytes(range(256)) * 2**14
"""4 MiB: more than Ray sends along with a call."""


@pytest.fixture
def store(tmp_path: Path) -> SweepStore:
    """A sweep's part of a store in a folder."""
    return Store.open(str(tmp_path / "trials"), create=True).sweep("small-1")


def test_a_host_sees_the_store_whose_lease_is_there(store: SweepStore, tmp_path: Path) -> None:
    """A folder of the same name is another store, unless it holds the driver's lease."""
    with Lease(store) as lease:
        assert is_seen(store.uri, "small-1", lease.token)
        assert not is_seen(store.uri, "small-2", lease.token)
        assert not is_seen(str(tmp_path / "elsewhere"), "small-1", lease.token)
        (tmp_path / "a file").write_text("")
        assert not is_seen(str(tmp_path / "a file"), "small-1", lease.token)
    with Lease(store) as later:
        assert is_seen(store.uri, "small-1", later.token)
        assert not is_seen(store.uri, "small-1", lease.token)


def test_object_storage_is_the_same_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bucket is not looked into: what is wrong with it is an error, and not another store."""
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert is_seen("s3://bucket/trials?region=nowhere", "small-1", "token")


@pytest.mark.slow
@pytest.mark.usefixtures("ray_here")
class TestRelay:
    """By an actor, as on a host that does not see the store."""

    def test_a_relayed_store_is_the_store(self, store: SweepStore) -> None:
        """What is written through a relay is in the store, and what is in the store is read through it."""
        blobs = RelayedBlobs(store.paths, relay(store))
        path = store.paths.weights("a run")
        assert blobs.read_blob(path) is None
        blobs.write_blob(path, LARGE)
        assert LARGE == store.read_blob(path)
        store.write_blob(path, LARGE[::-1])
        assert LARGE[::-1] == blobs.read_blob(path)

    def test_a_store_that_fails_fails_as_it_does_itself(self, store: SweepStore) -> None:
        """What the store raises at the relay is raised where the blob was wanted, in the same words."""
        Path(store.uri, "states").write_text("a file")
        with pytest.raises(StoreError) as expected:
            store.write_blob(store.paths.state("a run", 1), b"")
        with pytest.raises(StoreError) as caught:
            RelayedBlobs(store.paths, relay(store)).write_blob(store.paths.state("a run", 1), b"")
        assert (expected.value.message, expected.value.remedy) == (caught.value.message, caught.value.remedy)

    def test_a_relay_that_dies_is_there_again(self, store: SweepStore) -> None:
        """A relay has no memory of its own: Ray starts another in its place, and nobody notices."""
        import ray

        actor = relay(store)
        blobs = RelayedBlobs(store.paths, actor)
        blobs.write_blob("weights/one", b"1")
        ray.kill(actor, no_restart=False)
        assert b"1" == blobs.read_blob("weights/one")

    def test_a_relay_that_is_gone_is_a_failing_store(self, store: SweepStore) -> None:
        """Where nobody answers any more, the store has failed."""
        import ray

        actor = relay(store)
        ray.kill(actor)
        with pytest.raises(StoreError, match="the driver's host does not answer for the store"):
            RelayedBlobs(store.paths, actor).read_blob("weights/one")
