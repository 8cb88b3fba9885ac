"""A figure as inline SVG: lean, with colours by role and the page's own type, and without a name that another has."""

from __future__ import annotations

import io
import re
from xml.etree import ElementTree as ET

from markupsafe import Markup
from matplotlib.figure import Figure

from tcray.results.display.canvas import house_style
from tcray.results.display.palette import ROLES

SVG = "{http://www.w3.org/2000/svg}"
LINK = "{http://www.w3.org/1999/xlink}href"
KEPT = ("font-size", "font-weight", "font-style", "text-anchor")
"""What a text says of its type; the family is the page's."""

_COLOUR = re.compile("#[0-9a-f]{6}")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_TURN = re.compile(r"rotate\(-?0 ")


def inline_svg(figure: Figure, prefix: str) -> Markup:
    """The figure as an `svg` element that scales with its container; every id in it begins with `prefix`.

    Colours become `var(--figure-<role>)`, so that the page's style sheet sets them, in the light and in the dark.
    """
    content = io.StringIO()
    with house_style():
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ET.fromstring(content.getvalue())  # noqa: S314 - what matplotlib has just written
    _pruned(root)
    _named(root, prefix)
    for element in root.iter():
        _styled(element)
        element.tag = element.tag.removeprefix(SVG)
    width, height = (root.attrib.pop(name).removesuffix("pt") for name in ("width", "height"))
    root.attrib = {"viewBox": f"0 0 {_short(width)} {_short(height)}", "aria-hidden": "true", "focusable": "false"}
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - a tree, serialised: every text is escaped


def _pruned(parent: ET.Element) -> None:
    """Without metadata, matplotlib's style sheet, invisible backgrounds, white space, and groups that hold nothing."""
    for child in list(parent):
        name = child.tag.removeprefix(SVG)
        _pruned(child)
        child.tail = None
        if name not in ("text", "tspan", "title"):
            child.text = None
        bare = name in ("g", "defs") and not len(child)
        unseen = name == "path" and child.get("style") in ("fill: none", "fill: none; opacity: 0")
        if name in ("metadata", "style") or bare or unseen:
            parent.remove(child)


def _named(root: ET.Element, prefix: str) -> None:
    """Keeps the ids that something refers to, numbered in order."""
    referred: dict[str, str] = {}
    for element in root.iter():
        link = element.attrib.pop(LINK, "")
        clip = re.fullmatch(r"url\(#(.+)\)", element.get("clip-path", ""))
        target = link.removeprefix("#") or (clip[1] if clip else "")
        if target:
            name = referred.setdefault(target, f"{prefix}{len(referred)}")
            element.set("href" if link else "clip-path", f"#{name}" if link else f"url(#{name})")
    for element in root.iter():
        old = element.attrib.pop("id", "")
        if old in referred:
            element.set("id", referred[old])


def _styled(element: ET.Element) -> None:
    """Shorter numbers, colours by role, no font family, no turn by nothing."""
    for name, value in element.attrib.items():
        element.set(name, _short(value) if name in ("d", "x", "y", "width", "height", "transform", "style") else value)
    if _TURN.match(element.get("transform", "")):
        del element.attrib["transform"]
    style = element.get("style")
    if style is None:
        return
    told = [rule.split(": ", 1) for rule in style.split("; ") if ": " in rule]
    if element.tag == f"{SVG}text":
        told = [[name, value] for name, value in told if name in (*KEPT, "fill", "fill-opacity", "opacity")]
    element.set("style", ";".join(f"{name}:{_COLOUR.sub(_role, value)}" for name, value in told))


def _role(colour: re.Match[str]) -> str:
    role = ROLES.get(colour[0])
    return f"var(--figure-{role})" if role else colour[0]


def _short(text: str) -> str:
    """Hundredths of a point are finer than any screen."""
    return _NUMBER.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), text).replace("\n", "")
