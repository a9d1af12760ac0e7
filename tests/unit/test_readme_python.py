"""The examples in Python: they run as written and print what is shown below them."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = {ROOT / "README.md": 2, ROOT / "maerisim" / "docs" / "pages" / "how-to" / "python.md": 5}
"""Pages, and how many examples they have at least."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_print_what_is_shown(page: Path) -> None:
    text = page.read_text("utf-8")
    examples = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert len(examples) == text.count("```python") >= PAGES[page]
    names: dict[str, object] = {}
    for code, shown in examples:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, page.name, "exec"), names)  # noqa: S102 - our own examples
        assert printed.getvalue() == shown, code
