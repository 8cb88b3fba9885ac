"""Plates of the ordered factors: a test metric over the levels, train and test loss, and further test metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tcray.claims.units import LINEAR
from tcray.claims.wording import capitalised
from tcray.config.messages import join_words
from tcray.results.analysis import Results
from tcray.results.display.grouping import grouped
from tcray.results.display.labels import (
    factor_label,
    metric_label,
    number_label,
    place_label,
    plural,
    stratum_label,
)
from tcray.results.display.panels import Panel, PanelGroup, panel_name, panel_title, units_words
from tcray.results.rank.analysis import (
    AUDIO_DROPOUT,
    BEST_RANKS,
    DROPOUT_CLAIM,
    RANK,
    RANK_CLAIM,
    WORST_RATES,
    Profile,
)
from tcray.results.rank.figure import (
    Claimed,
    beyond,
    loss_figure,
    loss_limits,
    profile_figure,
    profile_limits,
    profile_words,
    shown_references,
)
from tcray.statistics.estimate import defined

TOPICS: Mapping[str, str] = {
    RANK: RANK_CLAIM,
    AUDIO_DROPOUT: DROPOUT_CLAIM,
    "prior_strength": "prior-strength",
}

CLAIMED: Mapping[str, tuple[str, Claimed]] = {
    RANK: (RANK_CLAIM, Claimed(BEST_RANKS, "best")),
    AUDIO_DROPOUT: (DROPOUT_CLAIM, Claimed(WORST_RATES, "worst")),
}
"""The levels that a claim names in advance, by factor."""

CONSTANTS = ("median", "majority")

FURTHER = "Further test metrics"

MANY = 4
"""Strata of a factor; of more only the primary metric is drawn."""


def topic_of(factor: str) -> str:
    """The section that a factor's profiles belong to."""
    return TOPICS.get(factor, factor)


def profile_plates(results: Results) -> Iterator[PanelGroup]:
    """Of every factor and dataset: the primary test metric, train and test loss, further ones; strata side by side."""
    for group in grouped(results.profiles, lambda profile: (profile.factor, profile.dataset, profile.source)).values():
        primary = [profile for profile in group if profile.purpose == "generalisation"]
        yield _metric_plate(results, primary, note=_left_to_table(primary))
        if len(primary) <= MANY:
            losses = [profile for profile in group if profile.purpose in ("train", "gap")]
            if losses:
                yield _loss_plate(losses)
            for metric in dict.fromkeys(profile.metric for profile in group if profile.purpose == "secondary"):
                plate = _metric_plate(results, [profile for profile in group if profile.metric == metric])
                yield replace(plate, drawer=FURTHER)


def _left_to_table(primary: Sequence[Profile]) -> str:
    """Said where so many strata have more figures than anyone looks at."""
    if len(primary) <= MANY:
        return ""
    return f"Train loss, gap and further metrics of so many strata ({len(primary)}) are in the table alone."


def _metric_plate(results: Results, profiles: Sequence[Profile], *, note: str = "") -> PanelGroup:
    first = profiles[0]
    complete = [profile for profile in profiles if len(profile.values)]
    references = _references(results, first.dataset, first.metric)
    shown = shown_references(references, complete) if complete else {}
    limits = profile_limits(complete, shown) if complete else None
    claim, claimed = CLAIMED.get(first.factor, ("", None))
    named = claimed if claim in results.sweep.claims and first.purpose == "generalisation" else None
    panels = []
    for profile in complete:
        of = (profile.dataset, profile.source, profile.stratum)
        draw = partial(profile_figure, profile, panel_title(*of), references=shown, claimed=named, limits=limits)
        panels.append(Panel(panel_name(*of, metric_label(profile.metric)), profile_words(profile), draw))
    caption = " ".join(_metric_caption(complete, named, references)) if complete else ""
    if limits and (far := beyond(complete, limits)):
        lie = "lies" if far == 1 else "lie"
        caption += f" {plural(far, 'point')} of single {first.unit}s {lie} off the scale."
    notes = tuple(filter(None, (*_incomplete(profiles), note)))
    return PanelGroup(topic_of(first.factor), first.dataset, first.source, caption, tuple(panels), notes)


