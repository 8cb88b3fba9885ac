"""Versions: of the image, and of what commands install, against what is installed here."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import version

from tcray import __version__
from tcray.cluster.checks.findings import Finding, note, wrong
from tcray.cluster.checks.lines import COMMANDS, lines
from tcray.cluster.cluster_file import UNFILLED, ClusterFile, Key
from tcray.cluster.node_types import TYPES, node_types
from tcray.config.messages import clip_text, format_value
from tcray.config.nodes import Node

LEAST_PYTHON = (3, 11)

_IMAGE = re.compile(
    r"(?P<name>(?:[\w.-]+(?::\d+)?/)?[a-z\d]+(?:[._/-]+[a-z\d]+)*)(?::(?P<tag>\w[\w.-]*))?(?P<digest>@sha256:\w+)?"
)
_PINNED = re.compile(r"\b(?P<package>ray|tcray)(?:\[[^\]]*\])?\s*==\s*(?P<version>\d[\w.]*)")
_PYTHON = re.compile(r"\bpython(3)\.(\d{1,3})\b")


def check(file: ClusterFile) -> Iterator[Finding]:
    """Images, and versions that commands name."""
    for keys in _images(file):
        if file.value(*keys) is not None:
            yield from _image(file.text_at(*keys), file.node(*keys))
    if any(kind.has("GPU") for kind in node_types(file) if not kind.is_head):
        yield from _without_cuda(file)
    for command, node in lines(file, COMMANDS):
        yield from _command(command, node)


def _images(file: ClusterFile) -> Iterator[tuple[Key, ...]]:
    for name in ("image", "head_image", "worker_image"):
        yield "docker", name
    for kind in file.mapping(TYPES):
        yield TYPES, kind, "docker", "worker_image"


def _image(image: str, node: Node) -> Iterator[Finding]:
    if UNFILLED in image:
        return
    read = _IMAGE.fullmatch(image)
    if read is None:
        sentence = f"expected the name of an image, as registry.example/tcray:{__version__}"
        yield wrong(node, f"{sentence}, found {format_value(image)}")
        return
    tag = read["tag"] or ""
    if not read["digest"] and tag in ("", "latest"):
        yield note(node, "the image is not pinned to a version: machines that start later may get another one")
    number = re.match(r"\d+(\.\d+)+", tag)
    own = read["name"].rpartition("/")[2] == "tcray"
    rays = re.search(r"rayproject/ray(-ml)?$", read["name"])
    if number and own and number[0] != __version__:
        yield wrong(node, f"an image of tcray {clip_text(number[0])}, and this is tcray {__version__}")
    if number and rays:
        yield from _pinned("ray", number[0], node)
    if python := re.search(r"-py(3)(\d{1,3})\b", tag):
        yield from _python(python, node)


def _without_cuda(file: ClusterFile) -> Iterator[Finding]:
    for keys in _images(file):
        tag = file.text_at(*keys).rpartition(":")[2]
        if "cpu" in tag.split("-") and keys[-1] != "head_image":
            yield wrong(file.node(*keys), "an image without CUDA, for machines with GPUs")


def _command(command: str, node: Node) -> Iterator[Finding]:
    for pinned in _PINNED.finditer(command):
        yield from _pinned(pinned["package"], pinned["version"], node)
    for python in _PYTHON.finditer(command):
        yield from _python(python, node)


def _pinned(package: str, there: str, node: Node) -> Iterator[Finding]:
    here = __version__ if package == "tcray" else version(package)
    if there != here:
        name = {"ray": "Ray"}.get(package, package)
        yield wrong(node, f"{name} {clip_text(there)}, and here it is {name} {here}")


def _python(named: re.Match[str], node: Node) -> Iterator[Finding]:
    there = int(named[1]), int(named[2])
    here = sys.version_info[:2]
    if there < LEAST_PYTHON:
        yield wrong(node, f"Python {_dotted(there)}, and tcray needs {_dotted(LEAST_PYTHON)} or newer")
    elif there != here:
        yield note(node, f"Python {_dotted(there)} there, and {_dotted(here)} here")


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
