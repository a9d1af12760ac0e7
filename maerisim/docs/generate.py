"""The pages of the documentation that follow from the code, and those that stand beside it (a hook of mkdocs).

Every key of every document from the models that read it, every command from the command line, every statistic from the table of
events and the counters, every public name from its docstring. So they cannot say something else than the code does.
"""

from __future__ import annotations

import ast
import inspect
import os
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from itertools import pairwise
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import typer.models
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

import maerisim
from maerisim.cli.commands import app
from maerisim.cli.schemas import DOCUMENTS
from maerisim.counts import counters
from maerisim.counts.events import DRAM_EVENTS, EVENTS
from maerisim.documents.schemas import schema
from maerisim.reports import fabric_plot, figures

ROOT = Path(__file__).parents[2]
COPIES = {
    "reference/documents.md": "configs/README.md",
    "reference/output.md": "maerisim/cli/README.md",
    "measurements.md": "benchmarks/README.md",
    "search-techniques.md": "benchmarks/MSE.md",
    "design.md": "maerisim/DESIGN.md",
    "changes.md": "CHANGELOG.md",
}
"""Pages that stand beside what they describe."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    images: dict[str, Path] = {}
    made = {page: copied(page, source, images) for page, source in COPIES.items()}
    made |= {
        "reference/keys.md": keys(),
        "reference/commands.md": commands(),
        "reference/statistics.md": statistics(),
        "reference/python.md": python(),
        "limits.md": limits(),
    }
    for page, text in made.items():
        files.append(File.generated(config, page, content=text))
    files.append(File.generated(config, "virtual-neurons.svg", content=virtual_neurons()))
    for place, image in images.items():
        files.append(File.generated(config, place, abs_src_path=str(image)))
    return files


def virtual_neurons() -> bytes:
    """The picture of the first page, as ``maerisim show maeri-16 --vn 9x1 --vn 3x1 --vn 4x1 --svg FILE`` draws it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "virtual-neurons.svg"
        figures.write(path, lambda: fabric_plot.draw(maerisim.Hardware.load("maeri-16"), (9, 3, 4)))
        return path.read_bytes()


def limits() -> str:
    """What the README says that maerisim does not do."""
    text = (ROOT / "README.md").read_text("utf-8").partition("\n## What it does not do\n")[2]
    return "# What it does not do\n" + text


def _written() -> list[str]:
    """The pages that are written by hand, by their place in the site."""
    pages = ROOT / "maerisim" / "docs" / "pages"
    return [each.relative_to(pages).as_posix() for each in pages.rglob("*.md")]


def copied(page: str, source: str, images: dict[str, Path]) -> str:
    """A page from beside the code; links lead to pages of the site, and are code to anything else of the repository.

    The images that it shows are added to ``images``, by their place in the site.
    """
    pages = {source: page for page, source in COPIES.items()} | {"README.md": "index.md"}
    pages |= {f"maerisim/docs/pages/{each}": each for each in _written()}
    folder = PurePosixPath(source).parent

    def link(found: re.Match[str]) -> str:
        shown, text, target = found.groups()
        path, _, anchor = target.partition("#")
        if not path or "://" in path:
            return found.group()
        place = os.path.normpath(folder / path)
        if shown and (ROOT / place).is_file():
            images[f"images/{PurePosixPath(place).name}"] = ROOT / place
            return f"![{text}]({os.path.relpath('images', PurePosixPath(page).parent)}/{PurePosixPath(place).name})"
        if shown:  # of an experiment that has not run yet, as the page says
            return ""
        if place not in pages:
            return text if text.startswith("`") else f"{text} (`{place}`)"
        relative = os.path.relpath(pages[place], PurePosixPath(page).parent)
        return f"[{text}]({relative}{'#' + anchor if anchor and place != 'README.md' else ''})"

    return re.sub(r"(!?)\[([^\]]+)\]\(([^)\s]+)\)", link, (ROOT / source).read_text("utf-8"))


def keys() -> str:
    """Every key of every document."""
    lines = [
        "# Every key",
        "",
        "What each document may hold, as it is checked. `maerisim schema KIND` prints the same for an editor.",
        "",
    ]
    for kind, model in DOCUMENTS.items():
        described = schema(model)
        lines += [f"## {kind}", "", *_keys_of(described, described), ""]
        for name, part in sorted(described.get("$defs", {}).items()):
            if "properties" in part:
                lines += [f"### {kind}: {name}", "", *_keys_of(part, described), ""]
    return "\n".join(lines)


