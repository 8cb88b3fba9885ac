"""What is written of a sweep before its first run: what was asked, of which data, and by whom it was run."""

from __future__ import annotations

import platform
import socket
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from tcray import __version__
from tcray.config.run import ENGINE_VERSION
from tcray.config.sweep import Sweep
from tcray.search.plan import Plan

PACKAGES = ("torch", "ray", "optuna", "numpy", "scipy", "pyarrow")
MIXED = "mixed"
"""The device of a session on several, under `device: any`, and of a sweep whose sessions computed on different ones."""


def first(plan: Plan, sweep_id: str, references: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest of a sweep that was never started; `references` are the reference rows of each dataset."""
    return {
        "sweep_id": sweep_id,
        "name": plan.sweep.name,
        **asked(plan.sweep),
        "objective": plan.sweep.objective,
        "cards": [card.document() for card in plan.cards.values()],
        "left_out": [{"dataset": left.dataset, "reason": left.reason} for left in plan.skipped],
        "planned_runs": plan.planned_runs,
        "references": references,
        "engine": ENGINE_VERSION,
        "started_at": now(),
        "finished_at": None,
        "device": None,
        "sessions": [],
    }


def asked(sweep: Sweep) -> dict[str, Any]:
    """What the sweep file says now: claims, question and resources may change, and the sweep be the same."""
    return {"question": sweep.question, "sweep": sweep.to_document()}


def with_session(manifest: Mapping[str, Any], session: Mapping[str, Any]) -> dict[str, Any]:
    """The manifest with one more session, which has yet to finish the sweep."""
    sessions = [*manifest["sessions"], session]
    devices = {one["device"] for one in sessions}
    device = devices.pop() if len(devices) == 1 else MIXED
    return {**manifest, "finished_at": None, "device": device, "sessions": sessions}


def session(device: str) -> dict[str, Any]:
    """Where, when and with what a driver sets out to compute on `device`."""
    dependencies = {name: metadata.version(name) for name in PACKAGES}
    return {
        "started_at": now(),
        "host": socket.gethostname(),
        "device": device,
        "commit": commit(),
        "versions": {"tcray": __version__, "python": platform.python_version(), **dependencies},
    }


def now() -> str:
    """The time as manifests tell it: ISO, UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def commit() -> str | None:
    """The git commit of the working directory, with `-dirty` where files were changed; None outside a repository."""
    asking = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        said = subprocess.run(asking, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stdout.strip() or None
