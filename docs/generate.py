"""Generate reference pages from the package: the sweep file from its schema, the store from its tables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

HYPERPARAMETERS = ("factors", "tune", "fixed")
"""Sections whose keys are hyperparameters; they are listed once."""


def write_pages(folder: Path) -> None:
    """Write every generated page into `folder`."""
    folder.mkdir(exist_ok=True)
    (folder / "sweep-file.md").write_text("\n".join(generate_sweep_file()) + "\n", encoding="utf-8")
    (folder / "store.md").write_text("\n".join(generate_store()) + "\n", encoding="utf-8")


def generate_sweep_file() -> Iterator[str]:
    """Yield the lines of the page on the sweep file."""
    from tcray.config.schema import to_json_schema

    schema = to_json_schema()
    yield "# The sweep file"
    yield ""
    yield "Generated from the schema that checks sweep files; `tcray schema` prints it as JSON Schema, for editors."
    yield "For a worked example see [Write a sweep file](../howto/sweeps.md)."
    yield ""
    yield "## Keys"
    yield ""
    yield from _table(schema, "")
    for key, value in schema["properties"].items():
        if key not in HYPERPARAMETERS:
            yield from _sections(value, key)
    yield "## Hyperparameters"
    yield ""
    yield "Each stands in one of three sections. In `factors` its value is a list of levels, `rank: [1, 2, 4]`."
    yield "In `tune` it is a domain, `lr: {log_uniform: [3.0e-4, 1.0e-2]}`. In `fixed` it is a value, `dropout: 0.1`."
    yield ""
    yield from _table(schema["properties"]["fixed"], "")
    yield "## Domains of `tune`"
    yield ""
    yield "| domain | meaning |"
    yield "|---|---|"
    domains: dict[str, str] = {}
    for name in ("lr", "rank"):
        for domain, value in schema["properties"]["tune"]["properties"][name]["properties"].items():
            domains[domain] = value["description"]
    for domain, description in domains.items():
        yield f"| `{domain}` | {_cell(description)} |"


def _sections(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """A section for a mapping and for each mapping in it."""
    if not schema.get("properties"):
        return
    yield f"## `{path}`"
    yield ""
    yield schema.get("description", "")
    yield ""
    yield from _table(schema, f"{path}.")
    for key, value in schema["properties"].items():
        yield from _sections(value, f"{path}.{key}")


def _table(schema: Mapping[str, Any], path: str) -> Iterator[str]:
    """One row per key of a mapping; keys of a pattern are shown as the pattern reads."""
    required = set(schema.get("required", ()))
    keys = dict(schema.get("properties", {}))
    for pattern, value in schema.get("patternProperties", {}).items():
        keys[pattern.strip("^$").replace("\\.", ".").replace("[A-Za-z][A-Za-z0-9_-]{0,63}", "<modality>")] = value
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for key, value in keys.items():
        default = "**required**" if key in required else _default(value)
        yield f"| `{path}{key}` | {_kind(value)} | {default} | {_cell(value.get('description', ''))} |"
    yield ""


def _default(schema: Mapping[str, Any]) -> str:
    if "default" not in schema or schema["default"] in ({}, [], ""):
        return ""
    return _code(schema["default"])


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
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def generate_store() -> Iterator[str]:
    """Yield the lines of the page on the store."""
    from tcray.store.schema import SCHEMA_VERSION, TABLES

    yield "# The store"
    yield ""
    yield f"Generated from the tables' schema, version {SCHEMA_VERSION}."
    yield ""
    yield "```text"
    yield from STORE_TREE.strip().splitlines()
    yield "```"
    yield ""
    yield "Parts are immutable Parquet files, written aside and renamed. The driver is the only writer, under a lease;"
    yield 'readers may read at any time. `pyarrow.dataset.dataset("trials/runs")` opens a table without tcray.'
    yield ""
    for name, table in TABLES.items():
        yield f"## `{name}`"
        yield ""
        yield table.description
        yield ""
        yield f"Key: {', '.join(f'`{column}`' for column in table.key)}."
        yield ""
        yield "| column | type | meaning |"
        yield "|---|---|---|"
        for column in table.with_hyperparameters():
            meaning = (column.metadata or {}).get(b"description", b"").decode()
            yield f"| `{column.name}` | {_cell(str(column.type))} | {_cell(meaning)} |"
        yield ""


STORE_TREE = """
trials/
  sweeps/<sweep id>/manifest.json        the question as run, versions, host, device, data fingerprints, baselines; the
                                         lease, and the status that its driver reports
  ledger/<sweep id>/<part>.parquet       proposals, results and promotions, in order
  runs/<sweep id>/<part>.parquet         one row per finished run: hyperparameters, state, metrics, time, pack, host
  curves/<sweep id>/<part>.parquet       one row per run and epoch
  evaluations/<sweep id>/<part>.parquet  one row per confirm run and condition: clean, missing:audio, …
  predictions/<sweep id>/<part>.parquet  one row per confirm run, condition and test example
  spectra/<sweep id>/<part>.parquet      energy of rank factors, singular values of the fusion tensor
  weights/<sweep id>/<run id>            best-epoch weights of confirm runs
  checkpoints/<sweep id>/…               checkpoints at rungs, deleted when no run needs them
"""