def _keys_of(part: dict[str, Any], whole: dict[str, Any]) -> Iterator[str]:
    yield part.get("description", "").replace("\n", " ")
    yield from ("", "| key | values | default | meaning |", "|---|---|---|---|")
    needed = part.get("required") or part.get("anyOf", [{}])[0].get(
        "required", ()
    )  # where a document may extend another
    for name, key in part["properties"].items():
        default = "required" if name in needed else _value(key.get("default"))
        yield f"| `{name}` | {_cell(_values(key, whole))} | {_cell(default)} | {_cell(key.get('description', ''))} |"


def _values(key: dict[str, Any], whole: dict[str, Any]) -> str:
    """What a key may hold, in words."""
    if "$ref" in key:
        name = key["$ref"].rpartition("/")[2]
        part = whole["$defs"][name]
        return name if "properties" in part else _values(part, whole)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in key:
            return " or ".join(dict.fromkeys(_values(each, whole) for each in key[several]))
    if "enum" in key:
        return ", ".join(_value(each) for each in key["enum"])
    if "const" in key:
        return _value(key["const"])
    if key.get("type") == "array":
        return "list of " + _values(key["items"], whole) if "items" in key else "list"
    if isinstance(key.get("additionalProperties"), dict):
        return f"mapping to {_values(key['additionalProperties'], whole)}"
    words = str(key.get("type", "anything"))
    low, high = key.get("minimum"), key.get("maximum")
    if low is not None:
        words += f" from {low:,}" + (f" to {high:,}" if high is not None else "")
    return words


def _value(value: object) -> str:
    return "" if value in (None, "") else f"`{value}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def commands() -> str:
    """Every command with its arguments and options, from the functions that run them."""
    lines = ["# Every command", "", "`maerisim COMMAND --help` says the same.", ""]
    for path, function in _commands_of(app, "maerisim"):
        hints = get_type_hints(function, include_extras=True)
        defaults = {name: each.default for name, each in inspect.signature(function).parameters.items()}
        lines += [f"## {path}", "", _prose(function), "", "| takes | | |", "|---|---|---|"]
        for name, hint in hints.items():
            if get_origin(hint) is Annotated:
                lines.append(_parameter(name, hint, defaults[name]))
        lines.append("")
    return "\n".join(lines)


def _commands_of(group: typer.Typer, path: str) -> Iterator[tuple[str, Any]]:
    """Every command with what is typed for it."""
    for command in group.registered_commands:
        assert command.callback is not None
        yield f"{path} {command.name or command.callback.__name__.replace('_', '-')}", command.callback
    for inner in group.registered_groups:
        if inner.typer_instance is not None:
            yield from _commands_of(inner.typer_instance, f"{path} {inner.typer_instance.info.name}")


def _parameter(name: str, hint: Any, default: object) -> str:
    """A row for an argument or an option: what is typed, what it may be, what it means."""
    kind, info = get_args(hint)[:2]
    choices = [choice for each in (kind, *get_args(kind)) if get_origin(each) is Literal for choice in get_args(each)]
    values = info.metavar or ", ".join(map(str, choices))
    if isinstance(info, typer.models.ArgumentInfo):
        return f"| `{info.metavar or name.upper()}` | {', '.join(map(str, choices))} | {_cell(info.help or '')} |"
    declared = [
        each for each in (info.default, *(info.param_decls or ())) if isinstance(each, str)
    ]  # typer keeps the first there
    names = " ".join(f"`{each}`" for each in declared or ["--" + name.replace("_", "-")])
    told = info.help or ""
    if choices and default is not inspect.Parameter.empty and default is not None:
        told += f" Default: `{default}`."
    return f"| {names} | {_cell(values)} | {_cell(told)} |"


