"""Sweeps from Python: load or state one, run it, open what a store holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tcray.api.stored import StoredSweep
from tcray.config import sweep as config

if TYPE_CHECKING:
    import pandas as pd

STORE = "trials"
"""The default trial store: a folder relative to the working directory."""


class Sweep(config.Sweep):
    """A sweep: one research question as a plan of cells, searches and confirmations.

    The keyword arguments are the keys of a sweep file, with the same plain values and the same checks. An instance is
    frozen. See the reference of the sweep file for every key.

    >>> keys = {"factors": {"rank": [1, 4]}, "training": {"epochs": 3}, "confirm": {"seeds": 4}}
    >>> sweep = Sweep(name="first", datasets=["twin-flat"], **keys)
    >>> sweep.factors["rank"]
    (1, 4)
    """

    def __init__(self, *, name: str, datasets: Sequence[str], training: Mapping[str, Any], **keys: Any) -> None:
        """Check the keys and fill in every default.

        Raises:
            tcray.errors.InputError: with every problem of the keys at once.
        """
        from tcray.config.load import sweep_from_mapping

        checked = sweep_from_mapping({"name": name, "datasets": datasets, "training": training, **keys})
        self._adopt(checked)

    def _adopt(self, checked: config.Sweep) -> None:
        for field in fields(config.Sweep):
            object.__setattr__(self, field.name, getattr(checked, field.name))

    @classmethod
    def from_checked(cls, checked: config.Sweep) -> Sweep:
        """Return a checked sweep as one of this class."""
        sweep = object.__new__(cls)
        sweep._adopt(checked)
        return sweep


Asked = config.Sweep | Mapping[str, Any] | str | Path
"""A sweep, the keys of one, or the path of a sweep file."""


def load_sweep(source: Asked, overrides: Sequence[str] = ()) -> Sweep:
    """Return the sweep in a file (or of a mapping of its keys), checked, with every default filled in.

    Args:
        source: path of a sweep file, or a mapping with the keys of one.
        overrides: `KEY=VALUE` texts that replace keys of a file, as `--set` does on the command line.

    Raises:
        tcray.errors.InputError: with every problem of the file at once, each with line and column.
    """
    from tcray.config.load import load_sweep as load_file

    if isinstance(source, config.Sweep):
        return source if isinstance(source, Sweep) else Sweep.from_checked(source)
    if isinstance(source, Mapping):
        return Sweep(**source)
    return Sweep.from_checked(load_file(source, overrides))


def run(sweep: Asked, store: str | Path = STORE, *, address: str | None = None, fresh: bool = False) -> StoredSweep:
    """Run a sweep to its end, or resume it, and return it as stored.

    Progress is shown live in a terminal and in a notebook. Interrupting (Ctrl-C, or a notebook's stop button) keeps
    everything recorded; the same call resumes.

    Args:
        sweep: a `Sweep`, a mapping of its keys, or the path of a sweep file.
        store: folder or URI of the trial store; created if it does not exist.
        address: a Ray cluster to join, as `HOST:PORT` or `auto`; by default Ray starts on this machine and stops again.
        fresh: start anew and reuse nothing.

    Raises:
        tcray.errors.InputError: if the sweep cannot be run as asked.
        tcray.errors.StoreBusyError: if another driver is running it.
        tcray.errors.SweepError: if it could not be completed; the same call resumes.
        tcray.errors.Interrupted: if it was stopped; the same call resumes.
    """
    from tcray.tune.run import run_sweep

    return StoredSweep(run_sweep(load_sweep(sweep), str(store), address=address, fresh=fresh).store)


def open_sweep(name: str, store: str | Path = STORE) -> StoredSweep:
    """Return a stored sweep.

    Args:
        name: an id, the beginning of one, or a name (the most recently started sweep of that name).
        store: folder or URI of the trial store.

    Raises:
        tcray.errors.InputError: if the store has no such sweep; the nearest name is suggested.
    """
    from tcray.store.store import Store

    opened = Store.open(str(store))
    sweep_id, _ = opened.resolve(name)
    return StoredSweep(opened.sweep(sweep_id))


def list_sweeps(store: str | Path = STORE) -> pd.DataFrame:
    """Return one row per sweep of a store: id, name, start, end, and runs by state; the most recent last."""
    import pandas as pd

    from tcray.store.store import Store
    from tcray.store.summary import STATES, Summary

    opened = Store.open(str(store))
    rows = []
    for manifest in opened.manifests():
        summary = Summary.read(opened.sweep(manifest["sweep_id"]))
        rows.append(
            {
                "sweep_id": manifest["sweep_id"],
                "name": manifest["name"],
                "started_at": manifest["started_at"],
                "finished_at": manifest["finished_at"],
                **{state.lower(): summary.runs(state=state) for state in STATES},
            }
        )
    return pd.DataFrame(rows)
