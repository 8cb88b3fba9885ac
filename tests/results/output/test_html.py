"""HTML report: self-contained, with labeled twins, and deterministic."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

from tcray.config.load import load_sweep
from tcray.results.output.html import render_report
from tcray.results.output.html.provenance import format_commands, format_sweep_file
from tcray.results.output.html.svg import to_inline_svg
from tcray.results.rank.figure import draw_profile
from tests.results.factories import make_empty_results, make_full_results, make_full_sweep, make_profile

VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Parser of a page that collects texts, ids, references and tags, and checks that elements are closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the tag with its attributes."""
        given = dict(attrs)
        self.tags.append((tag, given))
        if given.get("id"):
            self.ids.append(str(given["id"]))
        self.references += [str(given[name]) for name in ("href", "src", "clip-path") if given.get(name)]
        if given.get("aria-labelledby"):
            self.references.append(f"#{given['aria-labelledby']}")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record an element without content."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Check that the innermost open element is closed."""
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        """Record visible text."""
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        """Return the visible text with single spaces."""
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.fixture(scope="module")
def full() -> str:
    """Return the report of results with every part."""
    return render_report(make_full_results())


@pytest.fixture(scope="module")
def empty() -> str:
    """Return the report of a sweep without complete runs."""
    return render_report(make_empty_results())


def test_the_report_is_self_contained(full: str):
    """Every element is closed, and the page loads no external resource."""
    page = Page(full)
    assert [] == page.open
    assert [] == [reference for reference in page.references if not re.match(r"#|url\(#", reference)]
    assert not re.search(r"https?://|@import|url\((?!#)|<script", re.sub(r'xmlns="[^"]+"', "", full))


def test_every_reference_has_a_target_and_ids_are_unique(full: str):
    """Clip paths and markers of different figures have different ids."""
    page = Page(full)
    named = {re.sub(r"^#|^url\(#|\)$", "", reference) for reference in page.references}
    assert set() == named - set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_same_results_give_the_same_bytes(full: str):
    """The report does not depend on time, path or memory order."""
    assert full == render_report(make_full_results())


@pytest.mark.parametrize("report", ["full", "empty"])
def test_the_page_shows_no_nan(report: str, request: pytest.FixtureRequest):
    """The text contains neither NaN, None, infinities nor array representations."""
    assert [] == re.findall(r"\b(?:nan|NaN|None|inf|array)\b", Page(request.getfixturevalue(report)).text)


def test_the_page_begins_with_the_question_the_verdicts_and_the_data(full: str):
    """Question, verdicts and datasets precede the first figure."""
    page = Page(full).text
    places = [page.index(words) for words in ("Does rank matter?", ["Verdicts", " "][0], "The datasets, each")]
    assert places == sorted(places)
    assert full.index("The datasets, each") < full.index("<svg")


def test_every_verdict_is_a_word(full: str):
    """Verdicts are readable without color."""
    badges = set(re.findall(r'<span class="badge [^>]*><span aria-hidden="true">.</span> ([a-z ]+)</span>', full))
    assert {"supported", "contradicted", "inconclusive", "not testable", "descriptive"} == badges


def test_a_twin_is_labeled_everywhere(full: str):
    """The warning, every verdict and every figure title label the twin."""
    assert "mustard is a twin" in Page(full).text
    assert [] == re.findall(r"<text[^>]*>mustard(?! \(twin\))", full)
    assert [] == re.findall(r"<b>mustard</b>(?! <span class=\"source twin\">twin</span>)", full)


def test_without_twins_there_is_no_warning():
    """A report on real data has no section on twins."""
    whole = make_empty_results()
    cards = [card for card in whole.manifest["cards"] if card["source"] == "real"]
    assert "Twin data" not in render_report(replace(whole, manifest={**whole.manifest, "cards": cards}))


def test_text_of_users_is_escaped():
    """HTML in the question or in a note of a card is shown as text."""
    whole = make_empty_results()
    cards = [{**whole.manifest["cards"][0], "notes": ["<img src=x>"]}]
    sweep = replace(whole.sweep, question="<b>&</b>")
    html = render_report(replace(whole, sweep=sweep, manifest={**whole.manifest, "cards": cards}))
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in html
    assert "<img" not in html


