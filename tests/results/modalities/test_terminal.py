"""What modalities are worth."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tcray.results.modalities.analysis import Contribution
from tcray.results.modalities.terminal import show_shares
from tcray.statistics.shapley_values import shapley
from tests.results.output.terminal.printed import shown
from tests.results.specimens import a_contribution

SHARES = """\
Shapley values with 95 % intervals: above 0 where a modality helps
mosi (twin): test MAE
          others left out           others missing
modality  of training               at inference
──────────────────────────────────────────────────
text      +0.200 (−1.071 to 1.471)  +0.400
audio     0.000 (0.000 to 0.000)    0.000

mosi, rank=4: test MAE
          others left out
modality  of training
─────────────────────────
text      +0.500
audio     0.000

"""


def worth(kind: str, values: ArrayLike, **changes: Any) -> Contribution:
    """Text alone is worth something, the same in training and at inference."""
    text, known = frozenset({"text"}), np.asarray(values, np.float64)
    game = {frozenset[str](): 0 * known, text: known, frozenset({"audio"}): 0 * known, text | {"audio"}: known}
    return a_contribution(kind=kind, shapley=shapley(game), **{"source": "twin", **changes})


def test_shares_are_a_table_a_dataset() -> None:
    """With intervals where there are units: 0.2 ± tan(0.475 π) · 0.1 = 0.2 ± 1.271."""
    contributions = [
        worth("retrained", [0.1, 0.3]),
        worth("inference", 0.4),
        worth("retrained", 0.5, source="real", stratum={"rank": 4}),
    ]
    assert SHARES == shown(show_shares, contributions)


def test_nothing_is_said_of_nothing() -> None:
    """Not even the heading."""
    assert "" == shown(show_shares, [])
