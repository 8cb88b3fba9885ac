"""Everything that may be said against a cluster file before anything is brought up: offline, and of all at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

from tcray.cluster.checks import (
    aws,
    form,
    machines,
    mounts,
    network,
    on_prem,
    providers,
    start_commands,
    storage,
    versions,
)
from tcray.cluster.cluster_file import ClusterFile
from tcray.errors import ConfigError, Problem

_SIDES = (providers, on_prem, aws, machines, start_commands, mounts, network, storage, versions)


@dataclass(frozen=True, slots=True)
class Examination:
    """What an examination found: with problems no cluster should be brought up; notes are there to be known."""

    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def examine(file: ClusterFile) -> Examination:
    """What is wrong with a cluster file, and what one may know of it."""
    shapeless = [*form.check(file)]
    rest = [
        finding
        for finding in chain.from_iterable(side.check(file) for side in _SIDES)
        if not any(finding.rests_on(other.said.path) for other in shapeless)
    ]
    found = [*shapeless, *rest]
    against = [finding.said for finding in reversed(found) if not finding.is_note]
    problems = sorted({(said.line, said.column, said.message, _last(said)): said for said in against}.values())
    # what is still to be filled in may be no text, and Ray would take it for one
    if not problems and not file.unfilled and (reason := form.refusal(file)):
        problems = [file.root.problem(f"Ray's launcher refuses it: {reason}")]
    return Examination(tuple(problems), tuple(sorted({finding.said for finding in found if finding.is_note})))


def _last(said: Problem) -> str:
    """The last key of its path: what is merged is said to be wrong once, by the first path that leads there."""
    return said.path.rpartition(".")[2]


def expect_sound(file: ClusterFile) -> Examination:
    """The examination of a file with which nothing is wrong.

    Raises:
        ConfigError: with everything that is.
    """
    examination = examine(file)
    if examination.problems:
        raise ConfigError(file.path, examination.problems)
    return examination
