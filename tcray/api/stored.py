"""A sweep in a trial store: its runs, best configurations, verdicts, figures and models."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from tcray.api.verdicts import Verdicts
from tcray.config.sweep import Sweep
from tcray.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from matplotlib.figure import Figure

    from tcray.api.model import StoredModel
    from tcray.results.analysis import Results
    from tcray.results.ranking.analysis import DatasetTable
    from tcray.store.store import SweepStore


class StoredSweep:
    """A sweep in a trial store: its runs, verdicts, figures and models.

    Results are computed from the store when they are first asked for, and kept.
    """

    def __init__(self, store: SweepStore) -> None:
        """Wrap the sweep's part of a store."""
        self._store = store

    def __repr__(self) -> str:
        return f"<StoredSweep {self.id}>"

    @property
    def id(self) -> str:
        """The sweep's id in its store."""
        return self._store.sweep_id

    @property
    def store_uri(self) -> str:
        """The absolute path or URI of the store that holds it."""
        return self._store.uri

    @property
    def manifest(self) -> Mapping[str, Any]:
        """The sweep's `manifest.json`: the question, the data and the versions that ran it."""
        return self._store.read_manifest()

    @property
    def sweep(self) -> Sweep:
        """The sweep as it was run."""
        return Sweep.from_document(self.manifest["sweep"])

    @overload
    def runs(self) -> pd.DataFrame: ...
    @overload
    def runs(self, as_: Literal["pandas"]) -> pd.DataFrame: ...
    @overload
    def runs(self, as_: Literal["arrow"]) -> pa.Table: ...
    def runs(self, as_: Literal["pandas", "arrow"] = "pandas") -> pd.DataFrame | pa.Table:
        """Return one row per finished run, with flat columns.

        Columns are `run_id`, `phase`, `state`, `dataset`, `cell`, …, then hyperparameters, then metrics such as
        `test.mae` (measured at the epoch that is best on validation) and `last.test.mae` (at the last epoch).

        Args:
            as_: `pandas` for a DataFrame, `arrow` for a pyarrow Table.
        """
        from tcray.store.trials import Trials, to_table

        trials = Trials.read(self._store)
        table = to_table(trials.records, trials.names)
        if as_ == "arrow":
            return table
        if as_ == "pandas":
            return table.to_pandas()
        raise InputError(f"runs(as_={as_!r}): expected 'pandas' or 'arrow'", "Pass one of the two.")

    def best(self, dataset: str) -> pd.DataFrame:
        """Return the chosen configuration of every cell of a dataset with its confirm metrics, best first.

        One row per cell: factor levels, the tuned hyperparameters that the repeat with the best validation chose, and
        means over repeats of the objective and the test metrics. The order is that of validation.
        """
        import pandas as pd

        from tcray.claims.units import group_confirm_runs, mean_over_runs
        from tcray.store.trials import read_records

        table = self._table(dataset)
        sweep = self.sweep
        of_cell: dict[str, list[dict[str, Any]]] = {}
        for record in read_records(self._store):
            if record["dataset"] == dataset:
                of_cell.setdefault(record["cell"], []).append(record)
        maximize = _maximizes(sweep.objective)
        rows = []
        for row in table.rows:
            values = {metric: estimate.mean for metric, estimate in row.values.items()}
            repeats = [
                (mean_over_runs(r, sweep.objective), r[0]) for r in group_confirm_runs(of_cell.get(row.name, ()))
            ]
            known = [(value, first) for value, first in repeats if value is not None]
            chosen = (max if maximize else min)(known, key=lambda pair: pair[0], default=(None, {}))[1]
            tuned = {name: chosen.get(name) for name in sweep.tune}
            rows.append({"cell": row.name, **row.levels, **tuned, "repeats": row.repeats, **values})
        return pd.DataFrame(rows)

    def ranking(self, dataset: str) -> pd.DataFrame:
        """Return the ranking table of a dataset: cells, best first on validation, then baselines.

        For every metric there is a column with the mean over units and one, `± <metric>`, with half the 95 % interval.
        """
        import pandas as pd

        table = self._table(dataset)
        rows = []
        for kind, of_kind in (("cell", table.rows), ("baseline", table.baselines)):
            for row in of_kind:
                values: dict[str, float | None] = {}
                for metric, estimate in row.values.items():
                    values |= {metric: estimate.mean, f"± {metric}": estimate.half_width}
                rows.append({"kind": kind, "name": row.name, **row.levels, **values})
        return pd.DataFrame(rows)

    @property
    def verdicts(self) -> Verdicts:
        """The verdicts of the sweep's claims, one per claim, dataset and stratum."""
        return Verdicts.of(self.results)

    def figure(self, topic: str, dataset: str) -> Figure:
        """Return the first figure of a topic on a dataset, as a matplotlib Figure.

        Args:
            topic: a claim such as `rank-generalisation`, a factor such as `rank`, or a topic of the report.
            dataset: name of the dataset.

        Raises:
            tcray.errors.InputError: if there is no such figure; the available ones are listed.
        """
        return next(iter(self.figures(topic, dataset).values()))

    def figures(self, topic: str | None = None, dataset: str | None = None) -> Mapping[str, Figure]:
        """Return figures of the report by name, all of them or those of a topic and dataset."""
        from tcray.results.output.figures import draw_figures

        found = draw_figures(self.results, topic, dataset)
        if not found:
            raise InputError(
                f"{self.id} has no figure of {topic!r} on {dataset!r}",
                f"It has: {', '.join(draw_figures(self.results)) or 'none'}.",
            )
        for figure in found.values():
            vars(figure)["_repr_png_"] = partial(_to_png, figure)  # shown in notebooks without pyplot
        return found

    def model(self, run_id: str) -> StoredModel:
        """Return the model of a confirm run as an ordinary `torch.nn.Module`.

        Its `predict` reproduces the stored predictions to 1e-6. A run on a dataset with folds has one model per fold.

        Raises:
            tcray.errors.InputError: if the sweep has no such run or kept no weights of it.
            tcray.errors.DataError: if the dataset that standardizes its inputs is no longer there.
        """
        from tcray.api.model import load_model

        return load_model(self._store, run_id)

    def report(self, file: str | Path) -> Path:
        """Write the HTML report: one file with every verdict, table and figure; return its path."""
        from tcray.results.output.html import render_report

        path = Path(file)
        path.write_text(render_report(self.results), "utf-8")
        return path

    @cached_property
    def results(self) -> Results:
        """Everything that can be concluded from the sweep as the store has it now."""
        from tcray.results.analysis import analyze

        return analyze(self._store)

    def _table(self, dataset: str) -> DatasetTable:
        tables = self.results.ranking.tables
        for table in tables:
            if table.dataset == dataset:
                return table
        names = ", ".join(table.dataset for table in tables)
        raise InputError(f"sweep {self.id} has no dataset {dataset!r}", f"It has: {names}.")

    def _repr_html_(self) -> str:
        from html import escape

        manifest = self.manifest
        state = "finished" if manifest["finished_at"] else "not finished"
        question = escape(str(manifest["sweep"].get("question", "")))
        return f"<p><b>{escape(self.id)}</b>, {state}<br>{question}</p>{self.verdicts._repr_html_()}"


def _maximizes(objective: str) -> bool:
    from tcray.config.metrics import METRICS

    return METRICS[objective.rpartition(".")[2]].maximize


def _to_png(figure: Figure) -> bytes:
    from io import BytesIO

    buffer = BytesIO()
    figure.savefig(buffer, format="png", dpi=120)
    return buffer.getvalue()
