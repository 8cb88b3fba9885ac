"""The colours of the figures, each by its role, so that a page can give a role another colour in the dark.

Categories are of Okabe & Ito's (2008) set, darkened to stand on white; ordered levels go from light to dark along
viridis. Whatever is told by colour is told by a marker, a line style or a word as well.
"""

from __future__ import annotations

from collections.abc import Mapping

INK, MUTED, RULE, PAPER = "#1f2329", "#6b7480", "#d5dae0", "#fefefd"
"""Text and axes; what stands back; grid lines; the inside of an open marker."""

BLUE, ORANGE, GREEN, PURPLE, SKY, OLIVE = "#0b6bb0", "#c8500a", "#07845f", "#a4548a", "#3a93c4", "#8a6d00"

CATEGORIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, OLIVE, INK)

SEQUENCE = (
    "#6ece58", "#40bd72", "#24aa83", "#1f958b", "#27808e", "#2f6b8e", "#3a548c", "#443b84", "#482071", "#440154",
)  # fmt: skip

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
DASHES = ("-", (0, (5, 1.6)), (0, (1.4, 1.4)), (0, (6, 1.5, 1.5, 1.5)), (0, (8, 2)), (0, (3, 1, 1, 1, 1, 1)), "-")

ROLES: Mapping[str, str] = {
    INK: "ink",
    MUTED: "muted",
    RULE: "rule",
    PAPER: "paper",
    BLUE: "blue",
    ORANGE: "orange",
    GREEN: "green",
    PURPLE: "purple",
    SKY: "sky",
    OLIVE: "olive",
    **{color: f"level-{place}" for place, color in enumerate(SEQUENCE)},
}
"""The role of each colour, by which the report's style sheet names it (`--figure-ink`)."""


def level_color(place: int, count: int) -> str:
    """The colour of the level at `place` among `count` ordered ones."""
    if count <= 1:
        return BLUE
    return SEQUENCE[round(place * (len(SEQUENCE) - 1) / (count - 1))]
