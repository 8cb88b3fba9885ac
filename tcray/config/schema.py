"""Schema of a sweep file: its keys, the sweep that they make, and the same as JSON Schema for editors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tcray.config.claims import CLAIMS
from tcray.config.cross_checks import find_conflicts
from tcray.config.fields import Integer, ListOf, Name, OneOf, Text
from tcray.config.metrics import METRICS
from tcray.config.nodes import Node
from tcray.config.sections import FACTORS, FIXED, TUNE, Field, Section, collect_fields
from tcray.config.sweep import Asha, Confirm, Data, Resources, Search, Sweep, Training
from tcray.errors import Problem

_OBJECTIVE = Field(
    OneOf(tuple(f"valid.{metric}" for metric in METRICS)),
    "Validation metric that the search optimizes; its best epoch gives a run's metrics.",
    "valid.loss",
)

SCHEMA = Section(
    {
        "name": Field(Name(), "Name of the sweep: the file's name without its suffix."),
        "question": Field(Text(), "Research question, shown in reports.", ""),
        "claims": Field(
            ListOf(OneOf(tuple(CLAIMS)), "claim", min_length=0),
            "Hypotheses to test, by name; each gets a verdict. The factors must include what a claim needs.",
            (),
        ),
        "datasets": Field(ListOf(Name(), "dataset"), "Datasets by name; each has cells of its own."),
        "data": Field(Section(collect_fields(Data), "{missing: twin}"), "Location of the datasets.", {}),
        "factors": Field(
            FACTORS,
            "Hyperparameters that the question is about, with their levels; every combination of levels is a cell.",
            {},
        ),
        "tune": Field(TUNE, "Hyperparameters that are optimized within each cell, with their domains.", {}),
        "fixed": Field(FIXED, "Hyperparameters that have the same value in every run.", {}),
        "training": Field(Section(collect_fields(Training), "{epochs: 27}"), "Length of a training."),
        "search": Field(
            Section({**collect_fields(Search), "objective": _OBJECTIVE}, "{trials: 12, wave: 4}"),
            "Search of the tuned hyperparameters within each cell. Without `tune`, only `objective` may be given.",
            {},
        ),
        "confirm": Field(
            Section(collect_fields(Confirm), "{repeats: 6, seeds: 2}"),
            "Full trainings of the configurations that the searches chose. Default: none; required without `tune`.",
            None,
        ),
        "resources": Field(
            Section(collect_fields(Resources), "{cpu: 1, gpu: 0.25}"),
            "Hardware that a pack of runs takes; changes neither results nor the sweep id.",
            {},
        ),
        "seed": Field(Integer(0), "Seed of all random draws.", 0),
    },
    "name: rank",
)


def build_sweep(root: Node, stem: str, problems: list[Problem]) -> Sweep | None:
    """Return the sweep of the tree `root`, read from a file called `stem`.

    Return None, with every reason appended to `problems`, if the tree is not a valid sweep.
    """
    if root.value is None:
        problems.append(root.problem("the file is empty; a sweep needs name, datasets and training"))
        return None
    before = len(problems)
    values = SCHEMA.read(root, problems)
    if values is None:
        return None
    problems.extend(find_conflicts(root, values, stem))
    return _build_sweep(values) if len(problems) == before else None


def _build_sweep(values: Mapping[str, Any]) -> Sweep:
    search = {**values["search"]}
    objective = search.pop("objective", _OBJECTIVE.default)
    sections = {
        "data": Data(**values["data"]),
        "training": Training(**values["training"]),
        "search": _build_search(search) if values["tune"] else None,
        "confirm": values["confirm"] and Confirm(**values["confirm"]),
        "resources": Resources(**values["resources"]),
    }
    return Sweep(**{**values, **sections, "objective": objective})


def _build_search(values: Mapping[str, Any]) -> Search:
    pruner = values.get("pruner")
    search = Search(**{**values, "pruner": pruner and Asha(**pruner["asha"])})
    return replace(search, wave=min(search.wave, search.trials))


def to_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a sweep file: its keys, types, ranges, defaults and descriptions.

    Only `load_sweep` checks rules between keys, such as a wave no larger than its trials.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "tcray sweep",
        "description": "A research question as a sweep over hyperparameters of low-rank multimodal fusion.",
        **SCHEMA.json_schema(),
    }
