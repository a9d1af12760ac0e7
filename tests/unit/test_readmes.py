"""The documentation: links lead somewhere, and what it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / name for name in ("README.md", "configs/README.md", "benchmarks/README.md", "maerisim/cli/README.md")]


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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.parent.name)
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
