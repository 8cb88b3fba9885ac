"""The keys of a sweep file, their defaults, and the JSON Schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tcray.config.schema import to_json_schema
from tcray.config.sweep import Asha, Confirm, Data, Resources, Search, Sweep, Training
from tests.config.conftest import Load, Problems


def test_a_minimal_file_has_every_default(load: Load) -> None:
    """Without factors and tune there is one cell per dataset, and nothing to search."""
    assert load() == Sweep(
        name="x",
        datasets=("mosi",),
        training=Training(epochs=9),
        question="",
        claims=(),
        data=Data(root="data", missing="twin"),
        factors={},
        tune={},
        fixed={},
        objective="valid.loss",
        search=None,
        confirm=Confirm(seeds=2, repeats=1),
        resources=Resources(device="auto", cpu=1.0, gpu=0.0, pack="auto", max_failures=3),
        seed=0,
    )


def test_the_default_search_is_twelve_trials_of_tpe_in_waves_of_four(load: Load) -> None:
    """By default nothing is pruned."""
    search = load("tune: {dropout: {uniform: [0, 0.5]}}\n").search
    assert search == Search(sampler="tpe", trials=12, wave=4, pruner=None)


def test_a_wave_is_no_larger_than_its_search(load: Load) -> None:
    """The default wave is smaller if there are fewer than four trials."""
    search = load("tune: {dropout: {uniform: [0, 0.5]}}\nsearch: {trials: 3}\n").search
    assert search == Search(trials=3, wave=3)


def test_every_key_is_read(load: Load) -> None:
    """Each key reaches its field."""
    more = """\
question: Why?
claims: [robustness]
data: {root: elsewhere, missing: error}
tune: {lr: {log_uniform: [1e-4, 1e-2]}}
search:
  sampler: random
  trials: 9
  wave: 3
  objective: valid.mae
  pruner: {asha: {min_epochs: 3, reduction_factor: 2.5}}