def test_every_figure_and_table_has_a_label(full: str):
    """Figures have an ARIA label and a caption, and tables have a caption."""
    page = Page(full)
    panels = [given for _, given in page.tags if given.get("class") == "panel"]
    assert panels
    assert all(given["role"] == "img" and given["aria-label"] for given in panels)
    assert sum(tag == "figure" for tag, _ in page.tags) == sum(tag == "figcaption" for tag, _ in page.tags)
    assert sum(tag == "table" for tag, _ in page.tags) == sum(tag == "caption" for tag, _ in page.tags)


def test_headings_are_in_order(full: str):
    """No heading level is skipped, and there is exactly one h1."""
    levels = [int(tag[1]) for tag, _ in Page(full).tags if re.fullmatch("h[1-6]", tag)]
    assert 1 == levels.count(1)
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_secondary_content_is_collapsed(full: str):
    """Tables and secondary figures are in closed `<details>` with summaries, which are open in print."""
    tags = [tag for tag, _ in Page(full).tags]
    assert tags.count("details") == tags.count("summary")
    assert {"Curves over severity", "Spectra of rank factors and unfoldings", "The numbers behind the figures"} <= {
        title.strip() for title in re.findall(r"<summary>(.*?)</summary>", full)
    }
    assert "open" not in {name for tag, given in Page(full).tags if tag == "details" for name in given}
    printed = full[full.index("@media print") : full.index("</style>")]
    assert "details::details-content { content-visibility: visible;" in printed


def test_the_note_on_the_linear_model_is_shown_once(full: str):
    """The note is shown once with the verdicts, not after each verdict."""
    assert 1 == full.count("No cell beats the linear model")


def test_an_empty_sweep_has_a_sentence_per_missing_part(empty: str):
    """Each missing figure or table is replaced by a sentence."""
    text = Page(empty).text
    for sentence in (
        "not finished",
        "There are no runs yet on which to test this claim.",
        "test MAE: no repeat is complete over all levels, so nothing is drawn.",
        "FGSM: no cell has complete runs, so nothing is drawn.",
        "Nothing is tuned, so there was no search.",
        "No row yet.",
    ):
        assert sentence in text
    assert "<svg" not in empty


def test_a_sweep_without_claims_has_no_verdict():
    """The report says that the sweep tests no claim."""
    whole = make_empty_results()
    text = Page(render_report(replace(whole, sweep=replace(whole.sweep, claims=())))).text
    assert "This sweep tests no claim" in text


def test_a_second_look_has_a_note():
    """The note states the number of looks and the adjusted level."""
    text = Page(render_report(replace(make_empty_results(), looks=2, alpha=0.025))).text
    assert "asked of these data 2 times" in text
    assert "with 0.025, 5 % divided by the number of looks" in text


def test_colors_are_variables_of_the_style_sheet(full: str):
    """Figures use CSS variables, so the same figure works in the light and the dark color scheme."""
    figures = re.findall(r"<svg.*?</svg>", full, re.DOTALL)
    assert [] == [color for figure in figures for color in re.findall("#[0-9a-f]{6}", figure)]
    used = set(re.findall(r"var\(--([\w-]+)\)", full))
    for scheme in re.findall(r":root \{(.*?)\}", full, re.DOTALL)[:2]:
        assert set() == {role for role in used if role.startswith("figure")} - set(re.findall(r"--([\w-]+):", scheme))


def test_a_figure_scales_with_the_page():
    """The SVG has a view box without a size, no font family and no metadata."""
    svg = str(to_inline_svg(draw_profile(make_profile(), "a < b"), "p-"))
    assert re.match(r'<svg viewBox="0 0 302\.4 212\.4"', svg)
    assert "font-family" not in svg
    assert "a &lt; b" in svg
    assert not re.search("matplotlib|metadata|<style", svg, re.IGNORECASE)


def test_the_sweep_file_reproduces_the_sweep(tmp_path: Path):
    """Loading the file gives the sweep that was run."""
    path = tmp_path / "rank.yaml"
    path.write_text(format_sweep_file(make_full_sweep()))
    assert make_full_sweep().to_question_document() == load_sweep(path).to_question_document()


def test_commands_to_reproduce_the_report():
    """The commands cover every step from the commit to the report."""
    assert format_commands(make_full_results()).splitlines() == [
        "git checkout 0123456789abcdef0123456789abcdef01234567   # plus changes that were not committed",
        "pip install .   # tcray 0.1.0",
        "tcray sweep rank.yaml   # the sweep file below",
        "tcray results rank-1 --html report.html --json results.json",
    ]
