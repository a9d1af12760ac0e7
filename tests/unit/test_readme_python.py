"""The chapter "From Python": its examples run as written and print what it shows."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"


def test_the_examples_print_what_is_shown() -> None:
    chapter = re.split(r"^## ", README.read_text("utf-8").partition("\n## From Python\n")[2], flags=re.MULTILINE)[0]
    examples = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)
    assert len(examples) == chapter.count("```python") >= 5
    names: dict[str, object] = {}
    for code, shown in examples:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, "README.md", "exec"), names)  # noqa: S102 - our own examples
        assert printed.getvalue() == shown, code
