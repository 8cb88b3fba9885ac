"""The figures: what they draw, and that they can be drawn whatever there is."""

from __future__ import annotations

import io
from itertools import product
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from tcray.results.display.canvas import data_limits
from tcray.results.display.level_axis import LevelAxis
from tcray.results.display.palette import CATEGORIES, ROLES, SEQUENCE, level_color
from tcray.results.output.figures import draw_figures
from tcray.results.rank.figure import Claimed, draw_losses, draw_profile, visible_baselines
from tcray.results.rank.location import Region
from tcray.statistics.estimate import Estimate
from tests.claims.factories import MOSI
from tests.results.factories import RANKS, UNITS, make_empty_results, make_full_results, make_profile, make_profiles


@pytest.fixture(scope="module")
def settings() -> dict[Any, Any]:
    """Matplotlib's, before anything was drawn."""
    return dict(mpl.rcParams)


@pytest.fixture(scope="module")
def figures(settings: dict[str, Any]) -> dict[str, Figure]:
    """Of results with every part."""
    return draw_figures(make_full_results())


def test_every_part_has_its_figures(figures: dict[str, Figure]):
    """Their names begin with the claim, and say whether the data are real."""
    names = set(figures)
    assert names >= {
        f"rank-generalisation/{dataset}/conditioning={arm}/{what}"
        for dataset, arm in product(("mosi (real)", "mustard (twin)"), ("none", "jwae"))
        for what in ("train and test loss", "test MAE" if "mosi" in dataset else "test weighted F1")
    }
    assert names >= {
        "rank-spectrum/mosi (real)/conditioning=none/effective rank",
        "rank-spectrum/mosi (real)/conditioning=none/unfolded along text",
        "rank-spectrum/mosi (real)/conditioning=none/gap against effective rank",
        "conditioning/mosi (real)/jWAE − LMF, test MAE",
        "conditioning/mosi (real)/manipulation check",
        "modal-asymmetry/mosi (real)/Shapley values, trained on each subset",
        "modal-asymmetry/mosi (real)/interactions, rest missing at test",
        "robustness/mosi (real)/conditioning=jwae/FGSM",
        "robustness/mosi (real)/FGSM, relative",
        "robustness/mosi (real)/conditioning=jwae/effective",
        "search/mustard (twin)/history",
        "search/mosi (real)/importance",
        "search/optimism",
    }


def test_figures_leave_matplotlib_as_it_was(settings: dict[str, Any], figures: dict[str, Figure]):
    """No setting has changed."""
    assert settings == dict(mpl.rcParams)


def test_without_complete_runs_there_are_no_figures():
    """And no error."""
    assert {} == draw_figures(make_empty_results())


def test_every_unit_has_a_line_and_every_level_of_the_optimum_set_a_mark():
    """Units are faint lines over all ranks."""
    figure = draw_profile(make_profile(), "mosi")
    lines = figure.axes[0].get_lines()
    faint = [line for line in lines if line.get_alpha() is not None]
    assert UNITS == sum(len(np.asarray(line.get_xdata())) == len(RANKS) for line in faint)
    diamonds = [line for line in lines if line.get_marker() == "D"]
    assert [np.log2([2, 3, 4]).tolist()] == [np.asarray(line.get_xdata()).tolist() for line in diamonds]


def test_a_profile_without_a_test_marks_no_optimum():
    """Its set would hold all levels."""
    figure = draw_profile(make_profile(optimum=None, optimum_set=RANKS), "mosi")
    assert not [line for line in figure.axes[0].get_lines() if line.get_marker() == "D"]


def test_the_worst_set_is_shown_where_a_claim_asks_for_the_worst():
    """As for audio dropout."""
    claimed = Claimed(Region(0.3, 0.5), "worst")
    rates = tuple(rate / 10 for rate in range(8))
    profile = make_profile(
        factor="modality_dropout.audio", levels=rates, optimum=0.3, optimum_set=rates, worst_set=(0.3,)
    )
    triangles = [
        line for line in draw_profile(profile, "mosi", claimed=claimed).axes[0].get_lines() if line.get_marker() == "v"
    ]
    assert [[0.3]] == [np.asarray(line.get_xdata()).tolist() for line in triangles]


def test_a_loss_figure_draws_both_curves():
    """Test loss is train loss and the gap."""
    train, gap = make_profiles(MOSI)[1:3]
    lines = draw_losses(train, gap, "mosi").axes[0].get_lines()
    in_house_style = [np.asarray(line.get_ydata()).tolist() for line in lines]
    assert [pytest.approx(list((train.values + gap.values).mean(0)))] == [
        numbers for numbers in in_house_style[1:] if numbers == pytest.approx(list((train.values + gap.values).mean(0)))
    ][:1]


def test_a_reference_far_off_is_not_drawn():
    """It would make a line of all else; the caption says where it is."""
    assert {"ridge: all": 0.97} == visible_baselines({"median": 1.4, "ridge: all": 0.97}, [make_profile()])


def test_a_collapsed_unit_does_not_stretch_the_axis():
    """It lies outside of Tukey's outer fences; an interval always lies within."""
    values = [*np.linspace(0.9, 1.0, 21), 5.0]
    assert (0.9, 1.0) == data_limits(values, [Estimate(0.95, 0.01)])
    assert (0.5, 1.5) == data_limits(values, [Estimate(1.0, 0.5), Estimate(0.95)])


def test_levels_stand_where_their_size_is_told_best():
    """Ranks by their logarithm, rates by their value, zero and magnitudes or words by even steps."""
    assert (0.0, 1.0, 2.0, 3.0) == LevelAxis.of((1, 2, 4, 8)).positions
    assert (0.0, 0.1, 0.9) == LevelAxis.of((0, 0.1, 0.9)).positions
    assert (0.0, 1.0, 2.0, 3.0, 4.0) == LevelAxis.of((0, 0.1, 1, 10, 100)).positions
    assert (0.0, 1.0) == LevelAxis.of(("none", "jwae")).positions


def test_the_stretch_of_some_levels_ends_half_way_to_the_next():
    """At an end of the axis it goes half a step beyond."""
    levels = LevelAxis.of((1, 2, 3, 4))
    assert ((1.5, 3.5), (0.5, 1.5)) == (levels.edges((2, 3)), levels.edges((1,)))


def test_every_colour_of_a_figure_has_a_role():
    """So that the report can give it another in the dark."""
    assert set(ROLES) >= {*CATEGORIES, *SEQUENCE}
    assert len(set(ROLES.values())) == len(ROLES)


def test_levels_go_from_the_first_colour_to_the_last():
    """In order, however many there are."""
    assert (SEQUENCE[0], SEQUENCE[-1]) == (level_color(0, 8), level_color(7, 8))


def test_a_figure_can_be_an_image():
    """As TensorBoard wants it."""
    content = io.BytesIO()
    draw_profile(make_profile(), "mosi").savefig(content, format="png")
    assert b"\x89PNG" == content.getvalue()[:4]
