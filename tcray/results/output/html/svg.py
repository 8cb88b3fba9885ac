"""Figures as inline SVG: small, with colors by role, the font of the page, and ids of their own."""

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
"""Font properties that a text keeps; the family is that of the page."""

_COLOR = re.compile("#[0-9a-f]{6}")
_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_ROTATION = re.compile(r"rotate\(-?0 ")


def to_inline_svg(figure: Figure, prefix: str) -> Markup:
    """Return a figure as an `svg` element that scales with its container; every id in it begins with `prefix`.

    Colors become `var(--figure-<role>)`, so that the style sheet of the page sets them for light and dark mode.
    """
    content = io.StringIO()
    with house_style():
        figure.savefig(content, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = ET.fromstring(content.getvalue())  # noqa: S314 - matplotlib has just written it
    _prune(root)
    _rename_ids(root, prefix)
    for element in root.iter():
        _restyle(element)
        element.tag = element.tag.removeprefix(SVG)
    width, height = (root.attrib.pop(name).removesuffix("pt") for name in ("width", "height"))
    root.attrib = {"viewBox": f"0 0 {_short(width)} {_short(height)}", "aria-hidden": "true", "focusable": "false"}
    return Markup(ET.tostring(root, encoding="unicode"))  # noqa: S704 - ElementTree escapes every text


def _prune(parent: ET.Element) -> None:
    """Remove metadata, matplotlib's style sheet, invisible backgrounds, white space, and empty groups."""
    for child in list(parent):
        name = child.tag.removeprefix(SVG)
        _prune(child)
        child.tail = None
        if name not in ("text", "tspan", "title"):
            child.text = None
        empty = name in ("g", "defs") and not len(child)
        invisible = name == "path" and child.get("style") in ("fill: none", "fill: none; opacity: 0")
        if name in ("metadata", "style") or empty or invisible:
            parent.remove(child)


def _rename_ids(root: ET.Element, prefix: str) -> None:
    """Number the ids that are referred to, in order, and remove all others."""
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


def _restyle(element: ET.Element) -> None:
    """Shorten numbers, replace colors by roles, remove the font family and rotations by zero."""
    for name, value in element.attrib.items():
        element.set(name, _short(value) if name in ("d", "x", "y", "width", "height", "transform", "style") else value)
    if _ROTATION.match(element.get("transform", "")):
        del element.attrib["transform"]
    style = element.get("style")
    if style is None:
        return
    rules = [rule.split(": ", 1) for rule in style.split("; ") if ": " in rule]
    if element.tag == f"{SVG}text":
        rules = [[name, value] for name, value in rules if name in (*KEPT, "fill", "fill-opacity", "opacity")]
    element.set("style", ";".join(f"{name}:{_COLOR.sub(_role, value)}" for name, value in rules))


def _role(color: re.Match[str]) -> str:
    role = ROLES.get(color[0])
    return f"var(--figure-{role})" if role else color[0]


def _short(text: str) -> str:
    """Return a text with its numbers rounded to hundredths of a point, finer than any screen."""
    return _NUMBER.sub(lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), text).replace("\n", "")
