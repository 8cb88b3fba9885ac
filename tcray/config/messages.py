"""Wording of problems: the value that was found, the values that are valid, the nearest valid name."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable

_MAX_LENGTH = 40


def format_value(value: object) -> str:
    """Return `value` as a problem names it: quoted text, a bare number, `a list`, `nothing`."""
    match value:
        case None:
            return "nothing"
        case bool():
            return "true" if value else "false"
        case str():
            return quote_text(value)
        case int() | float():
            return repr(value)
        case list():
            return "a list"
        case _:
            return "a mapping"


def quote_text(text: str) -> str:
    """Return `text` clipped and in quotes."""
    return f'"{clip_text(text)}"'


def clip_text(text: str, longest: int = _MAX_LENGTH) -> str:
    """Return at most `longest` characters of `text` on one line, with control characters escaped."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return short if short.isprintable() else json.dumps(short)[1:-1]


def format_key(key: str) -> str:
    """Return `key` as part of a path: bare if it reads like a name, quoted otherwise."""
    return key if len(key) <= _MAX_LENGTH and re.fullmatch(r"[\w.-]+", key) else quote_text(key)


def join_words(words: Iterable[str], last: str = "or") -> str:
    """Return `words` joined as in `a, b or c`; `last` is the word before the last of them."""
    *most, end = words
    return f"{', '.join(most)} {last} {end}" if most else end


def find_nearest(name: str, valid: Iterable[str]) -> str:
    """Return the valid name that `name` was probably meant to be; empty if no name is close."""
    return next(iter(difflib.get_close_matches(name[:_MAX_LENGTH], list(valid), n=1)), "")


def suggest_names(name: str, valid: Iterable[str]) -> str:
    """Return the second half of a `no such …` message: the nearest valid name, or else all valid names."""
    names = list(valid)
    near = find_nearest(name, names)
    if near:
        return f'did you mean "{near}"?'
    return f"there {'is' if len(names) == 1 else 'are'} {join_words(names, 'and')}"
