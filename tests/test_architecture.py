"""Rules of the architecture below the level of top-level packages, at which import-linter stops."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import tcray

PACKAGE = Path(tcray.__file__).parent
FENCES = ("tune/ray", "cluster/ray")
"""The only folders that may use Ray's private API and its autoscaler, which change without notice."""
FENCED = ("ray._private", "ray._raylet", "ray._common", "ray.autoscaler", "ray.core")


def imported_modules(source: str) -> Iterator[str]:
    """Yield the absolute name of every module that the source imports, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_fenced(module: str) -> bool:
    """True if the module belongs to Ray's private API or to its autoscaler."""
    return any(f"{module}.".startswith(f"{fenced}.") for fenced in FENCED)


def is_inside(path: Path) -> bool:
    """True if the file is in a folder that may use Ray's private API."""
    return path.relative_to(PACKAGE).parent.as_posix() in FENCES


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import ray\nfrom ray.exceptions import RayError", False),
        ("from ray._private.state import state", True),
        ("from ray import _raylet", True),
        ("def f():\n    import ray.autoscaler", True),
        ("from ray import autoscaler", True),
        ("import ray.autoscaler_status", False),
    ],
)
def test_private_imports_are_recognized(source: str, expected: bool) -> None:
    """Every form of import is recognized, and similar names are not."""
    assert expected == any(map(is_fenced, imported_modules(source)))


def test_only_two_folders_use_rays_private_api() -> None:
    """Outside `tune/ray` and `cluster/ray` no module imports Ray's private API or its autoscaler."""
    violations = {
        f"{path.relative_to(PACKAGE)}: {module}"
        for path in PACKAGE.rglob("*.py")
        if not is_inside(path)
        for module in imported_modules(path.read_text(encoding="utf-8"))
        if is_fenced(module)
    }
    assert set() == violations


@pytest.mark.parametrize("fence", FENCES)
def test_each_fence_is_needed(fence: str) -> None:
    """Each of the folders does use Ray's private API."""
    files = list((PACKAGE / fence).glob("*.py"))
    assert any(is_fenced(module) for path in files for module in imported_modules(path.read_text(encoding="utf-8")))
