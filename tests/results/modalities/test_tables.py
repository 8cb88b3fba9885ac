"""Tables of the modalities' contributions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tcray.results.modalities.analysis import Contribution
from tcray.results.modalities.tables import build_modality_tables
from tcray.statistics.shapley_values import shapley
from tests.results.factories import make_contribution
from tests.results.output.terminal.fakes import tables_to_text

TABLES = """\
mosi (twin), trained on each subset: Shapley value by modality in test MAE
gained, over 2 repeats
                        95 % over              95 % over   share of        p
modality       φ       retraining  retraining and people  the total  (φ = 0)
────────────────────────────────────────────────────────────────────────────
text      +0.200  −1.071 to 1.471                      –       100%    0.295
audio      0.000   0.000 to 0.000                      –         0%    1.000
Order: text ≥ audio (> if the difference is significant after Holm's
correction). Asymmetry index (max φ − min φ) / Σ |φ|: 1.000.

mosi (twin), rest missing at test: reliance by modality in test MAE gained, over
1 repeat
                   95 % over              95 % over   share of        p
modality       φ  retraining  retraining and people  the total  (φ = 0)
───────────────────────────────────────────────────────────────────────
text      +0.400           –                      –       100%        –
audio      0.000           –                      –         0%        –
Order: text ≥ audio (> if the difference is significant after Holm's
correction). Asymmetry index (max φ − min φ) / Σ |φ|: 1.000.

mosi (real), rank=4, trained on each subset: Shapley value by modality in test
MAE gained, over 1 repeat
                   95 % over              95 % over   share of        p
modality       φ  retraining  retraining and people  the total  (φ = 0)
───────────────────────────────────────────────────────────────────────
text      +0.500           –                      –       100%        –
audio      0.000           –                      –         0%        –
Order: text ≥ audio (> if the difference is significant after Holm's
correction). Asymmetry index (max φ − min φ) / Σ |φ|: 1.000.

"""


def contribution_of_text(kind: str, values: ArrayLike, **changes: Any) -> Contribution:
    """Return a contribution in which text alone has these values, one per unit, and audio has none."""
    text, known = frozenset({"text"}), np.asarray(values, np.float64)
    game = {frozenset[str](): 0 * known, text: known, frozenset({"audio"}): 0 * known, text | {"audio"}: known}
    return make_contribution(kind=kind, shapley=shapley(game), **{"source": "twin", **changes})


def test_each_contribution_has_a_table():
    """Intervals need several units: 0.2 ± tan(0.475 π) · 0.1 = 0.2 ± 1.271."""
    contributions = [
        contribution_of_text("retrained", [0.1, 0.3], n_units=2),
        contribution_of_text("inference", 0.4, n_units=1),
        contribution_of_text("retrained", 0.5, source="real", stratum={"rank": 4}, n_units=1),
    ]
    assert TABLES == tables_to_text(build_modality_tables(contributions))


def test_without_contributions_there_is_no_table():
    """Nothing is printed."""
    assert [] == list(build_modality_tables([]))
