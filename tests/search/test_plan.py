"""The plan of a sweep: counts, errors and warnings."""

import pytest

from tcray.config.domains import Choice, Int, LogInt, LogUniform, Uniform
from tcray.config.run import ENGINE_VERSION
from tcray.config.sweep import Asha, Confirm, Data, Resources, Search, Training
from tcray.errors import DataError, InputError
from tcray.search.plan import find_cards, plan
from tcray.search.rungs import Rungs

from .factories import CARDS, make_plan, make_sweep

THREE = ("mosi", "mustard", "hateful_memes")


def read_error(**changes):
    """Return the error message for a sweep that cannot be planned."""
    with pytest.raises(InputError) as caught:
        make_plan(**changes)
    return caught.value.message


def test_a_plan_counts_its_runs() -> None:
    """Two cells, two repeats, twelve trials, two confirm seeds; each rung keeps half of the runs."""
    planned = make_plan()
    assert (planned.search_runs, planned.confirm_runs, planned.planned_runs) == (48, 8, 56)
    assert planned.rungs == Rungs(8, (2, 4), 2.0)
    assert planned.expected_epochs == 48 * (2 + 2 / 2 + 4 / 4) + 8 * 8


def test_a_sweep_that_tunes_nothing_counts_its_seeds() -> None:
    """Without a search there is one repeat and no rung."""
    planned = make_plan(tune={}, search=None, confirm=Confirm(seeds=12))
    assert (planned.search_runs, planned.confirm_runs) == (0, 24)
    assert planned.rungs == Rungs(8)
    assert list(planned.confirm_seeds(0)) == list(range(12))


def test_a_small_space_is_not_planned_beyond_its_size() -> None:
    """Five ranks allow at most five trials."""
    planned = make_plan(factors={}, tune={"rank": Int(1, 5)}, confirm=None)
    assert planned.planned_runs == 5


def test_a_dataset_without_a_named_modality_is_left_out() -> None:
    """A factor about audio leaves out the dataset without audio, with one note."""
    planned = make_plan(datasets=THREE, factors={"modality_dropout.audio": (0.0, 0.3)})
    assert [cell.dataset for cell in planned.cells] == ["mosi", "mosi", "mustard", "mustard"]
    why = "it has no audio, but factors.modality_dropout.audio names it"
    assert planned.notes == [f"hateful_memes is left out: {why}"]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"factors": {"modalities": (("text",), ("text", "audio"))}}, "factors.modalities"),
        ({"fixed": {"modalities": ("text", "audio")}}, "fixed.modalities"),
        ({"fixed": {"modality_dropout.audio": 0.3}}, "fixed.modality_dropout.audio"),
        ({"tune": {"modality_dropout.audio": Uniform(0.0, 0.9)}}, "tune.modality_dropout.audio"),
    ],
)
def test_any_section_that_names_a_modality_counts(change, path) -> None:
    """A value for a modality is never silently without effect."""
    planned = make_plan(datasets=("mosi", "hateful_memes"), **change)
    assert [left.reason for left in planned.skipped] == [f"it has no audio, but {path} names it"]


def test_a_sweep_whose_datasets_are_all_left_out_is_refused() -> None:
    """If every dataset lacks a modality, each is named with the modality that it lacks."""
    named = {"modality_dropout.audio": (0.0, 0.3), "modality_dropout.image": (0.0, 0.3)}
    assert read_error(datasets=("mosi", "hateful_memes"), factors=named) == (
        "datasets: all are left out (mosi: it has no image, but factors.modality_dropout.image names it; "
        "hateful_memes: it has no audio, but factors.modality_dropout.audio names it)"
    )


def test_subsets_need_no_modality_in_particular() -> None:
    """Every dataset has subsets of its own modalities."""
    planned = make_plan(datasets=THREE, factors={"modalities": "subsets"})
    assert [len([c for c in planned.cells if c.dataset == name]) for name in THREE] == [7, 7, 3]
    assert planned.skipped == ()


