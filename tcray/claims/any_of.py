"""A component that holds if one of several effects does: which speaks for them, and what is paid for choosing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tcray.claims.effect import phrase_unreachable
from tcray.claims.verdicts import ComponentTest
from tcray.claims.wording import phrase_intervals, phrase_signed
from tcray.statistics.multiplicity import holm


def any_of(
    component: ComponentTest,
    parts: Mapping[str, ComponentTest],
    *,
    sign: int,
    some: str,
    none: str,
    alpha: float,
    groups: str,
) -> ComponentTest:
    """`component` with the numbers of the part that decides, p-values being Holm-adjusted over the parts.

    That is the part best borne out, if it is; else the one of those still open, and if none is, of all, that is nearest
    to holding. The whole is negligible, or opposed, if every part is, so that its p-value is their largest. Intervals
    stay the part's own: they are not widened for its having been chosen.

    parts       what was measured of each, by name; one that is not testable leaves the whole so
    sign        of the effects that are claimed
    some, none  begin the sentences that some part may hold and that none does, as `Whether a modality is weak` and
                `No modality is weak`
    alpha       what adjusted p-values are held against
    groups      what test examples are grouped by, as `video`
    """
    if untestable := next((part for part in parts.values() if part.reason), None):
        return replace(untestable, estimand=component.estimand)
    raw = {name: 1.0 if part.p_supports is None else part.p_supports for name, part in parts.items()}
    adjusted = {name: 1.0 if p is None else p for name, p in zip(raw, holm(list(raw.values())), strict=True)}
    candidates = [name for name in parts if adjusted[name] <= alpha]
    candidates = candidates or [name for name, part in parts.items() if not part.negligible] or list(parts)
    name = min(candidates, key=lambda one: (adjusted[one], raw[one], -sign * (parts[one].estimate or 0.0)))
    chosen = parts[name]
    assert chosen.estimate is not None
    assert chosen.ci_retraining is not None
    measured = f"the effect is {phrase_signed(chosen.estimate)} ({phrase_intervals(chosen.ci_retraining, chosen.ci_people, groups)})"
    open_ = chosen.sentences["inconclusive"]
    if raw[name] == 1 and len(parts) > 1:
        assert chosen.margin is not None
        beyond = "" if chosen.units_needed else phrase_unreachable(chosen.unit, groups, chosen.margin)
        open_ = f"{some} is open for {name}: {measured}{beyond}."
    elif raw[name] <= alpha < adjusted[name]:
        held = chosen.sentences["supported"].removesuffix(".")
        open_ = f"{held}, but the best of {len(parts)} that were looked at may be so by chance."
    return replace(
        chosen,
        estimand=component.estimand,
        p_supports=adjusted[name],
        p_opposes=max(1.0 if part.p_opposes is None else part.p_opposes for part in parts.values()),
        p_negligible=max(1.0 if part.p_negligible is None else part.p_negligible for part in parts.values()),
        sentences={
            **chosen.sentences,
            "contradicted": f"{none}; the nearest is {name}: {measured}.",
            "inconclusive": open_,
        },
        details={"chosen": name, "parts": {one: _numbers(part, adjusted[one]) for one, part in parts.items()}},
    )


def _numbers(part: ComponentTest, adjusted: float) -> dict[str, object]:
    """What a part came to, in JSON's types."""
    return {
        "estimate": part.estimate,
        "ci_retraining": part.ci_retraining and [part.ci_retraining.low, part.ci_retraining.high],
        "ci_people": part.ci_people and [part.ci_people.low, part.ci_people.high],
        "p_value": part.p_supports,
        "p_adjusted": adjusted,
        "p_negligible": part.p_negligible,
    }
