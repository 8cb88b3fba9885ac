"""Shell commands in messages, written so that they work in the shell that started this process."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from pathlib import Path

MODULES: Mapping[str, str] = {"tcray": "tcray", "tensorboard": "tensorboard.main", "ray": "ray.scripts.scripts"}
"""Programs of this environment, and the module that runs each with `python -m`."""


def format_command(program: str, *words: str) -> str:
    """Return a command line for `program` with shell-quoted `words`.

    `program` is one of `MODULES`. Its bare name is used if the shell finds this environment's script under that name;
    otherwise the path of the script, as it was typed or as short as possible; otherwise `python -m MODULE`.
    """
    return shlex.join([*_find_program(program), *words])


def _find_program(program: str) -> list[str]:
    scripts = [*_list_scripts(program)]
    found = shutil.which(program)
    if found and any(_is_same_file(Path(found), script) for script in scripts):
        return [program]
    if scripts:
        return [_shorten(scripts[0])]
    return [_find_interpreter(), "-m", MODULES[program]]


def _list_scripts(program: str) -> Iterator[Path]:
    """Yield the scripts of `program` in this environment: the running one first, then the installed one."""
    started = Path(sys.argv[0])
    if started.name == program and started.is_file():
        yield started
    for folder in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (script := folder / program).is_file():
            yield script


def _find_interpreter() -> str:
    for name in ("python", "python3"):
        found = shutil.which(name)
        if found and Path(found).absolute() == Path(sys.executable):
            return name
    return _shorten(Path(sys.executable))


def _shorten(path: Path) -> str:
    """Return the path, relative to the working directory if that is shorter; always with a slash, as shells need."""
    absolute = path.absolute()
    try:
        relative = os.path.relpath(absolute)
    except (OSError, ValueError):  # the working directory is gone, or on another drive
        return str(absolute)
    if os.sep not in relative:
        relative = os.path.join(os.curdir, relative)  # noqa: PTH118 Path would drop the dot
    return min(relative, str(absolute), key=len)


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False
