"""The report: one HTML file, whole, honest about twins, and the same for the same results."""

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
    """What a page is made of: texts, ids, references, and whether every element is closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what the element says of itself."""
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
        """The same of one that holds nothing."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Only what was opened last can be closed."""
        assert tag == self.open.pop()

    def handle_data(self, data: str) -> None:
        """Keeps what is read."""
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def text(self) -> str:
        """All that is read."""
        return re.sub(r"\s+", " ", " ".join(self.texts))


@pytest.fixture(scope="module")
def full() -> str:
    """The report of results with every part."""
    return render_report(make_full_results())


@pytest.fixture(scope="module")
def thin() -> str:
    """The report of a sweep of which nothing is complete."""
    return render_report(make_empty_results())


def test_it_is_one_whole_file(full: str):
    """Every element is closed, and nothing is fetched from anywhere."""
    page = Page(full)
    assert [] == page.open
    assert [] == [reference for reference in page.references if not re.match(r"#|url\(#", reference)]
    assert not re.search(r"https?://|@import|url\((?!#)|<script", re.sub(r'xmlns="[^"]+"', "", full))


def test_every_reference_has_its_target_and_every_id_is_its_own(full: str):
    """Clip paths and markers of many figures do not meet."""
    page = Page(full)
    named = {re.sub(r"^#|^url\(#|\)$", "", reference) for reference in page.references}
    assert set() == named - set(page.ids)
    assert len(page.ids) == len(set(page.ids))


def test_the_same_results_give_the_same_bytes(full: str):
    """Nothing of the time, the place or the order of memory is in it."""
    assert full == render_report(make_full_results())


@pytest.mark.parametrize("which", ["full", "thin"])
def test_no_number_is_missing_on_the_page(which: str, request: pytest.FixtureRequest):
    """Neither as Python nor as numpy would print it."""
    assert [] == re.findall(r"\b(?:nan|NaN|None|inf|array)\b", Page(request.getfixturevalue(which)).text)


def test_it_opens_with_the_question_the_verdicts_and_the_data(full: str):
    """Before any figure."""
    page = Page(full).text
    places = [page.index(words) for words in ("Does rank matter?", ["Verdicts", " "][0], "The datasets, each")]
    assert places == sorted(places)
    assert full.index("The datasets, each") < full.index("<svg")


def test_every_verdict_is_a_word(full: str):
    """Its colour alone would say nothing to some."""
    badges = set(re.findall(r'<span class="badge [^>]*><span aria-hidden="true">.</span> ([a-z ]+)</span>', full))
    assert {"supported", "contradicted", "inconclusive", "not testable", "descriptive"} == badges


def test_a_twin_is_called_so_wherever_its_dataset_stands(full: str):
    """In the heading, beside every verdict, and in every figure's own title."""
    assert "mustard is a twin" in Page(full).text
    assert [] == re.findall(r"<text[^>]*>mustard(?! \(twin\))", full)
    assert [] == re.findall(r"<b>mustard</b>(?! <span class=\"source twin\">twin</span>)", full)


def test_without_twins_there_is_no_word_of_them():
    """The warning is for those who need it."""
    whole = make_empty_results()
    cards = [card for card in whole.manifest["cards"] if card["source"] == "real"]
    assert "Twin data" not in render_report(replace(whole, manifest={**whole.manifest, "cards": cards}))


def test_it_escapes_what_others_wrote():
    """A question, a sentence or a note is text."""
    whole = make_empty_results()
    cards = [{**whole.manifest["cards"][0], "notes": ["<img src=x>"]}]
    sweep = replace(whole.sweep, question="<b>&</b>")
    html = render_report(replace(whole, sweep=sweep, manifest={**whole.manifest, "cards": cards}))
    assert "&lt;b&gt;&amp;&lt;/b&gt;" in html
    assert "<img" not in html


def test_every_figure_and_table_says_what_it_is(full: str):
    """In words, for those who do not see it."""
    page = Page(full)
    panels = [given for _, given in page.tags if given.get("class") == "panel"]
    assert panels
    assert all(given["role"] == "img" and given["aria-label"] for given in panels)
    assert sum(tag == "figure" for tag, _ in page.tags) == sum(tag == "figcaption" for tag, _ in page.tags)
    assert sum(tag == "table" for tag, _ in page.tags) == sum(tag == "caption" for tag, _ in page.tags)


