"""Generate reference pages from the package: the sweep file from its schema, the store from its tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PAGES = ("sweep-file.md", "store.md")


def write_pages(folder: Path) -> None:
    """Write every generated page into `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / "sweep-file.md").write_text("\n".join(_sweep_file()) + "\n", encoding="utf-8")
    (folder / "store.md").write_text("\n".join(_store()) + "\n", encoding="utf-8")


def _sweep_file() -> Iterator[str]:
    from tcray.config.schema import to_json_schema

    schema = to_json_schema()
    yield "# The sweep file"
    yield ""
    yield "Generated from the schema that checks sweep files (`tcray schema` prints it). For a worked example see"
    yield "[Write a sweep file](../howto/sweeps.md)."
    yield ""
    yield from _section(schema, "", 2)


def _section(schema: Mapping[str, Any], path: str, level: int) -> Iterator[str]:
    """A table of the keys of one mapping, then a section per nested mapping."""
    required = set(schema.get("required", ()))
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for key, value in schema["properties"].items():
        default = "**required**" if key in required else _code(value["default"]) if "default" in value else ""
        yield f"| `{path}{key}` | {_kind(value)} | {default} | {_cell(value.get('description', ''))} |"
    yield ""
    for key, value in schema["properties"].items():
        for nested in _mappings(value):
            yield f"{'#' * min(level, 4)} `{path}{key}`"
            yield ""
            yield from _section(nested, f"{path}{key}.", level + 1)


def _mappings(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    choices = schema.get("anyOf") or schema.get("oneOf") or [schema]
    yield from (choice for choice in choices if choice.get("properties"))


def _kind(schema: Mapping[str, Any]) -> str:
    """The values that a schema accepts, in a few words."""
    if "const" in schema:
        return _code(schema["const"])
    if "enum" in schema:
        return ", ".join(_code(value) for value in schema["enum"])
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return " or ".join(dict.fromkeys(_kind(choice) for choice in schema[word]))
    kind = schema.get("type", "")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    names = {"integer": "whole number", "string": "text", "object": "mapping", "boolean": "true or false"}
    bounds = [
        f"{sign} {schema[word]:g}"
        for word, sign in (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))
        if word in schema
    ]
    return f"{names.get(kind, str(kind))} {', '.join(bounds)}".strip()


def _code(value: Any) -> str:
    return f"`{json.dumps(value, ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _store() -> Iterator[str]:
    from tcray.store.schema import TABLES

    yield "# The store's tables"
    yield ""
    for name, table in TABLES.items():
        yield f"## `{name}`"
        yield ""
        yield "| column | type |"
        yield "|---|---|"
        for column in table.schema:
            yield f"| `{column.name}` | {column.type} |"
        yield ""
