"""The colors of the figures, each with a role, so that a page can replace them in dark mode.

Categories use the set of Okabe & Ito (2008), darkened for contrast on white; ordered levels go from light to dark along
viridis. Every distinction by color is also made by a marker, a line style or a word.
"""

from __future__ import annotations

from collections.abc import Mapping

INK, MUTED, RULE, PAPER = "#1f2329", "#6b7480", "#d5dae0", "#fefefd"
"""The colors of text and axes, of secondary elements, of grid lines, and of the inside of open markers."""

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
"""The role of each color, its name in the style sheet of the report (`--figure-ink`)."""


def level_color(place: int, count: int) -> str:
    """Return the color of the level at index `place` of `count` ordered levels."""
    if count <= 1:
        return BLUE
    return SEQUENCE[round(place * (len(SEQUENCE) - 1) / (count - 1))]
