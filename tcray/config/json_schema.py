"""The form of a sweep file as JSON Schema, for editors."""

from __future__ import annotations

from typing import Any

from tcray.config.schema import SCHEMA


def to_json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a sweep file: its keys, types, ranges and meanings.

    What holds between keys (a wave no larger than its trials, a hyperparameter in one section) is left to `load_sweep`.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tcray sweep",
        "description": "One research question, as a sweep over hyperparameters of low-rank multimodal fusion",
        **SCHEMA.schema(),
    }
