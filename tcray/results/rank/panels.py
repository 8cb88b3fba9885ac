"""Panels of the ordered factors: a test metric by level, train and test loss, and further test metrics."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from tcray.claims.units import LINEAR_BASELINES
from tcray.claims.wording import capitalize
from tcray.config.messages import join_words
from tcray.results.display.grouping import group_by
from tcray.results.display.labels import (
    format_count,
    format_factor,
    format_metric,
    format_number,
    format_place,
    format_stratum,
)
from tcray.results.display.panels import PanelGroup, build_panel, describe_units
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
    count_beyond,
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
"""The claim about each factor, and the levels that it names in advance."""

CONSTANTS = ("median", "majority")

DETAILS = "Further test metrics"

MANY = 4
"""The largest number of strata for which more than the primary metric is drawn."""

BaselineRows = Mapping[str, Sequence[Mapping[str, Any]]]
"""Rows of the manifest by dataset, each with `name` and `metrics`."""


def topic_of(factor: str) -> str:
    """Return the section to which the profiles of a factor belong."""
    return TOPICS.get(factor, factor)


def build_rank_panels(
    profiles: Sequence[Profile], claims: Collection[str], baselines: BaselineRows
) -> Iterator[PanelGroup]:
    """Yield the panels of each factor and dataset: the primary test metric, losses, further metrics, by stratum."""
    for group in group_by(profiles, lambda profile: (profile.factor, profile.dataset, profile.source)).values():
        primary = [profile for profile in group if profile.purpose == "generalisation"]
        shown = _build_metric_group(primary, claims, baselines)
        if len(primary) > MANY:
            note = f"Train loss, gap and further metrics of all {len(primary)} strata are only in the table."
            yield replace(shown, notes=(*shown.notes, note))
            continue
        yield shown
        losses = [profile for profile in group if profile.purpose in ("train", "gap")]
        if losses:
            yield _build_loss_group(losses)
        for metric in dict.fromkeys(profile.metric for profile in group if profile.purpose == "secondary"):
            own = [profile for profile in group if profile.metric == metric]
            yield replace(_build_metric_group(own, claims, baselines), details=DETAILS)


def _build_metric_group(profiles: Sequence[Profile], claims: Collection[str], baselines: BaselineRows) -> PanelGroup:
    first = profiles[0]
    complete = [profile for profile in profiles if len(profile.values)]
    values = _select_baselines(baselines.get(first.dataset, ()), first.metric)
    shown = visible_baselines(values, complete) if complete else {}
    limits = profile_limits(complete, shown) if complete else None
    claim, claimed = CLAIMED.get(first.factor, ("", None))
    named = claimed if claim in claims and first.purpose == "generalisation" else None
    panels = [
        build_panel(
            (profile.dataset, profile.source, profile.stratum),
            format_metric(profile.metric),
            describe_profile(profile),
            partial(draw_profile, profile, baselines=shown, claimed=named, limits=limits),
        )
        for profile in complete
    ]
    caption = " ".join(_explain_metric(complete, named, values)) if complete else ""
    if limits and (beyond := count_beyond(complete, limits)):
        lie = "lies" if beyond == 1 else "lie"
        caption += f" {format_count(beyond, 'point')} of single {first.unit}s {lie} off the scale."
    notes = tuple(_explain_incomplete(profiles))
    return PanelGroup(topic_of(first.factor), first.dataset, first.source, caption, tuple(panels), notes)


def _explain_metric(
    profiles: Sequence[Profile], claimed: Claimed | None, baselines: Mapping[str, float]
) -> Iterator[str]:
    """Yield the sentences of a caption: the estimand, and how to read the panels."""
    first = profiles[0]
    tuned = _describe_tuning(first)
    yield f"{capitalize(format_metric(first.metric))} against {format_factor(first.factor)}, {tuned}."
    yield describe_units(max(len(profile.values) for profile in profiles), first.unit)
    yield "The dark line is their mean, bars its 95 % interval over retraining (on this test set)."
    if any(profile.optimum is not None for profile in profiles):
        yield "Filled points and ◆ at the bottom: the set that contains the true optimum with 95 % confidence."
    if claimed and claimed.extremum == "worst":
        yield "▼ at the top: the set that contains the true worst level with 95 % confidence."
    if claimed:
        yield f"Shaded: the levels that the claim named in advance as the {claimed.extremum} ones, {claimed.region}."
    shown = visible_baselines(baselines, profiles)
    if shown:
        yield f"Dashed: {_list_baselines(shown)}."
    far = {name: value for name, value in baselines.items() if name not in shown}
    if far:
        yield f"Off the scale: {_list_baselines(far)}."


def _list_baselines(baselines: Mapping[str, float]) -> str:
    return join_words([f"{name} ({format_number(value)})" for name, value in baselines.items()], "and")


def _describe_tuning(profile: Profile) -> str:
    return "each level at its own best configuration" if profile.tuned else "all levels at one configuration"


def _select_baselines(rows: Sequence[Mapping[str, Any]], metric: str) -> dict[str, float]:
    """Return the metric of the linear model and of the constant, if they have it."""
    wanted = [row for row in rows if row["name"] in (*LINEAR_BASELINES, *CONSTANTS)]
    return {row["name"]: value for row in wanted if (value := to_finite(row["metrics"].get(metric))) is not None}


def _explain_incomplete(profiles: Sequence[Profile]) -> Iterator[str]:
    for profile in profiles:
        what = f"{format_place(profile)}, {format_metric(profile.metric)}"
        if not len(profile.values):
            yield f"{what}: no {profile.unit} is complete over all levels, so nothing is drawn."
        elif profile.dropped:
            dropped = format_count(profile.dropped, profile.unit)
            yield f"{what}: {dropped} left out because some level has no complete run."


def _build_loss_group(profiles: Sequence[Profile]) -> PanelGroup:
    """Return the panels of train and test loss, one per stratum."""
    first = profiles[0]
    strata: dict[str, dict[str, Profile]] = {}
    for profile in profiles:
        if len(profile.values):
            strata.setdefault(format_stratum(profile.stratum), {})[profile.purpose] = profile
    panels = []
    limits = loss_limits([(by_purpose.get("train"), by_purpose.get("gap")) for by_purpose in strata.values()])
    for by_purpose in strata.values():
        known = next(iter(by_purpose.values()))
        place = (known.dataset, known.source, known.stratum)
        alt_text = " ".join(map(describe_profile, by_purpose.values()))
        draw = partial(draw_losses, by_purpose.get("train"), by_purpose.get("gap"), limits=limits)
        panels.append(build_panel(place, "train and test loss", alt_text, draw))
    caption = (
        f"Train loss and test loss at the last epoch against {format_factor(first.factor)}, "
        f"{_describe_tuning(first)}; the shaded distance is the generalization gap. Means with 95 % intervals over "
        "retraining."
    )
    if first.tuned:
        caption += " Every level has its own configuration, so neither curve shows the effect of the level alone."
    notes = tuple(_explain_incomplete(profiles))
    return PanelGroup(topic_of(first.factor), first.dataset, first.source, caption, tuple(panels), notes)
