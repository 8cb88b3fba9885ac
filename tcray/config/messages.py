"""How problems are worded: what was found, what would do, and the nearest valid name."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable

_LONGEST = 40


def format_value(value: object) -> str:
    """`value` as a problem names it: quoted text, a bare number, `a list`, `nothing`."""
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
    """`text` in quotes, clipped."""
    return f'"{clip_text(text)}"'


def clip_text(text: str, longest: int = _LONGEST) -> str:
    """`text` on one line, harmless in a terminal and no longer than a problem can bear."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return short if short.isprintable() else json.dumps(short)[1:-1]


def format_key(key: str) -> str:
    """A key as it stands in a path: bare where it reads like a name, else quoted."""
    return key if len(key) <= _LONGEST and re.fullmatch(r"[\w.-]+", key) else quote_text(key)


def join_words(names: Iterable[str], last: str = "or") -> str:
    """`a, b or c`."""
    *most, end = names
    return f"{', '.join(most)} {last} {end}" if most else end


def find_nearest(name: str, valid: Iterable[str]) -> str:
    """The valid name that `name` was probably meant to be; empty where there is none."""
    return next(iter(difflib.get_close_matches(name[:_LONGEST], list(valid), n=1)), "")


def suggest_names(name: str, valid: Iterable[str]) -> str:
    """What to say after `no such …`: the nearest valid name, or all of them."""
    names = list(valid)
    near = find_nearest(name, names)
    return (
        f'did you mean "{near}"?' if near else f"there {'is' if len(names) == 1 else 'are'} {join_words(names, 'and')}"
    )
