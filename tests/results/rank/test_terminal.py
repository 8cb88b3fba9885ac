"""Where curves are best."""

from __future__ import annotations

from tcray.results.rank.terminal import show_optima
from tests.results.output.terminal.printed import shown
from tests.results.specimens import RANKS, a_profile

OPTIMA = """\
                                      by its  in truth, with
best rank                test metric    mean  95 %
────────────────────────────────────────────────────────────
mosi, conditioning=none  MAE               3  2–4
mosi (twin)              MAE               3  1–2, 8
mosi, conditioning=jwae  MAE               3  any

                                                     by its  in truth, with
best rate of audio dropout in training  test metric    mean  95 %
───────────────────────────────────────────────────────────────────────────
mosi, conditioning=none                 MAE             0.3  0.3

"""


def test_where_a_curve_is_best() -> None:
    """By the mean, and in truth with 95 %; of the metric that bears verdicts alone, and of curves that have a best."""
    profiles = [
        a_profile(),
        a_profile(optimum_set=(1, 2, 8), source="twin", stratum={}),
        a_profile(optimum_set=RANKS, stratum={"conditioning": "jwae"}),
        a_profile(purpose="train", metric="train.loss"),
        a_profile(optimum=None),
        a_profile(factor="modality_dropout.audio", levels=(0.0, 0.3), optimum=0.3, optimum_set=(0.3,)),
    ]
    assert OPTIMA == shown(show_optima, profiles)


def test_whether_the_best_is_between_the_ends() -> None:
    """With its p-value, and that of two lines where there is room."""
    profiles = [a_profile(p_peak=0.012, p_two_lines=0.2)]
    heads, names, _, mosi, *_ = shown(show_optima, profiles, 100).splitlines()
    assert heads.split()[-4:] == ["between", "the", "two", "lines,"]
    assert names.split()[-3:] == ["ends,", "p", "p"]
    assert mosi.split() == ["mosi,", "conditioning=none", "MAE", "3", "2–4", "0.012", "0.200"]
