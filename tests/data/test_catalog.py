"""Dataset names and cards, and the errors for broken cards."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tcray.data.archive import write_examples
from tcray.data.catalog import (
    FORMAT,
    TWIN_ONLY,
    Card,
    card_path,
    dataset_names,
    find_card,
    find_source,
    format_import_command,
    format_twin_notice,
    make_twin_card,
)
from tcray.data.recipe import read_recipe
from tcray.data.twins import generate_twin, write_twin
from tcray.errors import DataError
from tests.data.conftest import ErrorMessage

IMPORTABLE = ("mosi", "mosi-heldout", "mustard", "mustard-folds", "hateful_memes")


def test_five_datasets_can_be_imported_and_five_exist_only_as_twins() -> None:
    """Three sources, two of them with a second protocol, and five twins with a known truth."""
    assert dataset_names() == (*IMPORTABLE, *TWIN_ONLY)
    assert len(TWIN_ONLY) == 5


@pytest.mark.parametrize("name", TWIN_ONLY)
def test_a_twin_only_dataset_is_never_missing(name: str, tmp_path: Path, error_of: ErrorMessage) -> None:
    """A dataset without an original is found for every value of `missing`, and cannot be imported."""
    card = find_card(name, tmp_path, "error")
    assert (card, card.source, card.folds) == (find_card(name, tmp_path), "twin", 1)
    assert error_of(lambda: find_source(name)) == f"{name} exists only as a twin: there is nothing to import"
    assert format_twin_notice(name, tmp_path) == f"{name} is synthetic with a known truth; it exists only as a twin"


def test_a_broken_twin_on_disk_can_be_written_again(tmp_path: Path, error_of: ErrorMessage) -> None:
    """The remedy for a broken twin on disk is to write it again."""
    write_twin("twin-flat", tmp_path)
    assert find_card("twin-flat", tmp_path, "error") == make_twin_card(read_recipe("twin-flat"))
    (tmp_path / "twin-flat.npz").unlink()
    with pytest.raises(DataError) as caught:
        find_card("twin-flat", tmp_path)
    assert caught.value.remedy == f"Write it again: tcray data twin twin-flat --to {tmp_path}"


@pytest.mark.parametrize(
    ("name", "sizes", "modalities"),
    [
        ("mosi", (1447, 250, 502), {"text": 100, "audio": 73, "video": 100}),
        ("mustard", (284, 50, 356), {"text": 300, "audio": 283, "video": 2048}),
        ("hateful_memes", (2125, 250, 500), {"text": 512, "image": 512}),
    ],
)
def test_a_dataset_that_is_not_imported_has_a_twin_of_its_size(
    name: str, sizes: tuple[int, int, int], modalities: dict[str, int], tmp_path: Path
) -> None:
    """The twin of a dataset has the original's widths and sizes."""
    card = find_card(name, tmp_path)
    assert (card.source, card.sizes, dict(card.modalities), card.folds) == ("twin", sizes, modalities, 1)


@pytest.mark.parametrize(("name", "total", "train"), [("mosi-heldout", 752, 437), ("mustard-folds", 690, 469)])
def test_a_fold_protocol_has_a_twin_in_five_folds(name: str, total: int, train: int, tmp_path: Path) -> None:
    """Every example is tested once; train and valid sizes are those of the first fold."""
    card = find_card(name, tmp_path)
    assert (card.folds, card.sizes[2], card.sizes[0], len(card.train_sizes)) == (5, total, train, 5)


def test_the_primary_metric_is_one_for_each_source(tmp_path: Path) -> None:
    """The primary metrics are MAE, weighted F1 and AUROC."""
    assert [find_card(name, tmp_path).primary_metric for name in IMPORTABLE] == ["mae", "mae", "f1", "f1", "auroc"]


@pytest.mark.parametrize("name", dataset_names())
def test_the_card_of_a_twin_matches_its_data(name: str) -> None:
    """The card made from the recipe alone equals the card of the generated data."""
    recipe = read_recipe(name)
    assert make_twin_card(recipe) == generate_twin(recipe).examples.card("twin", recipe.fingerprint)


def test_an_imported_dataset_is_found_before_its_twin(tmp_path: Path) -> None:
    """An imported dataset takes precedence over its twin."""
    examples = generate_twin(read_recipe("mosi")).examples
    written = write_examples(examples, tmp_path)
    assert find_card("mosi", tmp_path, "error") == find_card("mosi", tmp_path) == written
    assert (written.source, written.fingerprint) == ("real", examples.digest)