resources: {device: cuda, cpu: 2, gpu: 0.25, pack: 64, max_failures: 1}
seed: 7
"""
    sweep = load(more)
    assert (sweep.question, sweep.claims, sweep.seed, sweep.objective) == ("Why?", ("robustness",), 7, "valid.mae")
    assert sweep.data == Data("elsewhere", "error")
    assert sweep.search == Search("random", 9, 3, Asha(3, 2.5))
    assert sweep.resources == Resources("cuda", 2.0, 0.25, 64, 1)


def test_a_key_without_a_value_counts_as_not_given(load: Load, problems: Problems) -> None:
    """A required one is missing; any other has its default."""
    assert load("factors:\ntune:\nresources: {pack: }\nquestion: ~\n") == load()
    assert problems(least="name: x\ndatasets: [mosi]\ntraining:\nconfirm: {seeds: 2}\n") == [
        "x.yaml:3:1: training: required, and missing"
    ]


def test_the_required_keys_are_name_datasets_and_training(problems: Problems) -> None:
    """A missing key is reported at the beginning of its section."""
    assert problems(least="seed: 1\nconfirm: {seeds: 2}\n") == [
        "x.yaml:1:1: datasets: required, and missing",
        "x.yaml:1:1: name: required, and missing",
        "x.yaml:1:1: training: required, and missing",
    ]
    assert problems(least="name: x\ndatasets: [a]\ntraining: {}\nconfirm: {}\n") == [
        "x.yaml:3:1: training.epochs: required, and missing",
        "x.yaml:4:1: confirm.seeds: required, and missing",
    ]


@pytest.mark.parametrize(
    ("least", "sentence"),
    [
        ("", "1:1: the file is empty; a sweep needs name, datasets and training"),
        ("# nothing yet\n", "1:1: the file is empty; a sweep needs name, datasets and training"),
        ("- rank\n", "1:1: expected keys, as in name: rank, found a list"),
        ("rank\n", '1:1: expected keys, as in name: rank, found "rank"'),
    ],
)
def test_a_file_is_a_mapping(least: str, sentence: str, problems: Problems) -> None:
    """An empty file, a list and a word are refused."""
    assert problems(least=least) == [f"x.yaml:{sentence}"]


@pytest.mark.parametrize(
    ("more", "sentences"),
    [
        ("sead: 1", ['5:1: sead: no such key; did you mean "seed"?']),
        ("fixed: 3", ["5:8: fixed: expected hyperparameters by name, found 3"]),
        ("seed: -1", ["5:7: seed: expected at least 0, found -1"]),
        ("seed: 1.5", ["5:7: seed: expected a whole number, found 1.5"]),
        ("question: 3", ["5:11: question: expected a text, found 3"]),
        ("claims: conditioning", ['5:9: claims: expected a list of claims, found "conditioning"']),
        (
            "claims: [rank-generalization]",
            ['5:10: claims[0]: there is no "rank-generalization"; did you mean "rank-generalisation"?'],
        ),
        ("claims: [robustness, robustness]", ['5:22: claims[1]: "robustness" is given twice']),
        ("data: twin", ['5:7: data: expected keys, as in {missing: twin}, found "twin"']),
        ("data: {missing: twins}", ['5:17: data.missing: expected twin or error, found "twins"']),
        ("data: {root: ''}", ['5:14: data.root: expected a text, found ""']),
        ("resources: {device: gpu}", ['5:21: resources.device: expected auto, cpu or cuda, found "gpu"']),
        ("resources: {cpu: 0}", ["5:18: resources.cpu: expected above 0, found 0"]),
        ("resources: {gpu: -0.5}", ["5:18: resources.gpu: expected at least 0 and at most 1, found -0.5"]),
        ("resources: {gpu: .nan}", ["5:18: resources.gpu: expected a finite number, found nan"]),
        ("resources: {pack: 0}", ["5:19: resources.pack: expected at least 1, found 0"]),
        ("resources: {pack: many}", ['5:19: resources.pack: expected auto or a whole number, found "many"']),
        ("resources: {max_failures: 0}", ["5:27: resources.max_failures: expected at least 1, found 0"]),
        ("resources: {gpus: 1}", ['5:13: resources.gpus: no such key; did you mean "gpu"?']),
    ],
)
def test_invalid_values_of_sections_are_reported(more: str, sentences: list[str], problems: Problems) -> None:
    """The problem has the position of the value."""
    assert problems(more + "\n") == [f"x.yaml:{sentence}" for sentence in sentences]


@pytest.mark.parametrize(
    ("search", "sentence"),
    [
        ("trials: 0", "6:18: search.trials: expected at least 1, found 0"),
        ("wave: 0", "6:16: search.wave: expected at least 1, found 0"),
        ("sampler: tpa", '6:19: search.sampler: expected tpe or random, found "tpa"'),
        ("objective: valid.los", '6:21: search.objective: there is no "valid.los"; did you mean "valid.loss"?'),
        (
            "pruner: asha",
            '6:18: search.pruner: expected keys, as in {asha: {min_epochs: 9, reduction_factor: 3}}, found "asha"',
        ),
        ("pruner: {asha: {}}", "6:19: search.pruner.asha.min_epochs: required, and missing"),
        (
            "pruner: {asha: {min_epochs: 0}}",
            "6:38: search.pruner.asha.min_epochs: expected at least 1, found 0",
        ),
        (
            "pruner: {asha: {min_epochs: 3, reduction_factor: 1}}",
            "6:59: search.pruner.asha.reduction_factor: expected above 1, found 1",
        ),
    ],
)
def test_invalid_values_of_a_search_are_reported(search: str, sentence: str, problems: Problems) -> None:
    """The sweep tunes a hyperparameter."""
    more = f"tune: {{dropout: {{uniform: [0, 0.5]}}}}\nsearch: {{{search}}}\n"
    assert problems(more) == [f"x.yaml:{sentence}"]


@pytest.mark.parametrize(
    ("least", "sentence"),
    [
        (
            "name: a b\ndatasets: [m]\ntraining: {epochs: 1}\nconfirm: {seeds: 1}",
            '1:7: name: expected a name (a letter, then letters, digits, _ and -, 64 at most), found "a b"',
        ),
        (
            "name: x\ndatasets: mosi\ntraining: {epochs: 1}\nconfirm: {seeds: 1}",
            '2:11: datasets: expected a list of datasets, found "mosi"',
        ),
        (
            "name: x\ndatasets: []\ntraining: {epochs: 1}\nconfirm: {seeds: 1}",
            "2:11: datasets: expected at least one dataset, found an empty list",
        ),
        (
            "name: x\ndatasets: [m, m]\ntraining: {epochs: 1}\nconfirm: {seeds: 1}",
            '2:15: datasets[1]: "m" is given twice',
        ),
        (
            "name: x\ndatasets: [m]\ntraining: {epochs: 0}\nconfirm: {seeds: 1}",
            "3:20: training.epochs: expected at least 1, found 0",
        ),
        (
            "name: x\ndatasets: [m]\ntraining: {epoch: 1}\nconfirm: {seeds: 1}",
            '3:12: training.epoch: no such key; did you mean "epochs"?',
        ),
        (
            "name: x\ndatasets: [m]\ntraining: {epochs: 1}\nconfirm: {seeds: 0}",
            "4:18: confirm.seeds: expected at least 1, found 0",
        ),
        (
            "name: x\ndatasets: [m]\ntraining: {epochs: 1}\nconfirm: {seeds: 1, repeats: 0}",
            "4:30: confirm.repeats: expected at least 1, found 0",
        ),
    ],
)
def test_invalid_values_of_required_keys_are_reported(least: str, sentence: str, problems: Problems) -> None:
    """A misspelled key is reported once, and not also as missing."""
    assert problems(least=least) == [f"x.yaml:{sentence}"]


def test_all_problems_are_reported_in_line_order(problems: Problems) -> None:
    """They may be of different kinds."""
    least = """\
