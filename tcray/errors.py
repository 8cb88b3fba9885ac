"""Every exception tcray raises on purpose.

TcrayError                 one sentence: what, where, what holds; then what to do   (exit 1)
├── InputError             what the user gave is wrong                             (exit 2)
│   ├── ConfigError          a sweep or cluster file; carries every problem found
│   └── DataError          a dataset, or a file it comes from
├── StoreError             the trial store cannot be read or written               (exit 1)
│   └── StoreBusyError     another driver holds the sweep's lease                  (exit 1)
├── SweepError             a sweep could not go on; what it recorded stays         (exit 1)
└── Interrupted            the user stopped it; the same command resumes           (exit 130)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class TcrayError(Exception):
    """A failure said in a sentence: `message` tells what holds, `remedy` what to do."""

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class InputError(TcrayError):
    """What the user gave is wrong; nothing was started."""

    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a file: where it is (1-based; line 0 is the file as a whole), which key, and what holds."""

    line: int
    column: int
    path: str
    message: str
    override: str = ""
    """The `--set KEY=VALUE` that says it, if the file does not; `line` is then its number."""


class ConfigError(InputError):
    """A sweep or cluster file says what it may not; every problem is listed, first line first, `--set` last."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.override != "", problem)))
        super().__init__("\n".join(self._line(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.source, self.problems)

    def _line(self, problem: Problem) -> str:
        where = problem.override or (f"{self.source}:{problem.line}:{problem.column}" if problem.line else self.source)
        return f"{where}: {problem.path}: {problem.message}" if problem.path else f"{where}: {problem.message}"


class DataError(InputError):
    """A dataset, or a file it would come from, is not what it should be."""


class StoreError(TcrayError):
    """The trial store cannot be read or written."""


class StoreBusyError(StoreError):
    """Another driver holds the lease of this sweep."""


class SweepError(TcrayError):
    """The sweep could not go on; everything recorded so far stays and the same command resumes."""


class Interrupted(TcrayError):  # noqa: N818  (nothing went wrong)
    """The user stopped the sweep; the same command resumes it."""

    exit_code = 130
