"""The documentation: its commands run as written, with the files it shows, and print what it shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from onnx import TensorProto, helper, save

from tests.cli.conftest import Finished

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "maerisim" / "docs" / "pages").rglob("*.md"))]
DEMO = ["validate", "maeri-64", "alexnet"]
"""What ``make demo`` runs."""


def examples(page: Path) -> Iterator[tuple[str, str]]:
    """(command, what is shown of its output): an indented line that begins with ``$``, and those below it."""
    indented = re.findall(r"(?:^    .*\n|^\n(?=    ))+", page.read_text("utf-8"), re.MULTILINE)
    for block in indented:
        yield from re.findall(r"^    \$ (.*)\n((?:(?!    \$ ).*\n)*)", block, re.MULTILINE)


@pytest.mark.parametrize("page", [page for page in PAGES if list(examples(page))], ids=lambda page: page.stem)
def test_commands_print_what_is_shown(
    page: Path, maerisim: Callable[..., Finished], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for text in re.findall(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
        name = re.match(r"# (\S+\.yaml)", text)
        if name:
            Path(name[1]).write_text(text)
    save_a_model(Path("model.onnx"))
    for command, shown in examples(page):
        words = shlex.split(command, comments=True)
        if words[:2] == ["pip", "install"]:
            continue
        ran = maerisim(*(DEMO if words == ["make", "demo"] else words[1:]))
        assert ran.code == 0, (command, ran.err)
        parts = shown.splitlines() if "# excerpt" in command else re.split(r"^ *\.\.\.$", shown, flags=re.MULTILINE)
        printed, place = in_one_line(ran.out + ran.err), 0
        for part in map(in_one_line, parts):
            place = printed.find(part, place)
            assert place >= 0, f"{command}: {part!r} is not in {printed!r}"
            place += len(part)


def in_one_line(text: str) -> str:
    return " ".join(text.split())


def save_a_model(path: Path) -> None:
    """A model of one convolution, for the pages that import one."""
    tensor = helper.make_tensor_value_info
    kernel = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], [1.0] * 108)
    node = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3])
    inputs, outputs = [tensor("x", TensorProto.FLOAT, [1, 3, 8, 8])], [tensor("y", TensorProto.FLOAT, [1, 4, 6, 6])]
    save(helper.make_model(helper.make_graph([node], "small", inputs, outputs, [kernel])), path)
