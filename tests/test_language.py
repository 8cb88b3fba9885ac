"""The language of the code: docstrings open with a verb or a noun phrase, and private words of the past are gone."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "tcray").rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("*.py") if path.name != "test_language.py")

OPENINGS = re.compile(r"(What|Whether|That|How|Where|Who|Which|Whatever|Said)\b")
"""Words that no docstring opens with: they open riddles, not statements."""

PRIVATE_NAMES = (
    "Anteroom|Inquest|Lookout|Workplace|HeldOut|Circumstances|ownfolder|OwnFolder|stillborn|STILLBORN|NEVER_AS_GOOD|under_way"
    "|awaits_verdict|give_back|runs_due|said_there|run_there|say_there|BIRTH_SECONDS|reference_rows|results_of|Crew|Hire"
    "|InTurn|Told|told|_feel|on_blind|goes_on|_employ|_hear|Greeting|_Clerk|_Caller|own_machines|amazon"
    "|barren|Directed|opposes|fragility"
)
"""Names of the first release that a newcomer could not guess."""

LIMITS = {"where": 2.0, "say|says|said|tell|tells|told": 0.6}
"""Uses per 1,000 words of prose."""


def read_prose(path: Path) -> Iterator[tuple[int, str]]:
    """Yield docstrings, comments and sentences of a file with their lines."""
    source = path.read_text("utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value.split()) > 3:
            yield node.lineno, node.value
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def read_docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the docstrings of a module, its classes and its functions with their lines."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield node.body[0].lineno, docstring


@pytest.mark.parametrize("files", [SOURCES, TESTS], ids=["tcray", "tests"])
def test_docstrings_open_plainly(files: list[Path]) -> None:
    """No docstring opens with What, Whether, That, How, Where, Who or Which."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text.splitlines()[0]}"
        for path in files
        for line, text in read_docstrings(path)
        if OPENINGS.match(text)
    ]
    assert found == []


@pytest.mark.parametrize("files", [SOURCES, TESTS], ids=["tcray", "tests"])
def test_private_names_are_gone(files: list[Path]) -> None:
    """No identifier of the first release that only its authors understood is left."""
    private = re.compile(rf"({PRIVATE_NAMES})")
    found = [
        f"{path.relative_to(ROOT)}:{token.start[0]}: {token.string}"
        for path in files
        for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline)
        if token.type == tokenize.NAME and private.fullmatch(token.string)
    ]
    assert found == []


@pytest.mark.parametrize(("word", "limit"), LIMITS.items())
def test_prose_uses_the_words_of_programs(word: str, limit: float) -> None:
    """ "where" is for places, and programs do not talk: both stay rare in docstrings, comments and messages."""
    words = [w.lower() for path in SOURCES for _, text in read_prose(path) for w in re.findall(r"[A-Za-z']+", text)]
    uses = sum(bool(re.fullmatch(word, w)) for w in words)
    assert 1000 * uses / len(words) <= limit
