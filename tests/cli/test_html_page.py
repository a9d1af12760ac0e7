"""``maerisim report --html``: the page in a browser without a screen; skipped where there is no Chromium."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ARGUMENTS = ("maeri-16", "tiny", *(word for layer in ("conv3x3", "max_pool", "linear") for word in ("--layer", layer)))
QUIET = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from maerisim.cli import main

    path = tmp_path_factory.mktemp("page") / "report.html"
    with pytest.raises(SystemExit) as left:
        main(["report", *ARGUMENTS, "--html", str(path), "--json"])
    assert left.value.code == 0
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="driving a browser needs playwright, which is not installed"
    )
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium, chromium-browser or google-chrome on the path")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=chromium, args=list(QUIET))
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser, written: Path) -> Iterator[Page]:
    """The page, opened; what it complains of, and what it asks others for, ends the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    opened, complaints = context.new_page(), list[str]()
    opened.on("console", lambda message: complaints.append(f"console: {message.text}"))
    opened.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    opened.on(
        "request", lambda asked: None if asked.url.startswith(("file:", "data:")) else complaints.append(asked.url)
    )
    opened.goto(written.as_uri())
    yield opened
    assert complaints == []
    context.close()


def column(page: Page, place: int) -> list[str]:
    return page.locator(f"#layers tbody tr:visible > :nth-child({place})").all_inner_texts()


def open_layer(page: Page, name: str) -> None:
    page.locator("#layers tbody").get_by_role("link", name=name).click()
    expect_layer(page, name)


def expect_layer(page: Page, name: str) -> None:
    """Wait until the layer is shown: a browser tells a page of a new address some time after the click."""
    from playwright.sync_api import expect

    expect(page.locator("h1:visible")).to_have_text(re.compile(f"^{name}"))


def test_the_table_is_sorted_and_filtered(page: Page) -> None:
    assert column(page, 1) == ["conv3x3", "max_pool", "linear"]
    page.get_by_role("button", name="cycles").click()
    cycles = [int(text.replace(",", "")) for text in column(page, 3)]
    assert cycles == sorted(cycles, reverse=True)
    page.get_by_role("button", name="cycles").click()
    assert [int(text.replace(",", "")) for text in column(page, 3)] == sorted(cycles)
    page.get_by_role("button", name="layer").click()
    assert column(page, 1) == ["conv3x3", "linear", "max_pool"]
    page.keyboard.press("/")
    page.keyboard.type("max")
    assert column(page, 1) == ["max_pool"]
    assert page.locator("#shown").inner_text() == "1 of 3 shown"


def test_bars_are_worst_first_and_every_layer_has_a_point(page: Page) -> None:
    cycles = [int(text.replace(",", "")) for text in page.locator("#bars .number").all_inner_texts()]
    assert len(cycles) == 3
    assert cycles == sorted(cycles, reverse=True)
    assert page.locator("#roof .point").count() == 3


def test_a_replay_plays_and_is_stepped_with_keys(page: Page) -> None:
    from playwright.sync_api import expect

    open_layer(page, "conv3x3")
    where = page.locator("#replay output")
    assert where.inner_text().startswith("cycle 0 of ")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert where.inner_text().startswith("cycle 2 of ")
    assert page.locator("#replay .dist.on").count() > 0
    page.keyboard.press("End")
    assert page.locator("#slider").input_value() == page.locator("#slider").get_attribute("max")
    page.keyboard.press("2")
    assert page.get_by_role("button", name="steady state").get_attribute("aria-pressed") == "true"
    assert page.locator("#replay .switch.work").count() == 16
    before = where.inner_text()
    page.get_by_label("Cycles a second").select_option("16")
    page.get_by_role("button", name="play").click()
    expect(where).not_to_have_text(before)
    page.get_by_role("button", name="pause").click()
    page.keyboard.press("3")
    page.keyboard.press("End")
    assert "of 4,644" in where.inner_text()
    assert where.inner_text().startswith("cycle 4,643 ")
    page.keyboard.press("Escape")
    expect(page.locator("#layers")).to_be_visible()


def test_the_slider_shows_what_waits(page: Page) -> None:
    open_layer(page, "linear")
    page.locator("#slider").fill("0")
    assert "waiting: 16 no weight" in page.locator("#now").inner_text()
    assert page.locator("#replay .cause.on").count() == 16


def test_one_layer_follows_another(page: Page) -> None:
    open_layer(page, "conv3x3")
    page.keyboard.press("n")
    expect_layer(page, "max_pool")
    page.go_back()
    expect_layer(page, "conv3x3")


def test_light_and_dark_follow_the_system_until_they_are_chosen(page: Page) -> None:
    from playwright.sync_api import expect

    def paper() -> Any:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = paper()
    page.keyboard.press("t")
    dark = paper()
    assert dark != light
    page.keyboard.press("t")
    assert paper() == light
    page.emulate_media(color_scheme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert paper() == dark
    page.emulate_media(media="print")
    assert paper() == light


def test_the_page_is_rerun_to_the_same_cycles(maerisim: Callable[..., Any], written: Path) -> None:
    finished = maerisim("rerun", written)
    assert finished.code == 0
    assert "3 runs, all with the cycles that are stored" in finished.out


def test_what_cannot_be_written_is_refused_before_anything_runs(maerisim: Callable[..., Any], tmp_path: Path) -> None:
    for place, why in ((tmp_path, "is a directory"), (tmp_path / "none" / "page.html", "there is no directory")):
        finished = maerisim("report", *ARGUMENTS, "--html", place)
        assert finished.code == 2
        assert why in finished.err
