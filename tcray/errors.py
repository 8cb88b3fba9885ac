"""Every exception that tcray raises on purpose.

TcrayError                 base class: a message and a remedy                      (exit 1)
├── InputError             the user's input is wrong                               (exit 2)
│   ├── ConfigError        a sweep or cluster file; lists every problem found
│   └── DataError          a dataset, or a file that it is read from
├── StoreError             the trial store cannot be read or written               (exit 1)
│   └── StoreBusyError     another driver holds the sweep's lease                  (exit 1)
├── SweepError             a sweep stopped early; everything recorded is kept      (exit 1)
└── Interrupted            the user stopped it; the same command resumes           (exit 130)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class TcrayError(Exception):
    """Base class of tcray's exceptions: `message` states what is wrong and where, `remedy` what to do about it."""

    exit_code = 1

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class InputError(TcrayError):
    """The user's input is wrong; nothing was started."""

    exit_code = 2


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """A problem in a file: line and column (1-based; line 0 is the file as a whole), key path and message."""

    line: int
    column: int
    path: str
    message: str
    override: str = ""
    """The `--set KEY=VALUE` that has the problem, if it is not the file; `line` is then its number."""


class ConfigError(InputError):
    """A sweep or cluster file is invalid; lists every problem, first line first, `--set` last."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(sorted(problems, key=lambda problem: (problem.override != "", problem)))
        super().__init__("\n".join(self._format(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[str, tuple[Problem, ...]]]:
        return type(self), (self.source, self.problems)

    def _format(self, problem: Problem) -> str:
        place = problem.override or (f"{self.source}:{problem.line}:{problem.column}" if problem.line else self.source)
        return f"{place}: {problem.path}: {problem.message}" if problem.path else f"{place}: {problem.message}"


class DataError(InputError):
    """A dataset, or a file that it is read from, is invalid."""


class StoreError(TcrayError):
    """The trial store cannot be read or written."""


class StoreBusyError(StoreError):
    """Another driver holds the lease of this sweep."""


class SweepError(TcrayError):
    """The sweep stopped early; everything recorded so far is kept, and the same command resumes it."""


class Interrupted(TcrayError):  # noqa: N818  (a stop by the user is not an error)
    """The user stopped the sweep; the same command resumes it."""

    exit_code = 130
