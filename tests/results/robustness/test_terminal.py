"""What perturbing the inputs costs."""

from __future__ import annotations

from tcray.results.robustness.terminal import show_robustness
from tcray.statistics.estimate import Estimate
from tests.results.output.terminal.printed import shown
from tests.results.recorded import MOSI
from tests.results.specimens import a_robustness

TABLE = """\
robustness: clean, and the mean over the severities of each corruption
mosi: test MAE
                                   noise  noise
cell                        clean   text  audio    pgd
──────────────────────────────────────────────────────
rank=2, conditioning=none   0.900      –  1.000  2.000
rank=12, conditioning=none  0.900  1.260

"""

CURVES = [
    a_robustness(MOSI, 2, "none", "noise:text", area=Estimate(None)),
    a_robustness(MOSI, 2, "none", "pgd", area=Estimate(2.0)),
    a_robustness(MOSI, 2, "none", "noise:audio", area=Estimate(1.0)),
    a_robustness(MOSI, 2, "none", "missing"),
    a_robustness(MOSI, 12, "none", "noise:text"),
]


def test_robustness_is_a_table_a_dataset() -> None:
    """A row a cell, a column a corruption, noises side by side; one without an order has no mean."""
    assert TABLE == shown(show_robustness, CURVES)


def test_corruptions_that_do_not_fit_are_left_out() -> None:
    """Whatever names the cells is not."""
    said = shown(show_robustness, CURVES, 42)
    assert "rank=12, conditioning=none  0.900  1.260\n" in said
    assert "pgd" not in said


def test_nothing_is_said_of_nothing() -> None:
    """Not even the heading."""
    assert "" == shown(show_robustness, [])
