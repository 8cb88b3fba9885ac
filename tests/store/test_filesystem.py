"""Tests of the store's file system: locations, and operations that happen completely or not at all."""

from __future__ import annotations

import os
import pickle
import threading
from pathlib import Path

import pytest

from tcray.errors import InputError, StoreError
from tcray.store.filesystem import Entry, StoreFilesystem

from .fakes import Bucket


@pytest.fixture
def filesystem(tmp_path: Path) -> StoreFilesystem:
    """Return the file system of an empty folder."""
    return StoreFilesystem.from_uri(str(tmp_path))


def test_a_relative_path_is_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The URI of a relative path is absolute, so that a worker opens the same folder."""
    monkeypatch.chdir(tmp_path)
    assert StoreFilesystem.from_uri("trials/").uri == str(tmp_path / "trials")


def test_a_file_uri_is_a_path(tmp_path: Path) -> None:
    """A `file://` URI and its path are the same file system."""
    assert StoreFilesystem.from_uri(f"file://{tmp_path}/my%20trials") == StoreFilesystem.from_uri(
        f"{tmp_path}/my trials"
    )


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("", "'' is not a valid location of a trial store"),
        ("a\0b", "'a\\x00b' is not a valid location of a trial store"),
        (
            "gopher://x/y",
            "gopher://x/y is not a valid location of a trial store: Unrecognized filesystem type in URI: gopher://x/y",
        ),
        ("s3://", "s3:// has no bucket"),
        (
            "s3://K:S@b c?region=x",
            (
                "s3://b c is not a valid location of a trial store: "
                "Cannot parse URI: 's3://b c?region=x' due to syntax error"
            ),
        ),
        (
            "s3://b/p?colour=red&region=x",
            "s3://b/p is not a valid location of a trial store: Unexpected query parameter in S3 URI: 'colour'",
        ),
        (
            "file://here",
            "file://here is not a valid location of a trial store: File URI cannot be relative: 'file://here'",
        ),
    ],
)
def test_an_invalid_uri_is_an_input_error(uri: str, message: str) -> None:
    """A URI that `pyarrow.fs` refuses leads to an `InputError` whose remedy shows valid locations."""
    with pytest.raises(InputError) as caught:
        StoreFilesystem.from_uri(uri)
    assert caught.value.message.startswith(message)
    assert caught.value.remedy == "Pass a folder, or a bucket such as s3://bucket/path, with --store."


def test_a_message_shows_no_credentials(bucket: Bucket) -> None:
    """A URI's credentials and options are passed to workers, but not shown in messages."""
    assert bucket.filesystem().display_path("runs") == "s3://bucket/trials/runs"


def test_a_filesystem_can_be_sent_to_another_process(filesystem: StoreFilesystem) -> None:
    """A pickled filesystem is the same filesystem."""
    assert pickle.loads(pickle.dumps(filesystem)) == filesystem


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_a_file_has_the_content_last_written(place: str, filesystem: StoreFilesystem, bucket: Bucket) -> None:
    """A deleted or missing file has no content; deleting it again does nothing."""
    if place == "bucket":
        filesystem = bucket.filesystem()
    assert filesystem.read("a/b") is None
    filesystem.write("a/b", b"one")
    filesystem.write("a/b", b"two")
    assert filesystem.read("a/b") == b"two"
    assert filesystem.list_folder("a") == [Entry("b", is_file=True)]
    assert (filesystem.kind("a"), filesystem.kind("a/b"), filesystem.kind("c")) == ("folder", "file", None)
    filesystem.delete("a/b")
    filesystem.delete("a/b")
    assert filesystem.read("a/b") is None
    assert filesystem.list_folder("nowhere") == []


def test_other_file_systems_write_to_a_temporary_file_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a file system that is neither a local disk nor object storage, the complete file is renamed."""
    moved = []
    monkeypatch.setattr(Bucket, "move", lambda _, *paths: moved.append(paths))
    bucket = Bucket("hdfs")
    bucket.filesystem().write("a/b", b"one")
    ((source, target),) = moved
    assert bucket.objects[source] == b"one"
    assert (source.rpartition(".")[2], target) == ("tmp", "bucket/trials/a/b")


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_a_file_is_created_only_once(place: str, filesystem: StoreFilesystem, bucket: Bucket) -> None:
    """The second `create` returns False and does not change the content."""
    if place == "bucket":
        filesystem = bucket.filesystem()
    assert filesystem.create("a/b", b"one")
    assert not filesystem.create("a/b", b"two")
    assert filesystem.read("a/b") == b"one"


def test_one_of_many_creators_wins(filesystem: StoreFilesystem) -> None:
    """If eight threads create a file at once, exactly one call returns True."""
    for round_ in range(20):
        ready = threading.Barrier(8)
        created: list[bool] = []

        def creator(path: str, ready: threading.Barrier, created: list[bool]) -> None:
            ready.wait()
            created.append(filesystem.create(path, b"mine"))

        threads = [threading.Thread(target=creator, args=(f"x{round_}", ready, created)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(created) == [False] * 7 + [True]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_content(
    step: str, filesystem: StoreFilesystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the disk is full, the old content stays and no temporary file is left."""
    filesystem.write("a", b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*{"fsync": (os, "fsync", full), "replace": (Path, "replace", full)}[step])
    with pytest.raises(StoreError) as caught:
        filesystem.write("a", b"new")
    assert caught.value.message == f"{tmp_path}/a cannot be written: No space left on device"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_failed_create_leaves_nothing(
    filesystem: StoreFilesystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the content cannot be written, the file does not exist afterwards."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="a cannot be written: No space left on device"):
        filesystem.create("a", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_failing_bucket_is_a_store_error(bucket: Bucket) -> None:
    """The message contains the first line of the library's error; the remedy mentions the credentials."""
    bucket.failures = 1
    with pytest.raises(StoreError) as caught:
        bucket.filesystem().write("a", b"x")
    assert caught.value.message == (
        "s3://bucket/trials/a cannot be written: When uploading: AWS Error SLOW_DOWN during PutObject operation"
    )
    assert "credentials" in caught.value.remedy


def test_a_folder_that_is_created_while_it_is_listed_is_empty(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    """`pyarrow.fs` looks twice, and may raise `FileNotFoundError` for a folder that exists by then."""

    def missing(_: object) -> None:
        raise FileNotFoundError(2, "Cannot list directory")

    monkeypatch.setattr(bucket, "get_file_info_selector", missing)
    assert bucket.filesystem().list_folder("runs") == []


def test_a_file_in_place_of_a_folder_is_a_store_error(filesystem: StoreFilesystem, tmp_path: Path) -> None:
    """Listing a file, or creating a folder below it, leads to a `StoreError` with the path."""
    (tmp_path / "a").write_text("")
    with pytest.raises(StoreError, match=f"{tmp_path}/a cannot be read: Not a directory"):
        filesystem.list_folder("a")
    with pytest.raises(StoreError, match=f"{tmp_path}/a/b cannot be created: Not a directory"):
        filesystem.make_folder("a/b")
