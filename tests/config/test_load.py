"""Loading of sweep files, valid or not."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tcray.config.load import find_sweep_file, load_sweep
from tcray.errors import ConfigError, Problem
from tests.config.conftest import LEAST, Load


def load_error(path: str | Path) -> str:
    """Return the error of loading the file at `path`."""
    with pytest.raises(ConfigError) as caught:
        load_sweep(path)
    return str(caught.value)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working directory."""
    monkeypatch.chdir(tmp_path)


def test_a_missing_file_is_answered_with_the_nearest() -> None:
    """The file is beside it or in `sweeps/`; suffixes do not matter."""
    Path("sweeps").mkdir()
    Path("sweeps/rank.yaml").touch()
    assert load_error("sweeps/rnk.yaml") == 'sweeps/rnk.yaml: no such file; did you mean "sweeps/rank.yaml"?'
    assert load_error("rnk") == 'rnk: no such file; did you mean "sweeps/rank.yaml"?'
    assert load_error("elsewhere/prior.yaml") == "elsewhere/prior.yaml: no such file"


def test_a_bare_name_means_a_file_here_or_in_sweeps() -> None:
    """The file in the current directory takes precedence; a file without a suffix is itself."""
    Path("sweeps").mkdir()
    Path("sweeps/x.yaml").write_text(LEAST)
    assert load_sweep("x").name == "x"
    assert find_sweep_file("x") == Path("sweeps/x.yaml")
    Path("x.yaml").touch()
    assert find_sweep_file("x") == Path("x.yaml")
    Path("x").touch()
    assert find_sweep_file("x") == Path("x")
    assert [find_sweep_file(name) for name in ("", "y", "sub/x", "x.yml")] == [
        Path(name) for name in ("", "y", "sub/x", "x.yml")
    ]


def test_unreadable_files_are_reported() -> None:
    """A folder, a device, a binary file, another encoding and a huge file are."""
    Path("folder").mkdir()
    assert load_error("folder") == "folder: a folder, not a sweep file"
    assert load_error(os.devnull) == f"{os.devnull}: not a regular file"
    Path("x.yaml").write_bytes(b"PAR1\x00\x15")
    assert load_error("x.yaml") == "x.yaml: a binary file, not a sweep file"
    Path("x.yaml").write_bytes(LEAST.encode() + b"question: d\xe9j\xe0\n")
    assert load_error("x.yaml") == "x.yaml:5:12: not UTF-8: the byte 0xe9"
    Path("x.yaml").write_bytes(b"#" * 1_000_001)
    assert load_error("x.yaml") == "x.yaml: larger than 1 MB, too large for a sweep file"
    assert load_error("x\0.yaml").startswith("x\0.yaml: cannot be read: ")
    assert load_error("x" * 1000) == "x" * 1000 + ": cannot be read: File name too long"


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_forbidden_file_is_reported() -> None:
    """The reason is the system's."""
    Path("x.yaml").touch(mode=0o000)
    assert load_error("x.yaml") == "x.yaml: cannot be read: Permission denied"


def test_an_error_keeps_its_problems(load: Load) -> None:
    """Its exit code is 2, and it survives pickling."""
    with pytest.raises(ConfigError) as caught:
        load("sead: 1\n", "a")
    error = caught.value
    assert error.exit_code == 2
    assert error.problems == (
        Problem(5, 1, "sead", 'no such key; did you mean "seed"?'),
        Problem(1, 1, "", "expected KEY=VALUE, as in --set training.epochs=9", "--set a"),
    )
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_reading_a_sweep_loads_nothing_heavy() -> None:
    """`tcray plan` is fast."""
    heavy = ["torch", "ray", "optuna", "numpy", "pyarrow", "scipy", "pydantic"]
    code = f"import sys, tcray.config.load; print([name for name in {heavy} if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that is overwritten by every example."""
    return tmp_path_factory.mktemp("fuzz") / "x.yaml"


FUZZ = settings(deadline=None, derandomize=True)
"""The same examples each time, so that a verdict belongs to a commit."""


def find_fault(scratch: Path, content: bytes, *overrides: str) -> str:
    """Return the error of a file of this content; empty if it is valid. Other exceptions are raised."""
    scratch.write_bytes(content)
    try:
        load_sweep(scratch, overrides)
    except ConfigError as error:
        return str(error)
    return ""


def is_harmless(message: str) -> bool:
    """True if printing the message leaves a terminal unchanged."""
    return message.replace("\n", "").isprintable()


@FUZZ
@given(st.binary())
def test_arbitrary_bytes_are_a_sweep_or_a_config_error(scratch: Path, content: bytes) -> None:
    """No other exception is raised."""
    assert is_harmless(find_fault(scratch, content))


YAML = st.text(st.sampled_from("abx01.-+:,?[]{}&*!|>'\"%@`#~ \n\t\\UuxeN=<") | st.characters())


@FUZZ
@given(YAML)
def test_arbitrary_text_is_a_sweep_or_a_config_error(scratch: Path, text: str) -> None:
    """The text may resemble YAML."""
    assert is_harmless(find_fault(scratch, text.encode("utf-8", "surrogatepass")))


WHOLE = """\
name: x
claims: [robustness]
datasets: [mosi]
factors: {rank: [1, 2], modality_dropout.audio: [0, 0.5]}
tune: {lr: {log_uniform: [1e-4, 1e-2]}}
training: {epochs: 9}
search: {trials: 4, wave: 2, pruner: {asha: {min_epochs: 3}}}
confirm: {repeats: 2, seeds: 2}
resources: {gpu: 0.25, pack: auto}
"""


@FUZZ
@given(st.integers(0, len(WHOLE)), st.integers(0, 12), YAML)
def test_a_file_with_a_typo_is_a_sweep_or_a_config_error(scratch: Path, at: int, lost: int, typed: str) -> None:
    """Some characters are lost and others inserted anywhere."""
    assert is_harmless(find_fault(scratch, (WHOLE[:at] + typed + WHOLE[at + lost :]).encode("utf-8", "surrogatepass")))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = st.sampled_from(
    """
    name question claims datasets data factors factors.rank factors.modalities tune tune.lr tune.lr.uniform fixed
    fixed.lr fixed.modality_dropout fixed.modality_dropout.audio training training.epochs search search.wave
    search.objective search.pruner search.pruner.asha confirm confirm.repeats resources resources.device
    resources.pack resources.gpu seed
    """.strip().split()  # as a list it would take thirty lines
)


@FUZZ
@given(st.lists(st.tuples(KEYS, VALUES.map(repr) | YAML).map("=".join) | st.text(), max_size=3))
def test_arbitrary_overrides_are_a_sweep_or_a_config_error(scratch: Path, overrides: list[str]) -> None:
    """Every key may have a value of the wrong type."""
    assert is_harmless(find_fault(scratch, WHOLE.encode(), *overrides))
