"""The form of a sweep file: its keys, and the sweep they make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from tcray.config.claims import CLAIMS
from tcray.config.cross_checks import find_conflicts
from tcray.config.fields import ListOf, Name, OneOf, Text, Whole
from tcray.config.metrics import METRICS
from tcray.config.nodes import Node
from tcray.config.roles import FACTORS, FIXED, TUNE
from tcray.config.sections import Field, Section, collect_fields
from tcray.config.sweep import Asha, Confirm, Data, Resources, Search, Sweep, Training
from tcray.errors import Problem

_OBJECTIVE = Field(
    OneOf(tuple(f"valid.{metric}" for metric in METRICS)),
    "what a run is judged by, on the validation split",
    "valid.loss",
)

SCHEMA = Section(
    {
        "name": Field(Name(), "the file's name without its suffix"),
        "question": Field(Text(), "what the sweep is to answer", ""),
        "claims": Field(ListOf(OneOf(tuple(CLAIMS)), "claim", least=0), "hypotheses put to the test", ()),
        "datasets": Field(ListOf(Name(), "dataset"), "datasets, each a set of cells of its own"),
        "data": Field(Section(collect_fields(Data), "{missing: twin}"), "where datasets come from", {}),
        "factors": Field(FACTORS, "what the question is about: every combination of levels is a cell", {}),
        "tune": Field(TUNE, "what is optimised away inside every cell", {}),
        "fixed": Field(FIXED, "what is the same everywhere", {}),
        "training": Field(Section(collect_fields(Training), "{epochs: 27}"), "how long a run is trained"),
        "search": Field(
            Section({**collect_fields(Search), "objective": _OBJECTIVE}, "{trials: 12, wave: 4}"),
            "how the tuned hyperparameters are searched",
            {},
        ),
        "confirm": Field(
            Section(collect_fields(Confirm), "{repeats: 6, seeds: 2}"),
            "fresh trainings of what was chosen; unless given, none",
            None,
        ),
        "resources": Field(
            Section(collect_fields(Resources), "{cpu: 1, gpu: 0.25}"), "what a pack takes of the hardware", {}
        ),
        "seed": Field(Whole(0), "where every random draw begins", 0),
    },
    "name: rank",
)


def build_sweep(root: Node, stem: str, problems: list[Problem]) -> Sweep | None:
    """The sweep that `root` says, in a file called `stem`; None, with every reason in `problems`, if it may not."""
    if root.value is None:
        problems.append(root.problem("the file is empty; a sweep needs name, datasets and training"))
        return None
    before = len(problems)
    values = SCHEMA.read(root, problems)
    if values is None:
        return None
    problems.extend(find_conflicts(root, values, stem))
    return _sweep(values) if len(problems) == before else None


def _sweep(values: Mapping[str, Any]) -> Sweep:
    search = {**values["search"]}
    objective = search.pop("objective", _OBJECTIVE.default)
    sections = {
        "data": Data(**values["data"]),
        "training": Training(**values["training"]),
        "search": _search(search) if values["tune"] else None,
        "confirm": values["confirm"] and Confirm(**values["confirm"]),
        "resources": Resources(**values["resources"]),
    }
    return Sweep(**{**values, **sections, "objective": objective})


def _search(values: Mapping[str, Any]) -> Search:
    pruner = values.get("pruner")
    search = Search(**{**values, "pruner": pruner and Asha(**pruner["asha"])})
    return replace(search, wave=min(search.wave, search.trials))
