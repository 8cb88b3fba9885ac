"""The verdicts of a sweep as Python values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import pandas as pd

    from tcray.results.analysis import Results


@dataclass(frozen=True)
class Verdict:
    """One verdict: a claim on one dataset and stratum, in words."""

    claim: str
    dataset: str
    source: str
    stratum: Mapping[str, Any]
    verdict: str
    p_value: float | None
    units: int
    sentence: str


class Verdicts(Sequence[Verdict]):
    """The verdicts of a sweep; a list that notebooks display as a table."""

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        """Keep the verdicts in the order of the sweep file."""
        self._verdicts = tuple(verdicts)

    @classmethod
    def of(cls, results: Results) -> Verdicts:
        """Return the verdicts of analyzed results."""
        from tcray.results.output.verdict_text import select_verdicts

        return cls(
            [
                Verdict(
                    claim=claim,
                    dataset=finding.measured.dataset,
                    source=finding.measured.source,
                    stratum=dict(finding.measured.stratum),
                    verdict=finding.verdict,
                    p_value=finding.p_adjusted,
                    units=finding.measured.n_units,
                    sentence=finding.sentence,
                )
                for claim in results.sweep.claims
                for finding in select_verdicts(claim, results)
            ]
        )

    def __len__(self) -> int:
        return len(self._verdicts)

    @overload
    def __getitem__(self, index: int) -> Verdict: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Verdict]: ...
    def __getitem__(self, index: int | slice) -> Verdict | Sequence[Verdict]:
        return self._verdicts[index]

    def __iter__(self) -> Iterator[Verdict]:
        return iter(self._verdicts)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per verdict as a pandas DataFrame."""
        import pandas as pd

        rows = [{**vars(v), "stratum": _stratum(v.stratum)} for v in self._verdicts]
        return pd.DataFrame(rows, columns=[field.name for field in fields(Verdict)])

    def __repr__(self) -> str:
        if not self._verdicts:
            return "no claims"
        return "\n".join(
            f"{v.verdict.upper()}  {v.claim}: {v.dataset}{', ' if v.stratum else ''}{_stratum(v.stratum)}. {v.sentence}"
            for v in self._verdicts
        )

    def _repr_html_(self) -> str:
        if not self._verdicts:
            return "<p>The sweep states no claims.</p>"
        head = "".join(
            f"<th style='text-align:left'>{name}</th>" for name in ("claim", "dataset", "stratum", "verdict", "")
        )
        rows = "".join(
            "<tr>"
            + "".join(
                f"<td style='text-align:left'>{escape(text)}</td>"
                for text in (v.claim, f"{v.dataset} (twin)" if v.source == "twin" else v.dataset, _stratum(v.stratum))
            )
            + f"<td style='text-align:left'><b>{escape(v.verdict)}</b></td>"
            + f"<td style='text-align:left;white-space:normal'>{escape(v.sentence)}</td></tr>"
            for v in self._verdicts
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _stratum(levels: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={level}" for name, level in levels.items())
