"""The cells of a sweep."""

from tcray.config.run import Configuration
from tcray.search.cells import Cell, list_cells, merge_equivalent

from .factories import CARDS, make_plan, make_sweep


def test_cells_enumerate_the_factors_in_file_order() -> None:
    """The last factor varies fastest, and the key lists the levels."""
    sweep = make_sweep(factors={"rank": (1, 4), "conditioning": ("none", "jwae")})
    assert [cell.key for cell in list_cells(sweep, CARDS["mosi"])] == [
        "mosi/rank=1,conditioning=none",
        "mosi/rank=1,conditioning=jwae",
        "mosi/rank=4,conditioning=none",
        "mosi/rank=4,conditioning=jwae",
    ]


def test_datasets_come_in_file_order() -> None:
    """All cells of the first dataset precede those of the second."""
    plan = make_plan(datasets=("mustard", "mosi"))
    assert [cell.dataset for cell in plan.cells] == ["mustard", "mustard", "mosi", "mosi"]


def test_without_factors_a_dataset_is_a_cell() -> None:
    """A sweep that only optimizes has one cell per dataset, named after it."""
    assert list_cells(make_sweep(factors={}), CARDS["mosi"]) == (Cell("mosi", "mosi", "twin", {}),)


def test_subsets_are_all_non_empty_subsets_of_the_dataset_s_modalities() -> None:
    """Three modalities have seven subsets, two have three; smaller subsets come first."""
    sweep = make_sweep(factors={"modalities": "subsets"})
    levels = [cell.levels["modalities"] for cell in list_cells(sweep, CARDS["mosi"])]
    assert levels == [
        ("text",),
        ("audio",),
        ("video",),
        ("text", "audio"),
        ("text", "video"),
        ("audio", "video"),
        ("text", "audio", "video"),
    ]
    assert [cell.key for cell in list_cells(sweep, CARDS["hateful_memes"])] == [
        "hateful_memes/modalities=text",
        "hateful_memes/modalities=image",
        "hateful_memes/modalities=text+image",
    ]


def test_named_modalities_follow_the_dataset_s_order() -> None:
    """The order of modalities in a level has no meaning, so the key uses the dataset's order."""
    sweep = make_sweep(factors={"modalities": (("video", "text"),)})
    assert [cell.key for cell in list_cells(sweep, CARDS["mosi"])] == ["mosi/modalities=text+video"]


def test_numbers_in_keys_read_like_the_file() -> None:
    """Levels are written as in JSON."""
    sweep = make_sweep(factors={"prior_strength": (0.0, 0.1, 1e-5)})
    keys = [cell.key for cell in list_cells(sweep, CARDS["mosi"])]
    assert keys == ["mosi/prior_strength=0.0", "mosi/prior_strength=0.1", "mosi/prior_strength=1e-05"]


def test_equivalent_cells_are_merged() -> None:
    """If audio is not used, the rate at which it is dropped makes no cell of its own."""
    sweep = make_sweep(factors={"modalities": (("text",), ("text", "audio")), "modality_dropout.audio": (0.0, 0.3)})
    kept = [cell.key for cell in merge_equivalent(list_cells(sweep, CARDS["mosi"]), sweep, CARDS["mosi"])]
    assert kept == [
        "mosi/modalities=text,modality_dropout.audio=0.0",
        "mosi/modalities=text+audio,modality_dropout.audio=0.0",
        "mosi/modalities=text+audio,modality_dropout.audio=0.3",
    ]


def test_levels_override_fixed_values() -> None:
    """Levels and tuned values override fixed values; a preset supplies the strengths that are not given."""
    plan = make_plan(factors={"conditioning": ("jwae",)}, fixed={"rank": 3, "prior_strength": 1.0})
    assert plan.resolve(plan.cells[0], {"lr": 0.01}) == Configuration(
        modalities=("text", "audio", "video"),
        modality_dropout=(0.0, 0.0, 0.0),
        conditioning="jwae",
        rank=3,
        prior_strength=1.0,
        reconstruction_strength=0.1,
        alignment_strength=0.1,
        lr=0.01,
    )
