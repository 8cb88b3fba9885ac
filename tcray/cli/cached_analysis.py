"""Analysis of a sweep, reused as long as neither the store nor tcray has changed.

The cache is a folder of the user alone, `$XDG_CACHE_HOME/tcray` or `~/.cache/tcray`, and not part of the store: its
files are pickles, and unpickling a file from another person's store would run their code.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import secrets
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pyarrow import fs

from tcray.config.run import digest
from tcray.store.schema import TABLES
from tcray.store.store import Store, SweepStore
from tcray.version import __version__

if TYPE_CHECKING:
    from tcray.results.analysis import Results

MAX_FILES = 20
"""The cache keeps the analyses that were used last."""

MAX_BYTES = 200_000_000
"""Of all files together; a larger analysis is not kept."""


def load_or_analyze(sweep: SweepStore) -> Results:
    """Return the analysis of a sweep: the cached one if it is of the store as it is now, or else a new one.

    Raises:
        StoreError: if the store is damaged.
    """
    from tcray.results.analysis import Results, analyze

    folder = open_cache()
    if folder is None:
        return analyze(sweep)
    path = folder / f"{compute_key(sweep)}.pickle"
    cached = _read(path)
    if isinstance(cached, Results):
        return cached
    results = analyze(sweep)
    _write(path, results)
    return results


def compute_key(sweep: SweepStore) -> str:
    """Return a digest of everything that an analysis depends on.

    That is the code of tcray, the interpreter, the manifests of all sweeps of the store (earlier looks at a question
    count), and the names, sizes and times of the parts of the sweep's tables; a part's name contains its check sum.
    """
    package = Path(__file__).parents[1]
    code = [[str(path), path.stat().st_size, path.stat().st_mtime_ns] for path in sorted(package.rglob("*.py"))]
    parts = [
        [info.path, info.size, str(info.mtime_ns)]
        for name in TABLES
        for info in _list_files(sweep, sweep.paths.table(name))
    ]
    manifests = Store(sweep.filesystem).manifests()
    return digest([__version__, sys.version, code, sweep.uri, sweep.sweep_id, manifests, parts], length=32)


def _list_files(sweep: SweepStore, folder: str) -> list[fs.FileInfo]:
    filesystem = sweep.filesystem
    infos = filesystem.backend.get_file_info(fs.FileSelector(f"{filesystem.root}/{folder}", allow_not_found=True))
    return sorted(infos, key=lambda info: info.path)


def open_cache() -> Path | None:
    """Return the cache folder, created if needed; None if it cannot be created or others could write to it."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        folder = (Path(base) if Path(base).is_absolute() else Path.home() / ".cache") / "tcray"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if _is_private(folder) else None
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        return None


def _is_private(path: Path) -> bool:
    """True if the path is not a link, belongs to the user, and no one else can write to it."""
    status = path.lstat()
    return not stat.S_ISLNK(status.st_mode) and status.st_uid == os.getuid() and not status.st_mode & 0o022


def _read(path: Path) -> object:
    """Return the unpickled file; None if there is none or it cannot be read."""
    try:
        if not _is_private(path):
            return None
        content = path.read_bytes()
        os.utime(path)  # the least recently used files are deleted first
        return pickle.loads(content)  # noqa: S301 a private file of this user, written by `_write`
    except Exception:  # noqa: BLE001 a damaged file raises almost anything, and is as good as none
        return None


def _write(path: Path, results: Results) -> None:
    """Write the results, and delete the files that were not used for longest; do nothing if that fails."""
    with contextlib.suppress(OSError, pickle.PicklingError, TypeError, AttributeError, RecursionError):
        content = pickle.dumps(results)
        if len(content) > MAX_BYTES:
            return
        temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
        temporary.replace(path)
        _prune(path.parent)


def _prune(folder: Path) -> None:
    files = [(path, path.stat()) for path in folder.iterdir() if path.is_file()]
    kept_bytes = 0
    for number, (path, status) in enumerate(sorted(files, key=lambda file: file[1].st_mtime, reverse=True), start=1):
        kept_bytes += status.st_size
        if number > MAX_FILES or kept_bytes > MAX_BYTES:
            path.unlink(missing_ok=True)