name: y
datasets: [mosi, mosi]
training: {epochs: four}
factors: {rnk: [1], rank: []}
fixed: {rank: 0}
search: {trials: 3}
sead: 3
"""
    assert problems(least=least) == [
        "x.yaml:1:1: confirm: nothing is tuned, so nothing would be trained; add confirm: {seeds: 12}",
        'x.yaml:1:7: name: expected the file\'s name, "x", found "y"',
        'x.yaml:2:18: datasets[1]: "mosi" is given twice',
        'x.yaml:3:20: training.epochs: expected a whole number, found "four"',
        'x.yaml:4:11: factors.rnk: no such hyperparameter; did you mean "rank"?',
        "x.yaml:4:27: factors.rank: expected at least one level, found an empty list",
        "x.yaml:5:9: fixed.rank: rank is already given under factors on line 4",
        "x.yaml:5:15: fixed.rank: expected at least 1, found 0",
        "x.yaml:6:10: search.trials: nothing is tuned, so there is nothing to search; only objective may be given here",
        'x.yaml:7:1: sead: no such key; did you mean "seed"?',
    ]


SWEEPS = sorted((Path(__file__).parents[2] / "sweeps").glob("*.yaml"))
LEAST_DOCUMENT: dict[str, Any] = {"name": "x", "datasets": ["mosi"], "training": {"epochs": 9}}


@pytest.fixture(scope="module")
def validator() -> jsonschema.protocols.Validator:
    """Return a validator of documents against the schema."""
    return jsonschema.Draft202012Validator(to_json_schema())


def test_the_schema_is_valid() -> None:
    """It follows the rules of its dialect."""
    jsonschema.Draft202012Validator.check_schema(to_json_schema())


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_the_shipped_sweep_files_are_valid(path: Path, validator: jsonschema.protocols.Validator) -> None:
    """An editor finds nothing wrong with them."""
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
def test_invalid_documents_are_refused(more: dict[str, Any], validator: jsonschema.protocols.Validator) -> None:
    """Each of these fails; the minimal document does not."""
    assert validator.is_valid(LEAST_DOCUMENT)
    assert not validator.is_valid(LEAST_DOCUMENT | more)


def collect_properties(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any], bool]]:
    """Yield every property of a schema with its path and whether it is required."""
    for name, child in schema.get("properties", {}).items():
        yield f"{path}.{name}", child, name in schema.get("required", ())
        yield from collect_properties(child, f"{path}.{name}")
    for pattern, child in schema.get("patternProperties", {}).items():
        yield f"{path}.{pattern}", child, False
        yield from collect_properties(child, f"{path}.{pattern}")


def test_every_key_is_documented() -> None:
    """Every key has a description of at least three words that ends in a period."""
    properties = [*collect_properties(to_json_schema())]
    assert len(properties) > 60
    lacking = [
        path
        for path, schema, _ in properties
        if len(schema.get("description", "").split()) < 3 or not schema["description"].endswith(".")
    ]
    assert lacking == []


def test_every_optional_key_has_a_documented_default() -> None:
    """The default is in the schema, or the description explains it; factors, domains and tuned keys have none."""
    lacking = [
        path
        for path, schema, required in collect_properties(to_json_schema())
        if not required and "default" not in schema and "Default: " not in schema["description"]
        if not path.startswith((".factors.", ".tune.")) and path != ".search.pruner.asha"
    ]
    assert lacking == []


def test_the_schema_s_defaults_are_valid_and_those_of_the_sweep(
    load: Load, validator: jsonschema.protocols.Validator
) -> None:
    """A file with every default written out is the same sweep."""
    properties = to_json_schema()["properties"]
    defaults = {key: schema["default"] for key, schema in properties.items() if schema.get("default")}
    sections = {
        section: {
            key: schema["default"] for key, schema in properties[section]["properties"].items() if "default" in schema
        }
        for section in ("data", "resources")
    }
    assert validator.is_valid(LEAST_DOCUMENT | defaults | sections)
    assert load(yaml.safe_dump(defaults | sections)) == load()
