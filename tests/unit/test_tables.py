"""Tables in a terminal: what is cut, what goes on in the next line, and where gaps are."""

from __future__ import annotations

import io

from rich.console import Console

from maerisim.reports.table import Column, Page, Row
from maerisim.text import plural


def printed(page: Page, width: int = 60) -> list[str]:
    paper = io.StringIO()
    Console(width=width, file=paper, color_system=None).print(page.table())
    return [line.rstrip() for line in paper.getvalue().splitlines()]


def test_numbers_stand_to_the_right_and_totals_below() -> None:
    page = Page("", [Column("layer", number=False, total="total"), Column("cycles", total="105")], [Row(["a", "5"])])
    heading, *_ = (line for line in printed(page) if line)
    assert heading.split() == ["layer", "cycles"]
    row = next(line for line in printed(page) if "5" in line)
    last = printed(page)[-2]
    assert row.index("5") == last.index("105") + 2 == heading.index("cycles") + len("cycles") - 1
    assert last.split() == ["total", "105"]


def test_only_a_column_that_wraps_takes_more_lines() -> None:
    words = "one two three four"
    columns = [Column("name", number=False), Column("words", number=False, wraps=True, least_width=5)]
    lines = printed(Page("", columns, [Row(["abcdefgh", words])], apart=False), width=16)[2:]
    assert [line.split()[-1] for line in lines] == words.split()
    assert lines[0].startswith("abcdefgh ")


def test_what_does_not_fit_is_cut_and_says_so() -> None:
    (line,) = printed(Page("", [Column("")], [Row(["123456789"])], apart=False), width=6)
    assert line.strip() == "12345…"


def test_brackets_in_cells_are_not_markup() -> None:
    assert "[bold]a[/bold]" in " ".join(printed(Page("", [Column("x")], [Row(["[bold]a[/bold]"])])))


def test_a_page_without_headings_is_its_rows() -> None:
    page = Page(
        "", [Column("", number=False), Column("", number=False)], [Row(["a", "b"]), Row(["c", "d"])], apart=False
    )
    assert printed(page) == ["a b", "c d"]


def test_a_row_that_ends_a_section_is_followed_by_a_gap() -> None:
    rows = [Row(["a"], ends_section=True), Row(["b"])]
    lines = printed(Page("", [Column("x", number=False)], rows, apart=False))
    assert [line.strip() for line in lines[2:]] == ["a", "", "b"]


def test_plural() -> None:
    assert [plural(count, "layer") for count in (0, 1, 1200)] == ["0 layers", "1 layer", "1,200 layers"]
    assert [plural(2, noun) for noun in ("bus", "switch")] == ["2 buses", "2 switches"]