def test_headings_are_in_order(full: str):
    """No level is skipped, and there is one of the first."""
    levels = [int(tag[1]) for tag, _ in Page(full).tags if re.fullmatch("h[1-6]", tag)]
    assert 1 == levels.count(1)
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_page_opens_short(full: str):
    """Tables and secondary figures lie in drawers with titles; printed, they stand open."""
    tags = [tag for tag, _ in Page(full).tags]
    assert tags.count("details") == tags.count("summary")
    assert {"Curves over severity", "Spectra of rank factors and unfoldings", "The numbers behind the figures"} <= {
        title.strip() for title in re.findall(r"<summary>(.*?)</summary>", full)
    }
    assert "open" not in {name for tag, given in Page(full).tags if tag == "details" for name in given}
    printed = full[full.index("@media print") : full.index("</style>")]
    assert "details::details-content { content-visibility: visible;" in printed


def test_that_the_linear_model_is_not_beaten_is_said_once(full: str):
    """At the verdicts, and not at the end of each."""
    assert 1 == full.count("No cell beats the linear model")


def test_a_thin_sweep_says_what_is_absent(thin: str):
    """In a sentence each, in the place of the figures."""
    text = Page(thin).text
    for said in (
        "not finished",
        "There are no runs yet on which to test this claim.",
        "test MAE: no repeat is complete over all levels, so nothing is drawn.",
        "FGSM: no cell has complete runs, so nothing is drawn.",
        "Nothing is tuned, so there was no search.",
        "No row yet.",
    ):
        assert said in text
    assert "<svg" not in thin


def test_a_sweep_without_claims_bears_no_verdict():
    """And says so."""
    whole = make_empty_results()
    text = Page(render_report(replace(whole, sweep=replace(whole.sweep, claims=())))).text
    assert "This sweep tests no claim" in text


def test_a_second_look_is_told():
    """With what it costs."""
    text = Page(render_report(replace(make_empty_results(), looks=2, alpha=0.025))).text
    assert "asked of these data 2 times" in text
    assert "with 0.025, 5 % divided by the number of looks" in text


def test_colours_are_roles_of_the_style_sheet(full: str):
    """So that one picture serves in the light and in the dark."""
    figures = re.findall(r"<svg.*?</svg>", full, re.DOTALL)
    assert [] == [colour for figure in figures for colour in re.findall("#[0-9a-f]{6}", figure)]
    used = set(re.findall(r"var\(--([\w-]+)\)", full))
    for scheme in re.findall(r":root \{(.*?)\}", full, re.DOTALL)[:2]:
        assert set() == {role for role in used if role.startswith("figure")} - set(re.findall(r"--([\w-]+):", scheme))


def test_a_figure_scales_with_the_page():
    """It has a view box and no size, type without a family, and no word on what drew it."""
    svg = str(to_inline_svg(draw_profile(make_profile(), "a < b"), "p-"))
    assert re.match(r'<svg viewBox="0 0 302\.4 212\.4"', svg)
    assert "font-family" not in svg
    assert "a &lt; b" in svg
    assert not re.search("matplotlib|metadata|<style", svg, re.IGNORECASE)


def test_the_sweep_file_asks_the_same_question(tmp_path: Path):
    """Loaded, it is the sweep that was run."""
    path = tmp_path / "rank.yaml"
    path.write_text(format_sweep_file(make_full_sweep()))
    assert make_full_sweep().to_question_document() == load_sweep(path).to_question_document()


def test_it_says_how_to_make_it_again():
    """From the commit to the report."""
    assert format_commands(make_full_results()).splitlines() == [
        "git checkout 0123456789abcdef0123456789abcdef01234567   # plus changes that were not committed",
        "pip install .   # tcray 0.1.0",
        "tcray sweep rank.yaml   # the sweep file below",
        "tcray results rank-1 --html report.html --json results.json",
    ]
