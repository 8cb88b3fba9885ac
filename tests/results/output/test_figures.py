"""Figures of full and of empty results."""

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
    """Return matplotlib's settings before any drawing."""
    return dict(mpl.rcParams)


@pytest.fixture(scope="module")
def figures(settings: dict[str, Any]) -> dict[str, Figure]:
    """Return the figures of results with every part."""
    return draw_figures(make_full_results())


def test_every_part_has_its_figures(figures: dict[str, Figure]):
    """Figure names begin with the claim and label real and twin data."""
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


def test_figures_do_not_change_matplotlib_settings(settings: dict[str, Any], figures: dict[str, Figure]):
    """Matplotlib's global settings are the same after drawing."""
    assert settings == dict(mpl.rcParams)


def test_without_complete_runs_there_are_no_figures():
    """Empty results give no figures and no error."""
    assert {} == draw_figures(make_empty_results())


def test_units_have_lines_and_levels_of_the_optimum_set_have_marks():
    """Units are translucent lines over all ranks, and the optimum set has diamonds."""
    figure = draw_profile(make_profile(), "mosi")
    lines = figure.axes[0].get_lines()
    faint = [line for line in lines if line.get_alpha() is not None]
    assert UNITS == sum(len(np.asarray(line.get_xdata())) == len(RANKS) for line in faint)
    diamonds = [line for line in lines if line.get_marker() == "D"]
    assert [np.log2([2, 3, 4]).tolist()] == [np.asarray(line.get_xdata()).tolist() for line in diamonds]


def test_a_profile_without_a_test_marks_no_optimum():
    """Without a test the optimum set contains all levels, so nothing is marked."""
    figure = draw_profile(make_profile(optimum=None, optimum_set=RANKS), "mosi")
    assert not [line for line in figure.axes[0].get_lines() if line.get_marker() == "D"]


def test_the_worst_set_is_shown_for_a_claim_about_the_worst_level():
    """The claim on audio dropout is about the worst rate, so the worst set has triangles."""
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
    """The curve of the test loss is train loss plus gap."""
    train, gap = make_profiles(MOSI)[1:3]
    lines = draw_losses(train, gap, "mosi").axes[0].get_lines()
    curves = [np.asarray(line.get_ydata()).tolist() for line in lines]
    assert [pytest.approx(list((train.values + gap.values).mean(0)))] == [
        numbers for numbers in curves[1:] if numbers == pytest.approx(list((train.values + gap.values).mean(0)))
    ][:1]


def test_a_distant_baseline_is_not_drawn():
    """A distant baseline would compress the rest of the axis; the caption states its value."""
    assert {"ridge: all": 0.97} == visible_baselines({"median": 1.4, "ridge: all": 0.97}, [make_profile()])


def test_a_collapsed_unit_does_not_stretch_the_axis():
    """Values outside of Tukey's outer fences do not extend the axis; intervals always do."""
    values = [*np.linspace(0.9, 1.0, 21), 5.0]
    assert (0.9, 1.0) == data_limits(values, [Estimate(0.95, 0.01)])
    assert (0.5, 1.5) == data_limits(values, [Estimate(1.0, 0.5), Estimate(0.95)])


def test_positions_of_levels():
    """Ranks are placed by logarithm, rates by value, and zero with magnitudes, or names, in even steps."""
    assert (0.0, 1.0, 2.0, 3.0) == LevelAxis.of((1, 2, 4, 8)).positions
    assert (0.0, 0.1, 0.9) == LevelAxis.of((0, 0.1, 0.9)).positions
    assert (0.0, 1.0, 2.0, 3.0, 4.0) == LevelAxis.of((0, 0.1, 1, 10, 100)).positions
    assert (0.0, 1.0) == LevelAxis.of(("none", "jwae")).positions


def test_a_range_of_levels_ends_halfway_to_the_next_level():
    """At an end of the axis the range extends by half a step."""
    levels = LevelAxis.of((1, 2, 3, 4))
    assert ((1.5, 3.5), (0.5, 1.5)) == (levels.edges((2, 3)), levels.edges((1,)))


def test_every_color_of_a_figure_has_a_css_variable():
    """The report replaces each color in the dark color scheme."""
    assert set(ROLES) >= {*CATEGORIES, *SEQUENCE}
    assert len(set(ROLES.values())) == len(ROLES)


def test_levels_have_colors_from_first_to_last():
    """The first and the last level have the first and the last color of the sequence."""
    assert (SEQUENCE[0], SEQUENCE[-1]) == (level_color(0, 8), level_color(7, 8))


def test_a_figure_can_be_saved_as_png():
    """TensorBoard needs figures as PNG."""
    content = io.BytesIO()
    draw_profile(make_profile(), "mosi").savefig(content, format="png")
    assert b"\x89PNG" == content.getvalue()[:4]
