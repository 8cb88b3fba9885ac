"""Every example runs in an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

EXAMPLES = Path(__file__).parents[2] / "examples"

pytestmark = pytest.mark.slow


def test_every_example_is_tested() -> None:
    """The folder holds no other scripts and notebooks than those below."""
    found = {path.name for path in EXAMPLES.iterdir() if path.suffix in {".py", ".ipynb"}}
    assert {"ask_a_question.py", "use_a_model.py", "explore.ipynb"} == found


def test_scripts(tmp_path: Path) -> None:
    """Both scripts run one after the other; the second trains nothing."""
    for name in ("ask_a_question.py", "use_a_model.py"):
        shutil.copy(EXAMPLES / name, tmp_path)
    first = _run("ask_a_question.py", tmp_path)
    assert "rank-generalisation" in first
    assert (tmp_path / "rank.png").stat().st_size > 10_000
    assert "predictions: [" in _run("use_a_model.py", tmp_path)


def test_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell of the notebook runs inside Jupyter's event loop, with progress, verdicts and figures displayed."""
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    monkeypatch.setenv("PYTHONPATH", str(EXAMPLES.parent))
    notebook = nbformat.read(EXAMPLES / "explore.ipynb", as_version=4)
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output.data.get("text/html", "") for output in notebook.cells[1].outputs if "data" in output]
    assert any("28 of 28 runs done" in html for html in shown), notebook.cells[1].outputs
    (table,) = [cell for cell in notebook.cells if cell.source == "stored.verdicts"]
    (output,) = table.outputs
    assert "<table>" in output.data["text/html"]
    (figure,) = [cell for cell in notebook.cells if ".figure(" in cell.source]
    assert "image/png" in figure.outputs[0].data


def _run(script: str, folder: Path) -> str:
    environment = {**os.environ, "PYTHONPATH": str(EXAMPLES.parent)}
    done = subprocess.run(
        [sys.executable, script], cwd=folder, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
