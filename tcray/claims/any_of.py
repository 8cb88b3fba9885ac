"""A component that holds if one of several effects does: which speaks for them, and what is paid for choosing it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tcray.claims.effect import beyond_units
from tcray.claims.verdicts import ComponentTest
from tcray.claims.wording import signed, spans
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
    raw = {name: 1.0 if part.holds is None else part.holds for name, part in parts.items()}
    adjusted = {name: 1.0 if p is None else p for name, p in zip(raw, holm(list(raw.values())), strict=True)}
    candidates = [name for name in parts if adjusted[name] <= alpha]
    candidates = candidates or [name for name, part in parts.items() if not part.negligible] or list(parts)
    name = min(candidates, key=lambda one: (adjusted[one], raw[one], -sign * (parts[one].estimate or 0.0)))
    chosen = parts[name]
    assert chosen.estimate is not None
    assert chosen.retraining is not None
    measured = f"the effect is {signed(chosen.estimate)} ({spans(chosen.retraining, chosen.people, groups)})"
    open_ = chosen.says["inconclusive"]
    if raw[name] == 1 and len(parts) > 1:
        assert chosen.margin is not None
        beyond = "" if chosen.units_needed else beyond_units(chosen.unit, groups, chosen.margin)
        open_ = f"{some} is open for {name}: {measured}{beyond}."
    elif raw[name] <= alpha < adjusted[name]:
        held = chosen.says["supported"].removesuffix(".")
        open_ = f"{held}, but the best of {len(parts)} that were looked at may be so by chance."
    return replace(
        chosen,
        estimand=component.estimand,
        holds=adjusted[name],
        opposes=max(1.0 if part.opposes is None else part.opposes for part in parts.values()),
        p_negligible=max(1.0 if part.p_negligible is None else part.p_negligible for part in parts.values()),
        says={
            **chosen.says,
            "contradicted": f"{none}; the nearest is {name}: {measured}.",
            "inconclusive": open_,
        },
        details={"chosen": name, "parts": {one: _numbers(part, adjusted[one]) for one, part in parts.items()}},
    )


def _numbers(part: ComponentTest, adjusted: float) -> dict[str, object]:
    """What a part came to, in JSON's types."""
    return {
        "estimate": part.estimate,
        "retraining": part.retraining and [part.retraining.low, part.retraining.high],
        "people": part.people and [part.people.low, part.people.high],
        "p_value": part.holds,
        "p_adjusted": adjusted,
        "p_negligible": part.p_negligible,
    }
