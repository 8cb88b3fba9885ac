"""The order in which results are shown."""

from __future__ import annotations

from dataclasses import replace

from tcray.results.views.arrangement import arranged
from tests.results.recorded import MUSTARD
from tests.results.views.specimens import RANKS, a_component, a_contribution, a_profile, a_robustness, full_results


def test_levels_come_as_the_sweep_file_lists_them():
    """Rank 2 before rank 12, and the plain fusion before the one with a prior."""
    shown = arranged(full_results()).robustness
    assert [(2, "none"), (2, "jwae"), (12, "none"), (12, "jwae")] == list(
        dict.fromkeys((part.stratum["rank"], part.stratum["conditioning"]) for part in shown)
    )


def test_datasets_come_as_the_sweep_file_lists_them():
    """Whatever order the parts were made in; one that was left out is last."""
    parts = (a_profile(MUSTARD), a_profile(dataset="elsewhere"), a_profile())
    shown = arranged(full_results(profiles=parts)).profiles
    assert ["mosi", "mustard", "elsewhere"] == [part.dataset for part in shown]


def test_findings_of_a_stratum_keep_their_order():
    """Components come as their claim names them."""
    whole = full_results()
    finding = whole.findings[0]
    named = [
        replace(finding, measured=a_component("rank-generalisation", name, stratum={"rank": rank}))
        for rank in reversed(RANKS)
        for name in ("b", "a")
    ]
    shown = arranged(replace(whole, findings=tuple(named))).findings
    assert [(rank, name) for rank in RANKS for name in ("b", "a")] == [
        (one.measured.stratum["rank"], one.measured.component) for one in shown
    ]


def test_subsets_come_by_size():
    """A sweep file lists none of them."""
    whole = full_results()
    sweep = replace(whole.sweep, factors={"modalities": "subsets"})
    subsets = ("text+audio", "text", "audio")
    parts = tuple(a_robustness(MUSTARD, 2, "none", "fgsm", stratum={"modalities": subset}) for subset in subsets)
    shown = arranged(replace(whole, sweep=sweep, robustness=parts, contributions=(a_contribution(),))).robustness
    assert ["audio", "text", "text+audio"] == [part.stratum["modalities"] for part in shown]
