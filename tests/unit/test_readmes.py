"""The documentation: links lead somewhere, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maerisim.counts.events import DRAM_EVENTS, EVENTS
from maerisim.hardware.energy import EnergyTable

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "configs/README.md", "benchmarks/README.md", "maerisim/cli/README.md")]
SITE = sorted((ROOT / "maerisim" / "docs" / "pages").rglob("*.md"))
"""Pages of the documentation; ``make docs`` checks their links, which lead to generated pages as well."""


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, as GitHub makes it."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    assert links
    for link in links:
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", [*PAGES, *SITE], ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_scripts_and_modules_that_are_named_exist(page: Path) -> None:
    named = re.findall(
        r"`(?:python )?((?:benchmarks|maerisim|mapper|configs|tests)/[\w./*-]*)", page.read_text("utf-8")
    )
    for name in named:
        assert list(ROOT.glob(name.rstrip("/"))), name


def test_every_benchmark_is_described() -> None:
    text = (ROOT / "benchmarks" / "README.md").read_text("utf-8")
    for script in (ROOT / "benchmarks").glob("*.py"):
        assert script.name in {"run.py", "reporting.py"} or f"`{script.name}" in text, script.name


def test_the_table_of_energies_is_the_one_that_is_computed_with() -> None:
    text = (ROOT / "configs" / "README.md").read_text("utf-8").partition("### Energy\n")[2].partition("\n#")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| `")]
    fields = EnergyTable.model_fields
    expected = []
    for price, field in fields.items():
        if price != "unit":
            paid_for = [event for event in (*EVENTS, *DRAM_EVENTS) if event.price == price]
            events = "; ".join(f"{event.component}: {event.name} (`{event.count}`)" for event in paid_for)
            expected.append([f"`{price}`", f"{field.default:g}", str(field.description), events])
    assert rows == expected
    assert all(events for *_, events in expected)
    assert {event.price for event in (*EVENTS, *DRAM_EVENTS)} == {*fields} - {"unit"}
