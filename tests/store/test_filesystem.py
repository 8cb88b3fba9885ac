"""Where a store lives, and that what is written there is there wholly or not at all."""

from __future__ import annotations

import os
import pickle
import threading
from pathlib import Path

import pytest

from tcray.errors import InputError, StoreError
from tcray.store.filesystem import Entry, StoreFilesystem

from .bucket import Bucket


@pytest.fixture
def filesystem(tmp_path: Path) -> StoreFilesystem:
    """An empty folder."""
    return StoreFilesystem.from_uri(str(tmp_path))


def test_a_relative_path_is_relative_to_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The uri of a relative path is absolute, so that a worker elsewhere opens the same place."""
    monkeypatch.chdir(tmp_path)
    assert StoreFilesystem.from_uri("trials/").uri == str(tmp_path / "trials")


def test_a_file_uri_is_a_path(tmp_path: Path):
    """`file://` and a path name the same filesystem."""
    assert StoreFilesystem.from_uri(f"file://{tmp_path}/my%20trials") == StoreFilesystem.from_uri(
        f"{tmp_path}/my trials"
    )


@pytest.mark.parametrize(
    ("uri", "sentence"),
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
            "s3://b c is not a valid location of a trial store: Cannot parse URI: 's3://b c?region=x'",
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
def test_a_uri_that_means_nothing_is_said_in_a_sentence(uri: str, sentence: str):
    """What `pyarrow.fs` refuses is an InputError that says what to name instead."""
    with pytest.raises(InputError) as caught:
        StoreFilesystem.from_uri(uri)
    assert caught.value.message.startswith(sentence)
    assert caught.value.remedy == "Pass a folder, or a bucket such as s3://bucket/path, with --store."


def test_a_message_shows_no_credentials(bucket: Bucket):
    """Keys and options of a URI go to the workers, not to the terminal."""
    assert bucket.filesystem().display_path("runs") == "s3://bucket/trials/runs"


def test_a_volume_can_be_sent_to_another_process(filesystem: StoreFilesystem):
    """A pickled filesystem is the same filesystem."""
    assert pickle.loads(pickle.dumps(filesystem)) == filesystem


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_what_is_written_is_read(place: str, filesystem: StoreFilesystem, bucket: Bucket):
    """A file has the content last written, and none once it is deleted."""
    where = filesystem if place == "folder" else bucket.filesystem()
    assert where.read("a/b") is None
    where.write("a/b", b"one")
    where.write("a/b", b"two")
    assert where.read("a/b") == b"two"
    assert where.list_folder("a") == [Entry("b", is_file=True)]
    assert (where.kind("a"), where.kind("a/b"), where.kind("c")) == ("folder", "file", None)
    where.delete("a/b")
    where.delete("a/b")
    assert where.read("a/b") is None
    assert where.list_folder("nowhere") == []


def test_where_files_grow_they_are_written_aside(monkeypatch: pytest.MonkeyPatch):
    """On a file system that is neither a local disk nor object storage a file is renamed once it is whole."""
    moved = []
    monkeypatch.setattr(Bucket, "move", lambda _, *paths: moved.append(paths))
    bucket = Bucket("hdfs")
    bucket.filesystem().write("a/b", b"one")
    ((source, target),) = moved
    assert bucket.objects[source] == b"one"
    assert (source.rpartition(".")[2], target) == ("tmp", "bucket/trials/a/b")


@pytest.mark.parametrize("place", ["folder", "bucket"])
def test_a_file_is_created_once(place: str, filesystem: StoreFilesystem, bucket: Bucket):
    """`create` tells the second creator that it came too late, and leaves the first one's content."""
    where = filesystem if place == "folder" else bucket.filesystem()
    assert where.create("a/b", b"one")
    assert not where.create("a/b", b"two")
    assert where.read("a/b") == b"one"


def test_of_many_creators_one_wins(filesystem: StoreFilesystem):
    """Eight threads that create one file at once are told yes once in all."""
    for round_ in range(20):
        ready = threading.Barrier(8)
        told: list[bool] = []

        def creator(path: str, ready: threading.Barrier, told: list[bool]) -> None:
            ready.wait()
            told.append(filesystem.create(path, b"mine"))

        threads = [threading.Thread(target=creator, args=(f"x{round_}", ready, told)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(told) == [False] * 7 + [True]


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_write_that_fails_leaves_nothing(
    step: str, filesystem: StoreFilesystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where the disk is full the old content stays, and no half-written file."""
    filesystem.write("a", b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(*{"fsync": (os, "fsync", full), "replace": (Path, "replace", full)}[step])
    with pytest.raises(StoreError) as caught:
        filesystem.write("a", b"new")
    assert caught.value.message == f"{tmp_path}/a cannot be written: No space left on device"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_create_that_fails_leaves_nothing(
    filesystem: StoreFilesystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A file whose content could not be written was not created."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(StoreError, match="a cannot be written: No space left on device"):
        filesystem.create("a", b"new")
    assert list(tmp_path.iterdir()) == []


def test_a_bucket_that_does_not_answer_is_said_in_a_sentence(bucket: Bucket):
    """The first line of what the library says, and where to look."""
    bucket.failures = 1
    with pytest.raises(StoreError) as caught:
        bucket.filesystem().write("a", b"x")
    assert caught.value.message == (
        "s3://bucket/trials/a cannot be written: When uploading: AWS Error SLOW_DOWN during PutObject operation"
    )
    assert "credentials" in caught.value.remedy


def test_a_folder_that_is_made_while_it_is_listed_is_empty(bucket: Bucket, monkeypatch: pytest.MonkeyPatch):
    """`pyarrow.fs` looks twice, and says that a folder is missing which it then finds."""

    def missing(_: object) -> None:
        raise FileNotFoundError(2, "Cannot list directory")

    monkeypatch.setattr(bucket, "get_file_info_selector", missing)
    assert bucket.filesystem().list_folder("runs") == []


def test_a_file_where_a_folder_should_be_is_said_in_a_sentence(filesystem: StoreFilesystem, tmp_path: Path):
    """Listing or making a folder under a file is a StoreError that names it."""
    (tmp_path / "a").write_text("")
    with pytest.raises(StoreError, match=f"{tmp_path}/a cannot be read: Not a directory"):
        filesystem.list_folder("a")
    with pytest.raises(StoreError, match=f"{tmp_path}/a/b cannot be created: Not a directory"):
        filesystem.make_folder("a/b")
