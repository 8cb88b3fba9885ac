"""Manifest of a sweep: the sweep file, its data, and the sessions in which drivers ran it."""

from __future__ import annotations

import platform
import socket
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from tcray.config.run import ENGINE_VERSION
from tcray.config.sweep import Sweep
from tcray.search.plan import Plan
from tcray.store.schema import SCHEMA_VERSION
from tcray.version import __version__

PACKAGES = ("torch", "ray", "optuna", "numpy", "scipy", "pyarrow")


def new_manifest(plan: Plan, sweep_id: str, baselines: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of a sweep that has no sessions yet; `baselines` are the baseline rows of each dataset."""
    return {
        "schema": SCHEMA_VERSION,
        "sweep_id": sweep_id,
        "name": plan.sweep.name,
        **sweep_fields(plan.sweep),
        "objective": plan.sweep.objective,
        "cards": [card.document() for card in plan.cards.values()],
        "left_out": [{"dataset": left.dataset, "reason": left.reason} for left in plan.skipped],
        "planned_runs": plan.planned_runs,
        "baselines": baselines,
        "engine": ENGINE_VERSION,
        "started_at": format_now(),
        "finished_at": None,
        "device": None,
        "sessions": [],
    }


def sweep_fields(sweep: Sweep) -> dict[str, Any]:
    """Return the fields that follow the sweep file: claims, question and resources may change within one sweep."""
    return {"question": sweep.question, "sweep": sweep.to_document()}


def add_session(manifest: Mapping[str, Any], session: Mapping[str, Any]) -> dict[str, Any]:
    """Return the manifest of an unfinished sweep with one more session; device is `mixed` if its sessions differ."""
    sessions = [*manifest["sessions"], session]
    devices = {entry["device"] for entry in sessions}
    device = devices.pop() if len(devices) == 1 else "mixed"
    return {**manifest, "finished_at": None, "device": device, "sessions": sessions}


def new_session(device: str) -> dict[str, Any]:
    """Return the entry of a driver that starts now, with its host, its software and the device of its packs."""
    dependencies = {name: metadata.version(name) for name in PACKAGES}
    return {
        "started_at": format_now(),
        "host": socket.gethostname(),
        "device": device,
        "commit": read_commit(),
        "versions": {"tcray": __version__, "python": platform.python_version(), **dependencies},
    }


def format_now() -> str:
    """Return the current time in the manifest's format: ISO 8601, UTC, milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def read_commit() -> str | None:
    """Return the git commit of the working directory, with `-dirty` if files changed; None outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return result.stdout.strip() or None