def _metric_caption(
    profiles: Sequence[Profile], claimed: Claimed | None, references: Mapping[str, float]
) -> Iterator[str]:
    """The estimand, and how the panels are read."""
    first = profiles[0]
    yield f"{capitalised(metric_label(first.metric))} against {factor_label(first.factor)}, {_configured(first)}."
    yield units_words(max(len(profile.values) for profile in profiles), first.unit)
    yield "The dark line is their mean, bars its 95 % interval over retraining (on this test set)."
    if any(profile.optimum is not None for profile in profiles):
        yield "Filled points and ◆ along the foot: the optimum set, which has the true optimum with 95 % confidence."
    if claimed and claimed.extremum == "worst":
        yield "▼ along the head: the set that has the true worst level with 95 % confidence."
    if claimed:
        yield f"Shaded: where the claim said in advance that the {claimed.extremum} level lies, {claimed.region}."
    shown = shown_references(references, profiles)
    if shown:
        yield f"Dashed: {_told(shown)}."
    far = {name: value for name, value in references.items() if name not in shown}
    if far:
        yield f"Off the scale: {_told(far)}."


def _told(references: Mapping[str, float]) -> str:
    return join_words([f"{name} ({number_label(value)})" for name, value in references.items()], "and")


def _configured(profile: Profile) -> str:
    return "each level at its own best configuration" if profile.tuned else "all levels at one configuration"


def _references(results: Results, dataset: str, metric: str) -> dict[str, float]:
    """The linear model's and the constant's value of a metric, where they have one."""
    rows = results.manifest["references"].get(dataset, ())
    wanted = [row for row in rows if row["name"] in (*LINEAR, *CONSTANTS)]
    return {row["name"]: value for row in wanted if (value := defined(row["metrics"].get(metric))) is not None}


def _incomplete(profiles: Sequence[Profile]) -> Iterator[str]:
    for profile in profiles:
        what = f"{place_label(profile)}, {metric_label(profile.metric)}"
        if not len(profile.values):
            yield f"{what}: no {profile.unit} is complete over all levels, so nothing is drawn."
        elif profile.dropped:
            yield f"{what}: {plural(profile.dropped, profile.unit)} left out, for want of a complete run at some level."


def _loss_plate(profiles: Sequence[Profile]) -> PanelGroup:
    """Train and test loss of every stratum."""
    first = profiles[0]
    strata: dict[str, dict[str, Profile]] = {}
    for profile in profiles:
        if len(profile.values):
            strata.setdefault(stratum_label(profile.stratum), {})[profile.purpose] = profile
    panels = []
    limits = loss_limits([(by_purpose.get("train"), by_purpose.get("gap")) for by_purpose in strata.values()])
    for by_purpose in strata.values():
        known = next(iter(by_purpose.values()))
        of: tuple[str, str, Mapping[str, Any]] = (known.dataset, known.source, known.stratum)
        draw = partial(loss_figure, by_purpose.get("train"), by_purpose.get("gap"), panel_title(*of), limits=limits)
        words = " ".join(profile_words(profile) for profile in by_purpose.values())
        panels.append(Panel(panel_name(*of, "train and test loss"), words, draw))
    caption = (
        f"Train loss and test loss at the last epoch against {factor_label(first.factor)}, {_configured(first)}; the "
        "shaded distance is the generalisation gap. Means with 95 % intervals over retraining."
    )
    if first.tuned:
        caption += " Since every level has its own configuration, neither curve may be laid to the level alone."
    return PanelGroup(
        topic_of(first.factor), first.dataset, first.source, caption, tuple(panels), tuple(_incomplete(profiles))
    )
