"""What `ray start` finds in its environment, as far as a line says so: read as a shell reads it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from itertools import takewhile

_ASSIGNMENT = re.compile(r"(\w+)=(.*)", re.DOTALL)
_BEFORE = ("{", "!", "if", "then", "elif", "else", "while", "until", "do", "env", "exec", "nohup")
"""Words of the shell before a command, and commands that start another one in their own environment."""

_SUBSTITUTION = re.compile(r"\$\([^()]*\)")
_OPTION = re.compile(r"(?:^|\s)(?:-e|--env)[=\s]+[\"']?(\w+)=([^\s\"']*)")


def said_to_ray(command: str) -> Mapping[str, str]:
    """The variables before the first `ray start` in its own command, and those that the line exports before it."""
    exported: dict[str, str] = {}
    for words in _simple_commands(command):
        if words[:1] == ["export"]:
            exported |= dict(_assignments(words[1:]))
            continue
        before = list(takewhile(lambda word: word in _BEFORE or _ASSIGNMENT.fullmatch(word), words))
        program, *arguments = [*words[len(before) :], ""]
        if program.rpartition("/")[2] == "ray" and arguments[:1] == ["start"]:
            return exported | dict(_assignments(before))
    return {}


def said_to_container(options: str) -> Mapping[str, str]:
    """The variables that the options of `docker run` set."""
    return dict(_OPTION.findall(options))


def _assignments(words: list[str]) -> Iterator[tuple[str, str]]:
    for word in words:
        if said := _ASSIGNMENT.fullmatch(word):
            yield said[1], said[2]


def _simple_commands(line: str) -> Iterator[list[str]]:
    """The words of each; none of a line that no shell would read to its end."""
    lexer = shlex.shlex(_SUBSTITUTION.sub("_", line.replace("\\\n", "")), posix=True, punctuation_chars="();&|\n")
    lexer.whitespace, lexer.whitespace_split, lexer.commenters = " \t\r", True, ""
    words: list[str] = []
    try:
        for word in lexer:
            if not set(word) <= set("();&|\n"):
                words.append(word)
            else:
                yield words
                words = []
    except ValueError:
        return
    yield [*words]