def test_a_dataset_that_must_be_imported_is_refused(tmp_path: Path, error_of: ErrorMessage) -> None:
    """With `missing="error"`, the remedy is the import command of the dataset's source."""
    assert (
        error_of(lambda: find_card("mosi-heldout", tmp_path, "error"))
        == f"mosi-heldout has not been imported into {tmp_path}"
    )
    assert format_import_command("mosi-heldout", "data") == "tcray data import mosi --from PATH"
    assert format_import_command("mustard", "my data") == "tcray data import mustard --from PATH --root 'my data'"


def test_an_unknown_name_is_refused_with_the_nearest(error_of: ErrorMessage) -> None:
    """An unknown name is refused with the nearest match, or with the list of names."""
    assert error_of(lambda: find_card("mossi", "data")) == 'no such dataset "mossi": did you mean "mosi"?'
    assert error_of(lambda: find_card("x", "data")).startswith('no such dataset "x": there are mosi, mosi-heldout,')


def test_the_steps_of_an_epoch_are_those_of_the_largest_fold(card: Card) -> None:
    """The steps of an epoch are those of the largest fold; the last batch may be partial."""
    assert (card.train_steps(4), card.train_steps(13), card.train_steps(100)) == (4, 1, 1)
    assert replace(card, train_sizes=()).train_steps(5) == 2


def test_a_card_survives_json(card: Card) -> None:
    """A card survives a round trip through JSON."""
    assert Card.from_document(json.loads(json.dumps(card.document()))) == card


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "Expecting property name"),
        ("[]", "not a JSON object"),
        ('{"format": 0}', f"format 0 is not supported, expected {FORMAT}"),
        (json.dumps({"format": FORMAT}), "content is missing or wrong"),
        ("\udcff", "'utf-8' codec can't decode"),
        ("[" * 100_000, "recursion"),
    ],
)
def test_a_broken_card_is_refused(text: str, says: str, tmp_path: Path, error_of: ErrorMessage) -> None:
    """A broken card file is refused with its path."""
    (tmp_path / "mosi.npz").touch()
    path = card_path("mosi", tmp_path)
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    message = error_of(lambda: find_card("mosi", tmp_path))
    assert message.startswith(f"{path}: not a dataset card: ")
    assert says in message


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"modalities": {}}, "modalities is missing or wrong"),
        ({"sizes": [1, 2]}, "sizes is missing or wrong"),
        ({"task": "ranking", "folds": 0}, "task and folds are missing or wrong"),
        ({"primary_metric": ["mae"]}, "primary_metric is missing or wrong"),
    ],
)
def test_a_card_with_wrong_entries_names_them(change: dict[str, object], says: str, card: Card) -> None:
    """The error lists all wrong entries at once."""
    with pytest.raises(ValueError, match=says):
        Card.from_document({**card.document(), **change})


def test_a_card_of_another_dataset_is_refused(tmp_path: Path, error_of: ErrorMessage, card: Card) -> None:
    """A card file that was renamed by hand is refused."""
    (tmp_path / "mosi.npz").touch()
    document = {"format": FORMAT, "content": "c", **card.document()}
    card_path("mosi", tmp_path).write_text(json.dumps(document), encoding="utf-8")
    assert error_of(lambda: find_card("mosi", tmp_path)) == f"{tmp_path}/mosi.json: this is the card of mosi-heldout"


def test_a_card_without_arrays_is_refused(tmp_path: Path, error_of: ErrorMessage) -> None:
    """A card whose arrays are missing is refused."""
    card_path("mosi", tmp_path).touch()
    assert error_of(lambda: find_card("mosi", tmp_path)) == f"{tmp_path}/mosi.json: its arrays (mosi.npz) are missing"


def test_the_catalog_imports_no_heavy_package() -> None:
    """All cards are made without importing numpy, torch, scipy, ray or h5py."""
    script = (
        "import sys; from tcray.data import dataset_names, find_card;"
        "[find_card(name, 'nowhere') for name in dataset_names()];"
        "print([m for m in ('numpy', 'torch', 'scipy', 'ray', 'h5py') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout == "[]\n"