def test_a_modality_that_no_dataset_has_is_refused_with_the_nearest() -> None:
    """All unknown modalities are listed, each with its key."""
    changes = {"factors": {"modality_dropout.adio": (0.0, 0.3)}, "fixed": {"modalities": ("text", "smell")}}
    assert read_error(**changes).splitlines() == [
        'factors.modality_dropout.adio: no dataset of this sweep has a modality "adio"; did you mean "audio"?',
        'fixed.modalities: no dataset of this sweep has a modality "smell"; there are text, audio and video',
    ]


def test_an_objective_that_a_task_lacks_is_refused() -> None:
    """A classification has no mean absolute error; a dataset that is left out is not checked."""
    has = "valid.loss, valid.f1, valid.accuracy and valid.auroc"
    assert read_error(datasets=("mosi", "mustard"), objective="valid.mae") == (
        f"search.objective: mustard is a classification task and has no valid.mae; it has {has}"
    )
    left_out = {"datasets": ("mosi", "hateful_memes"), "factors": {"modality_dropout.audio": (0.0, 0.3)}}
    assert len(make_plan(objective="valid.mae", **left_out).cells) == 2


def test_too_many_confirm_seeds_are_refused() -> None:
    """A repeat owns a thousand seed indices, one of which it searches with."""
    assert read_error(confirm=Confirm(seeds=1000)) == "confirm.seeds: expected at most 999, found 1000"
    assert make_plan(tune={}, search=None, confirm=Confirm(seeds=1000)).confirm_runs == 2000


def test_unknown_datasets_are_refused_all_at_once() -> None:
    """Each is named with the nearest known name."""
    with pytest.raises(DataError) as caught:
        find_cards(make_sweep(datasets=("mosy", "mosi", "mustrad")))
    first, second = caught.value.message.splitlines()
    assert first == 'datasets: no such dataset "mosy": did you mean "mosi"?'
    assert second == 'datasets: no such dataset "mustrad": did you mean "mustard"?'
    assert "mosi-heldout" in caught.value.remedy


def test_a_dataset_that_is_not_imported_is_refused_if_twins_are_excluded(tmp_path) -> None:
    """The remedy is the command that imports it."""
    sweep = make_sweep(data=Data(root=str(tmp_path), missing="error"))
    with pytest.raises(DataError, match="mosi has not been imported") as caught:
        find_cards(sweep)
    assert "tcray data import mosi" in caught.value.remedy


def test_a_dataset_that_is_not_imported_has_a_twin(tmp_path) -> None:
    """Its cells have the source `twin`, and a note gives the command that imports it."""
    sweep = make_sweep(data=Data(root=str(tmp_path)))
    planned = plan(sweep, find_cards(sweep))
    assert {cell.source for cell in planned.cells} == {"twin"}
    (line,) = planned.twin_notes
    assert line.startswith("mosi is not imported: using its synthetic twin (tcray data import mosi")


def test_a_sweep_id_is_its_name_and_a_digest() -> None:
    """The digest has twelve hexadecimal digits; from the second on, the generation follows."""
    name, digits = make_plan().sweep_id().rsplit("-", 1)
    assert (name, len(digits), set(digits) <= set("0123456789abcdef")) == ("small", 12, True)
    assert make_plan().sweep_id(2) == f"{make_plan().sweep_id()}-g2"


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"resources": Resources(cpu=2, pack=1)}, True),
        ({"question": "Why?", "claims": ("robustness",)}, True),
        ({"data": Data(root="another_folder", missing="error")}, True),
        ({"seed": 1}, False),
        ({"training": Training(9)}, False),
        ({"factors": {"rank": (1, 3)}}, False),
        ({"tune": {"dropout": Uniform(0.0, 0.5), "lr": LogUniform(1e-4, 1e-1)}}, False),
    ],
)
def test_a_sweep_id_depends_on_everything_that_can_change_a_result(change, same) -> None:
    """Resources, claims and the location of data do not enter; the order of tuned hyperparameters does."""
    assert (make_plan(**change).sweep_id() == make_plan().sweep_id()) is same


