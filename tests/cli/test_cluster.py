"""`tcray cluster check`."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tcray.cli import main
from tests.cluster.conftest import checkout  # noqa: F401 a fixture
from tests.cluster.factories import FILES, edited_text, find_position

GPU = """\
tcray-gpu: on AWS, in us-west-2
type  nodes  instance     market              CPUs  GPUs  packs of 0.25 GPU
head  1      m5.xlarge    on demand              0     0                  0
gpu   0–8    g5.xlarge    spot, or on demand     4     1                  4
gpus  0–2    g5.12xlarge  spot, or on demand    16     4                 16
at most the head and 10 workers, which run 64 packs at a time
"""

ONPREM = "tcray-onprem: a head and 2 workers of your own; Ray detects their CPUs and GPUs when it starts\n"

pytestmark = pytest.mark.usefixtures("checkout")


def run_check(text: str) -> Result:
    """Run `tcray cluster check` on a file of this content."""
    Path("x.yaml").write_text(text, encoding="utf-8")
    return CliRunner().invoke(main, ["cluster", "check", "x.yaml"])


@pytest.mark.parametrize(("name", "outline"), [("gpu", GPU), ("onprem", ONPREM)])
def test_a_sound_file_is_summarized(name: str, outline: str) -> None:
    """Nothing else is printed."""
    result = run_check(edited_text(name))
    assert (result.exit_code, result.stdout, result.stderr) == (0, outline, "")


def test_notes_follow_with_their_positions() -> None:
    """A note is not a failure."""
    text = edited_text("gpu", {"GPU: 4": "GPU: 2"})
    result = run_check(text)
    line, column = find_position(text, "gpus: … {CPU")
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == (
        f"x.yaml:{line}:{column}: available_node_types.gpus.resources: "
        "note: declares 2 GPUs, and g5.12xlarge has 4; you pay for all of them"
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_values_to_be_filled_in_are_listed(path: Path) -> None:
    """A shipped file is sound and lists the values that it lacks."""
    result = CliRunner().invoke(main, ["cluster", "check", str(path)])
    lines = [line for line in result.stdout.splitlines() if line.startswith(f"{path}:")]
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines
    assert [line for line in lines if ": to be filled in: " not in line] == []


def test_an_invalid_file_exits_2() -> None:
    """Every problem is on stderr, as for a sweep file; no summary is printed."""
    text = edited_text("gpu", {"GPU: 4": "GPUs: 4", "max_workers: 10\nidle": "max_worker: 10\nidle"})
    result = run_check(text)
    (first, _), (second, column) = find_position(text, "max_worker: "), find_position(text, "GPUs: 4")
    resources = "available_node_types.gpus.resources"
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.splitlines() == [
        "Error: 2 problems",
        f'x.yaml:{first}:1: max_worker: no such key; did you mean "max_workers"?',
        f'x.yaml:{second}:{column}: {resources}.GPUs: no resource of Ray; did you mean "GPU"?',
    ]


def test_a_file_that_is_not_a_cluster_file_exits_2() -> None:
    """One message is printed, as for sweep files."""
    result = CliRunner().invoke(main, ["cluster", "check", "nowhere.yaml"])
    assert (result.exit_code, result.stderr) == (2, "Error: nowhere.yaml: no such file\n")
