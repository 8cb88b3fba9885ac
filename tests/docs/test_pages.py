"""Every command and snippet of README and documentation is run, or checked if it cannot be run here.

Blocks by language: `bash` and `python` are run, in the order of the page; `console` is run and must print the lines
shown; `yaml` that opens with `# NAME.yaml` is written to that file, and every sweep file is loaded;
`text` is not run (clusters, installation, downloads), but its tcray commands must parse, its make targets exist, and
its files be there.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from tcray.cli import COMMANDS
from tcray.cli import main as command_line
from tcray.config.load import load_sweep

ROOT = Path(__file__).parents[2]
REAL_DATA = Path(os.environ.get("TCRAY_REAL_DATA", ROOT.parent / "shared" / "data"))
GENERATED = {"sweep-file.md", "store.md"}

PAGES = [
    ROOT / "README.md",
    *sorted(
        page for page in (ROOT / "docs").rglob("*.md") if page.name not in GENERATED and "_build" not in page.parts
    ),
]

PROGRAMS = {"tcray", "make", "ray", "docker", "pip", "tensorboard", "python"}
"""First words of the lines of a `text` block that are commands."""

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Block:
    """A fenced block of a page: its language, its lines, and the line number at which it starts."""

    language: str
    lines: tuple[str, ...]
    number: int

    @property
    def text(self) -> str:
        """The block as text."""
        return "\n".join(self.lines) + "\n"


def read_blocks(page: Path) -> Iterator[Block]:
    """Yield the fenced blocks of a Markdown page."""
    lines = page.read_text("utf-8").splitlines()
    start, language = None, ""
    for number, line in enumerate(lines, start=1):
        fence = re.fullmatch(r"```([a-z]*)", line.strip())
        if start is None and fence:
            start, language = number, fence[1]
        elif start is not None and line.strip() == "```":
            yield Block(language, tuple(lines[start : number - 1]), start)
            start = None


def name_page(page: Path) -> str:
    """Return the page's path in the repository."""
    return str(page.relative_to(ROOT))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as a reader's: the sweep files, MUStARD if it is there, and `quick` swept."""
    folder = tmp_path_factory.mktemp("reader")
    shutil.copytree(ROOT / "sweeps", folder / "sweeps")
    shutil.copytree(ROOT / "cluster", folder / "cluster")
    if (REAL_DATA / "mustard").is_dir():
        (folder / "mustard").symlink_to(REAL_DATA / "mustard")
    run_command("tcray sweep sweeps/quick.yaml", folder)
    return folder


def run_command(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell as the reader would: in the folder, with the environment's programs on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "120"}
    return subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False
    )


@pytest.mark.parametrize("page", PAGES, ids=name_page)
def test_page(page: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of the page does what the page says."""
    monkeypatch.chdir(workspace)
    namespace: dict[str, object] = {}
    for block in read_blocks(page):
        where = f"{name_page(page)}:{block.number}"
        if block.language == "bash":
            for line in join_continued(block.lines):
                if "--from mustard" in line and not (workspace / "mustard").exists():
                    continue
                done = run_command(line, workspace)
                assert done.returncode == 0, f"{where}: {line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        elif block.language == "console":
            check_console(block, workspace, where)
        elif block.language == "python":
            exec(compile(block.text, where, "exec"), namespace)  # noqa: S102  the page is the project's own
        elif block.language == "yaml":
            check_yaml(block, workspace)
        elif block.language == "text":
            for line in join_continued(block.lines):
                check_command(line.split("  #")[0].strip(), where)


def join_continued(lines: tuple[str, ...]) -> list[str]:
    """Return the commands of a block: comments left out, continued lines joined."""
    text = "\n".join(line for line in lines if line.strip() and not line.lstrip().startswith("#"))
    return text.replace("\\\n", " ").splitlines()


def check_console(block: Block, folder: Path, where: str) -> None:
    """Run the commands of a session; each line that is shown must be printed, `…` stands for lines left out."""
    printed = ""
    for line in block.lines:
        if line.startswith("$ "):
            done = run_command(line.removeprefix("$ "), folder)
            assert "Traceback" not in done.stderr, where
            printed = f"{done.stdout}\n{done.stderr}"
        elif line.strip() not in {"", "…"}:
            assert line.rstrip() in printed, f"{where}: not printed: {line}\n{printed}"


def check_yaml(block: Block, folder: Path) -> None:
    """Write a named file; load every file that is a whole sweep and is not meant to be wrong."""
    named = re.fullmatch(r"# (\S+\.yaml)", block.lines[0])
    name = re.search(r"^name: (\S+)$", block.text, re.MULTILINE)
    if not named and not (name and "datasets:" in block.text):
        return
    file = folder / (named[1] if named else f"{name[1] if name else ''}.yaml")
    file.write_text(block.text, "utf-8")
    if file.name != "wrong.yaml":
        load_sweep(file)


def check_command(line: str, where: str) -> None:
    """Check a command that is not run: its options, its make target, its files; other text is left alone."""
    if line.removeprefix(".venv/bin/").split(" ")[0] not in PROGRAMS:
        return
    for part in re.split(r"&&|;", line):
        words = shlex.split(part, comments=True)
        words = [word for word in words if not re.fullmatch(r"[A-Z_]+=\S*", word)]
        if not words:
            continue
        program, *rest = words
        program = program.removeprefix(".venv/bin/")
        if program == "tcray" and rest:
            check_tcray(rest, where)
        if program == "make":
            targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
            assert all(word in targets or word.startswith(".venv/") for word in rest if "=" not in word), (
                f"{where}: {line}"
            )
        for word in rest:
            if re.match(r"(sweeps|cluster|docker|tests|docs|examples)/", word):
                assert (ROOT / word).exists(), f"{where}: there is no {word}"


def check_tcray(words: list[str], where: str) -> None:
    """Parse a tcray command down to its last subcommand; unknown commands and options fail."""
    command: click.Command = command_line
    context = click.Context(command, info_name="tcray")
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, f"{where}: there is no command {name!r}"
        command = found
        context = click.Context(command, parent=context, info_name=name)
    known = {option for parameter in command.params for option in parameter.opts} | {"--help", "--version"}
    for word in words:
        if word.startswith("--"):
            assert word.split("=")[0] in known, f"{where}: tcray has no option {word}"


@pytest.mark.parametrize("page", PAGES, ids=name_page)
def test_paths_exist(page: Path) -> None:
    """Every path of a Python file or test that a page names exists, relative to the repository or to tcray/."""
    named = set(re.findall(r"`([a-z_/]+/[a-z_/]+\.(?:py|yaml))`", page.read_text("utf-8")))
    missing = [path for path in sorted(named) if not (ROOT / path).exists() and not (ROOT / "tcray" / path).exists()]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=name_page)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page leads to a file; generated pages count."""
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    local = [link for link in links if "://" not in link]
    missing = [link for link in local if not (page.parent / link).exists() and Path(link).name not in GENERATED]
    assert missing == []


def test_every_command_is_documented() -> None:
    """The reference of the command line is made of the command group, which lists every command."""
    assert set(COMMANDS) == set(command_line.list_commands(click.Context(command_line)))


def test_readme_is_short() -> None:
    """The README is a front door: at most 150 lines, and it says what has never been tried."""
    text = (ROOT / "README.md").read_text("utf-8")
    assert len(text.splitlines()) <= 150
    assert "GPU" in text[:4000]
    assert "AWS" in text[:4000]
