"""The JSON Schema of the sweep file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from tcray.cli.schema import command
from tcray.config.json_schema import to_json_schema

SWEEPS = sorted((Path(__file__).parents[2] / "sweeps").glob("*.yaml"))
LEAST: dict[str, Any] = {"name": "x", "datasets": ["mosi"], "training": {"epochs": 9}}


@pytest.fixture(scope="module")
def validator() -> jsonschema.protocols.Validator:
    """Judges documents by the schema."""
    return jsonschema.Draft202012Validator(to_json_schema())


def test_the_schema_is_a_schema() -> None:
    """By its own dialect's rules."""
    jsonschema.Draft202012Validator.check_schema(to_json_schema())


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_every_sweep_file_is_valid(path: Path, validator: jsonschema.protocols.Validator) -> None:
    """An editor finds nothing wrong with the files that come with the house."""
    assert [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))] == []


@pytest.mark.parametrize(
    "more",
    [
        {"sead": 1},
        {"seed": -1},
        {"name": "a b"},
        {"datasets": []},
        {"datasets": ["a", "a"]},
        {"training": {}},
        {"claims": ["x"]},
        {"factors": {"rnk": [1]}},
        {"factors": {"rank": []}},
        {"factors": {"rank": [0]}},
        {"factors": {"modalities": "all"}},
        {"factors": {"modality_dropout.audio": [1.5]}},
        {"fixed": {"dropout": 1.0}},
        {"tune": {"rank": {"uniform": [1, 2]}}},
        {"tune": {"lr": {"uniform": [1]}}},
        {"tune": {"lr": {"uniform": [1, 2], "choice": [1]}}},
        {"tune": {"modalities": {"choice": [["text"]]}}},
        {"resources": {"pack": "many"}},
        {"search": {"pruner": {"hyperband": {}}}},
    ],
    ids=str,
)
def test_an_editor_sees_what_is_wrong(more: dict[str, Any], validator: jsonschema.protocols.Validator) -> None:
    """Each of these fails, where the least file does not."""
    assert validator.is_valid(LEAST)
    assert not validator.is_valid(LEAST | more)


def test_the_command_prints_the_schema() -> None:
    """As JSON."""
    ran = CliRunner().invoke(command)
    assert to_json_schema() == json.loads(ran.stdout)