def test_other_data_or_another_engine_make_another_sweep(monkeypatch) -> None:
    """Newly imported data, or an engine with other bits, never mixes with earlier results."""
    other = {"mosi": CARDS["mosi"].__class__(**{**vars(CARDS["mosi"]), "fingerprint": "other"})}
    ids = {make_plan().sweep_id(), plan(make_sweep(), other).sweep_id()}
    monkeypatch.setattr("tcray.search.plan.ENGINE_VERSION", ENGINE_VERSION + ".1")
    assert len(ids | {make_plan().sweep_id()}) == 3


def test_a_sound_sweep_has_no_notes() -> None:
    """A sound sweep has no note and no warning."""
    assert (make_plan().notes, make_plan().warnings) == ([], [])


def test_equivalent_cells_are_merged_and_counted() -> None:
    """The dropout rates of a modality that a cell does not use make one cell."""
    planned = make_plan(factors={"modalities": "subsets", "modality_dropout.audio": (0.0, 0.3)})
    assert len(planned.cells) == 3 + 2 * 4
    (note,) = planned.notes
    assert note == (
        "3 combinations of levels are left out: each would train the same as another cell "
        "(it differs in the dropout rate of a modality that is not used)"
    )


@pytest.mark.parametrize(
    ("search", "warning"),
    [
        (
            Search("tpe", trials=12, wave=12),
            (
                "search.wave: no proposal will be model-based: TPE learns from earlier waves, "
                "and 12 trials in waves of 12 are a single wave"
            ),
        ),
        (
            Search("tpe", trials=10, wave=5, pruner=Asha(2, 2.0)),
            (
                "search.trials: of 10 trials about 2.5 will be trained in full; "
                "raise search.trials, or min_epochs for fewer rungs"
            ),
        ),
        (
            Search("tpe", trials=2, wave=1),
            "search.trials: of 2 trials about 2 will be trained in full; raise search.trials",
        ),
    ],
)
def test_a_search_with_few_complete_trials_or_no_model_has_a_warning(search, warning) -> None:
    """A search with no model-based proposal, or with fewer than three trials trained in full, has a warning."""
    assert make_plan(search=search).warnings == [warning]


def test_a_random_search_in_one_wave_has_no_warning() -> None:
    """A random search in one wave has no warning."""
    assert make_plan(search=Search("random", trials=12, wave=12)).warnings == []


def test_claims_that_cannot_be_tested_have_a_warning() -> None:
    """A claim needs its factors, and confirm runs."""
    assert make_plan(claims=("conditioning", "rank-spectrum")).warnings == [
        "claims: conditioning will not be testable: it needs conditioning among the factors"
    ]
    assert make_plan(claims=("rank-spectrum",), confirm=None).warnings == [
        "claims: none will be testable: tests use confirm runs, and the sweep has no confirm section"
    ]


def test_many_tuned_widths_have_a_warning() -> None:
    """Each tuned width is a shape; three levels are few enough."""
    (warning,) = make_plan(tune={"latent_dim": Int(4, 99), "lr": LogUniform(1e-4, 1e-2)}).warnings
    assert warning == (
        "tune: runs on mosi have 96 shapes, due to latent_dim, and only runs of one shape are trained together; "
        "with few levels (choice) packs are fuller and the sweep is faster"
    )
    assert make_plan(tune={"latent_dim": Choice((8, 16, 32)), "lr": LogUniform(1e-4, 1e-2)}).warnings == []


def test_signatures_cover_every_shape_of_a_cell() -> None:
    """Ranks up to 16 share a shape, as do all strengths above 0."""
    planned = make_plan(
        factors={}, tune={"rank": LogInt(1, 40), "prior_strength": LogUniform(0.1, 10.0), "lr": LogUniform(1e-4, 1e-2)}
    )
    (signatures,) = planned.signatures.values()
    assert sorted(signature[3] for signature in signatures) == [16, 32, 48]
