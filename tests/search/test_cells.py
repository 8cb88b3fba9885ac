"""The cells of a sweep."""

from tcray.config.run import Configuration
from tcray.search.cells import Cell, list_cells, merge_equivalent

from .laboratory import CARDS, a_plan, a_sweep


def test_cells_run_through_the_factors_in_file_order():
    """The last factor runs fastest, and the key tells the levels."""
    sweep = a_sweep(factors={"rank": (1, 4), "conditioning": ("none", "jwae")})
    assert [cell.key for cell in list_cells(sweep, CARDS["mosi"])] == [
        "mosi/rank=1,conditioning=none",
        "mosi/rank=1,conditioning=jwae",
        "mosi/rank=4,conditioning=none",
        "mosi/rank=4,conditioning=jwae",
    ]


def test_datasets_come_in_file_order():
    """All cells of the first dataset come before those of the second."""
    plan = a_plan(datasets=("mustard", "mosi"))
    assert [cell.dataset for cell in plan.cells] == ["mustard", "mustard", "mosi", "mosi"]


def test_without_factors_a_dataset_is_a_cell():
    """A plain optimisation sweep has one cell a dataset, named like it."""
    assert list_cells(a_sweep(factors={}), CARDS["mosi"]) == (Cell("mosi", "mosi", "twin", {}),)


def test_subsets_are_all_non_empty_subsets_of_what_the_dataset_has():
    """Three modalities have seven subsets, two have three, smaller ones first."""
    sweep = a_sweep(factors={"modalities": "subsets"})
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


def test_named_modalities_follow_the_dataset_s_order():
    """A level's order of modalities means nothing, so the key has the dataset's."""
    sweep = a_sweep(factors={"modalities": (("video", "text"),)})
    assert [cell.key for cell in list_cells(sweep, CARDS["mosi"])] == ["mosi/modalities=text+video"]


def test_numbers_in_keys_read_like_the_file():
    """Levels are written as JSON writes them."""
    sweep = a_sweep(factors={"prior_strength": (0.0, 0.1, 1e-5)})
    keys = [cell.key for cell in list_cells(sweep, CARDS["mosi"])]
    assert keys == ["mosi/prior_strength=0.0", "mosi/prior_strength=0.1", "mosi/prior_strength=1e-05"]


def test_a_cell_that_means_the_same_training_as_another_is_left_out():
    """Where audio is not used, the rate at which it is dropped makes no cell of its own."""
    sweep = a_sweep(factors={"modalities": (("text",), ("text", "audio")), "modality_dropout.audio": (0.0, 0.3)})
    kept = [cell.key for cell in merge_equivalent(list_cells(sweep, CARDS["mosi"]), sweep, CARDS["mosi"])]
    assert kept == [
        "mosi/modalities=text,modality_dropout.audio=0.0",
        "mosi/modalities=text+audio,modality_dropout.audio=0.0",
        "mosi/modalities=text+audio,modality_dropout.audio=0.3",
    ]


def test_a_cell_resolves_to_its_levels_over_what_is_fixed():
    """Tuned values, levels and fixed values make a configuration; a preset gives the strengths nobody names."""
    plan = a_plan(factors={"conditioning": ("jwae",)}, fixed={"rank": 3, "prior_strength": 1.0})
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
