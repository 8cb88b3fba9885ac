"""Sphinx configuration: Markdown by MyST, and reference pages generated from the package itself."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import generate  # noqa: E402  found beside this file

import tcray  # noqa: E402  found beside this folder

project = "tcray"
author = "the tcray authors"
copyright = "the tcray authors"  # noqa: A001  Sphinx's name
version = release = tcray.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.doctest",
    "sphinx.ext.napoleon",
    "sphinx_click",
    "sphinx_copybutton",
]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nitpicky = False
exclude_patterns = ["_build"]

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_default_options = {"members": True, "undoc-members": False}
always_use_bars_union = True

html_theme = "furo"
html_title = f"tcray {release}"
html_static_path = ["images"]
html_theme_options = {"source_directory": "docs/"}
copybutton_exclude = ".linenos, .gp, .go"


def setup(app: Sphinx) -> None:
    """Write the generated pages before Sphinx reads any."""
    app.connect("builder-inited", lambda _: generate.write_pages(HERE / "reference"))