def statistics() -> str:
    """Every counter, and what is paid for."""
    lines = [
        "# Statistics",
        "",
        "Counters are exact numbers of events, in words, operations or cycles. The counts that do not depend on the timing",
        "are also predicted by the analytic model, exactly.",
        "",
        "## Counters",
        "",
    ]
    for owner in (counters.Traffic, counters.Counters):
        lines += [f"### {owner.__name__}", "", _prose(owner), "", "| key | unit and meaning |", "|---|---|"]
        lines += [f"| `{name}` | {_cell(told)} |" for name, told in _told(owner).items()]
        lines.append("")
    derived = ("operations", "register_reads", "register_writes", "multiplier_words", "accumulation_accesses")
    lines += ["### Derived from these", "", "| key | unit and meaning |", "|---|---|"]
    lines += [f"| `{name}` | {_cell(_prose(getattr(counters.Traffic, name)))} |" for name in derived]
    lines.append("")
    lines += ["### Stalls", "", f"Causes: {', '.join(f'`{each}`' for each in counters.STALLS)}. "]
    lines += [
        "Why a multiplier switch with work left did nothing in a cycle: no room for its product, no weight, no input,"
    ]
    lines += ["no partial sum, no room at the neighbour for the input to forward.", ""]
    lines += [
        "## Energy",
        "",
        "Energy is the sum of events times their price, a key of `energy` in the hardware document.",
        "",
    ]
    lines += ["| component | event | counter | price |", "|---|---|---|---|"]
    lines += [f"| {e.component} | {e.name} | `{e.count}` | `{e.price}` |" for e in (*EVENTS, *DRAM_EVENTS)]
    lines += [
        "",
        "## Of a layer",
        "",
        "What commands print for each layer with `--json` is in [what the commands print](output.md).",
    ]
    lines += ["", "| statistic | formula | unit |", "|---|---|---|", *_FORMULAS]
    return "\n".join(lines) + "\n"


_FORMULAS = (
    "| `utilization` | operations / (cycles × multipliers) | fraction |",
    "| `error` | (estimated cycles - simulated cycles) / simulated cycles | signed fraction |",
    "| `bound` | bound_cycles / cycles | fraction, 1 cannot be beaten |",
    "| `energy` | Σ events × price, DRAM apart | the `unit` of the energy table |",
    "| time | cycles / clock | seconds, where the hardware has a `clock` |",
    "| power | energy / time | watts, where the energy unit is pJ |",
)


def _told(owner: type) -> dict[str, str]:
    """What stands below each field of a class."""
    (body,) = ast.parse(inspect.getsource(owner)).body
    assert isinstance(body, ast.ClassDef)
    return {
        field.target.id: ast.literal_eval(told.value)
        for field, told in pairwise(body.body)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(told, ast.Expr)
    }


def python() -> str:
    """Every public name."""
    lines = ["# The Python API", "", "What `maerisim` exports; [how to use it](../how-to/python.md).", ""]
    lines += _members("Functions", [name for name in maerisim.__all__ if inspect.isroutine(getattr(maerisim, name))])
    classes = [name for name in maerisim.__all__ if inspect.isclass(getattr(maerisim, name))]
    lines += _members("Errors", [name for name in classes if issubclass(getattr(maerisim, name), Exception)])
    lines += _members("Classes", [name for name in classes if not issubclass(getattr(maerisim, name), Exception)])
    return "\n".join(lines)


def _members(title: str, names: list[str]) -> Iterator[str]:
    yield from (f"## {title}", "")
    for name in names:
        member = getattr(maerisim, name)
        yield from (f"### {name}", "")
        if inspect.isroutine(member):
            yield from ("```python", f"maerisim.{name}{_signature(member)}", "```", "")
        yield from (_prose(member), "")
        described = getattr(member, "model_fields", None)
        if described:
            yield from ("| field | meaning |", "|---|---|")
            yield from (f"| `{key}` | {_cell(field.description or '')} |" for key, field in described.items())
            yield ""
        elif is_dataclass(member):
            yield from ("| field | type |", "|---|---|")
            yield from (f"| `{field.name}` | `{_cell(str(field.type))}` |" for field in fields(member))
            yield ""


def _signature(function: Any) -> str:
    """The parameters, each on a line of its own where there are many."""
    signature = inspect.signature(function)
    short = str(signature)
    if len(short) <= 80:
        return short
    kinds = [str(each) for each in signature.parameters.values()]
    first = next((k for k, p in enumerate(signature.parameters.values()) if p.kind is p.KEYWORD_ONLY), None)
    if first is not None:
        kinds.insert(first, "*")
    returns = "" if signature.return_annotation is signature.empty else f" -> {signature.return_annotation}"
    return "(\n    " + ",\n    ".join(kinds) + f",\n){returns}"


def _prose(member: object) -> str:
    """A docstring as Markdown: references to names become code."""
    text = inspect.getdoc(member) or ""
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"`\1`", text)
    return text.replace("``", "`")
