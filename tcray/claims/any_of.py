"""Components that are supported if one of several effects is: selection of the effect, corrected for choosing it."""

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
    """Return `component` with the numbers of the deciding part; p-values are Holm-adjusted over the parts.

    The deciding part is the one with the smallest adjusted p-value if that is significant. Otherwise it is the part
    closest to significance among those not shown to be negligible, or among all parts if every part is negligible. The
    whole is negligible, or opposed, if every part is, so its p-value is the largest of theirs. Intervals are those of
    the chosen part and are not widened for the choice.

    Args:
        component: the component without numbers.
        parts: the test of each part, by name; if one of them is not testable, neither is the whole.
        sign: direction of the claimed effects.
        some: start of the sentence that some part may be supported, such as `It is open whether a modality is weak`.
        none: start of the sentence that no part is supported, such as `No modality is weak`.
        alpha: level with which adjusted p-values are compared.
        groups: what test examples are grouped by, such as `video`.
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
    intervals = phrase_intervals(chosen.ci_retraining, chosen.ci_people, groups)
    measured = f"the effect is {phrase_signed(chosen.estimate)} ({intervals})"
    inconclusive = chosen.sentences["inconclusive"]
    if raw[name] == 1 and len(parts) > 1:
        assert chosen.margin is not None
        beyond = "" if chosen.units_needed else phrase_unreachable(chosen.unit, groups, chosen.margin)
        inconclusive = f"{some}; the nearest is {name}: {measured}{beyond}."
    elif raw[name] <= alpha < adjusted[name]:
        supported = chosen.sentences["supported"].removesuffix(".")
        inconclusive = (
            f"{supported}, but it is the best of {len(parts)}, and the best of {len(parts)} can be so by chance."
        )
    return replace(
        chosen,
        estimand=component.estimand,
        p_supports=adjusted[name],
        p_opposes=max(1.0 if part.p_opposes is None else part.p_opposes for part in parts.values()),
        p_negligible=max(1.0 if part.p_negligible is None else part.p_negligible for part in parts.values()),
        sentences={
            **chosen.sentences,
            "contradicted": f"{none}; the nearest is {name}: {measured}.",
            "inconclusive": inconclusive,
        },
        details={"chosen": name, "parts": {one: _numbers(part, adjusted[one]) for one, part in parts.items()}},
    )


def _numbers(part: ComponentTest, adjusted: float) -> dict[str, object]:
    """Return the numbers of a part in JSON's types."""
    return {
        "estimate": part.estimate,
        "ci_retraining": part.ci_retraining and [part.ci_retraining.low, part.ci_retraining.high],
        "ci_people": part.ci_people and [part.ci_people.low, part.ci_people.high],
        "p_value": part.p_supports,
        "p_adjusted": adjusted,
        "p_negligible": part.p_negligible,
    }
