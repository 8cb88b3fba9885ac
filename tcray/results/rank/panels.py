"""Plates of the ordered factors: a test metric over the levels, train and test loss, and further test metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tcray.claims.units import LINEAR_BASELINES
from tcray.claims.wording import capitalize
from tcray.config.messages import join_words
from tcray.results.analysis import Results
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import (
    format_count,
    format_factor,
    format_metric,
    format_number,
    format_place,
    format_stratum,
)
from tcray.results.display.panels import Panel, PanelGroup, describe_units, format_panel_name, format_panel_title
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
    describe_profile,
    draw_losses,
    draw_profile,
    loss_limits,
    profile_limits,
    visible_baselines,
)
from tcray.statistics.estimate import to_finite

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


def rank_panels(results: Results) -> Iterator[PanelGroup]:
    """Of every factor and dataset: the primary test metric, train and test loss, further ones; strata side by side."""
    for group in group_by(results.profiles, lambda profile: (profile.factor, profile.dataset, profile.source)).values():
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
    baselines = _references(results, first.dataset, first.metric)
    shown = visible_baselines(baselines, complete) if complete else {}
    limits = profile_limits(complete, shown) if complete else None
    claim, claimed = CLAIMED.get(first.factor, ("", None))
    named = claimed if claim in results.sweep.claims and first.purpose == "generalisation" else None
    panels = []
    for profile in complete:
        of = (profile.dataset, profile.source, profile.stratum)
        draw = partial(draw_profile, profile, format_panel_title(*of), baselines=shown, claimed=named, limits=limits)
        panels.append(Panel(format_panel_name(*of, format_metric(profile.metric)), describe_profile(profile), draw))
    caption = " ".join(_metric_caption(complete, named, baselines)) if complete else ""
    if limits and (far := beyond(complete, limits)):
        lie = "lies" if far == 1 else "lie"
        caption += f" {format_count(far, 'point')} of single {first.unit}s {lie} off the scale."
    notes = tuple(filter(None, (*_incomplete(profiles), note)))
    return PanelGroup(topic_of(first.factor), first.dataset, first.source, caption, tuple(panels), notes)


def _metric_caption(
    profiles: Sequence[Profile], claimed: Claimed | None, baselines: Mapping[str, float]
) -> Iterator[str]:
    """The estimand, and how the panels are read."""
    first = profiles[0]
    yield f"{capitalize(format_metric(first.metric))} against {format_factor(first.factor)}, {_configured(first)}."
    yield describe_units(max(len(profile.values) for profile in profiles), first.unit)
    yield "The dark line is their mean, bars its 95 % interval over retraining (on this test set)."
    if any(profile.optimum is not None for profile in profiles):
        yield "Filled points and ◆ along the foot: the optimum set, which has the true optimum with 95 % confidence."
    if claimed and claimed.extremum == "worst":
        yield "▼ along the head: the set that has the true worst level with 95 % confidence."
    if claimed:
        yield f"Shaded: where the claim said in advance that the {claimed.extremum} level lies, {claimed.region}."
    shown = visible_baselines(baselines, profiles)
    if shown:
        yield f"Dashed: {_told(shown)}."
    far = {name: value for name, value in baselines.items() if name not in shown}
    if far:
        yield f"Off the scale: {_told(far)}."


def _told(baselines: Mapping[str, float]) -> str:
    return join_words([f"{name} ({format_number(value)})" for name, value in baselines.items()], "and")


def _configured(profile: Profile) -> str:
    return "each level at its own best configuration" if profile.tuned else "all levels at one configuration"


def _references(results: Results, dataset: str, metric: str) -> dict[str, float]:
    """The linear model's and the constant's value of a metric, where they have one."""
    rows = results.manifest["references"].get(dataset, ())
    wanted = [row for row in rows if row["name"] in (*LINEAR_BASELINES, *CONSTANTS)]
    return {row["name"]: value for row in wanted if (value := to_finite(row["metrics"].get(metric))) is not None}


def _incomplete(profiles: Sequence[Profile]) -> Iterator[str]:
    for profile in profiles:
        what = f"{format_place(profile)}, {format_metric(profile.metric)}"
        if not len(profile.values):
            yield f"{what}: no {profile.unit} is complete over all levels, so nothing is drawn."
        elif profile.dropped:
            left_out = format_count(profile.dropped, profile.unit)
            yield f"{what}: {left_out} left out, for want of a complete run at some level."


def _loss_plate(profiles: Sequence[Profile]) -> PanelGroup:
    """Train and test loss of every stratum."""
    first = profiles[0]
    strata: dict[str, dict[str, Profile]] = {}
    for profile in profiles:
        if len(profile.values):
            strata.setdefault(format_stratum(profile.stratum), {})[profile.purpose] = profile
    panels = []
    limits = loss_limits([(by_purpose.get("train"), by_purpose.get("gap")) for by_purpose in strata.values()])
    for by_purpose in strata.values():
        known = next(iter(by_purpose.values()))
        of: tuple[str, str, Mapping[str, Any]] = (known.dataset, known.source, known.stratum)
        draw = partial(
            draw_losses, by_purpose.get("train"), by_purpose.get("gap"), format_panel_title(*of), limits=limits
        )
        words = " ".join(describe_profile(profile) for profile in by_purpose.values())
        panels.append(Panel(format_panel_name(*of, "train and test loss"), words, draw))
    caption = (
        f"Train loss and test loss at the last epoch against {format_factor(first.factor)}, {_configured(first)}; the "
        "shaded distance is the generalisation gap. Means with 95 % intervals over retraining."
    )
    if first.tuned:
        caption += " Since every level has its own configuration, neither curve may be laid to the level alone."
    return PanelGroup(
        topic_of(first.factor), first.dataset, first.source, caption, tuple(panels), tuple(_incomplete(profiles))
    )
