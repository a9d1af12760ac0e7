"""A profile report as one HTML page: template, style and script are files beside this one."""

from __future__ import annotations

import json
from importlib.metadata import version
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from maerisim.documents import is_directory
from maerisim.errors import DocumentError, NotSupportedError
from maerisim.reports.html.contents import HEADINGS, contents, figures, notes, rows
from maerisim.reports.profile_report import ProfileReport
from maerisim.reports.provenance import provenance
from maerisim.text import harmless

SCRIPTS = ("elements", "network", "layer", "fabric", "player", "routes")
"""Files of the script, in the order in which they run, as one."""
_SIGNIFICANT = 6
"""Digits of a fraction in the page's data."""


def require(path: Path) -> None:
    """Raises DocumentError when there can be no page in this file, NotSupportedError without jinja2."""
    if is_directory(path):
        raise DocumentError([f"--html {path}: is a directory, expected a file to write"])
    if not is_directory(path.absolute().parent):
        raise DocumentError([f"--html {path}: there is no directory {path.parent}"])
    require_jinja()


def require_jinja() -> None:
    """Raises NotSupportedError without jinja2."""
    if find_spec("jinja2") is None:
        raise NotSupportedError("an HTML page needs jinja2, which is not installed (pip install 'maerisim[html]')")


def page(report: ProfileReport) -> str:
    """The page, complete in itself. Raises NotSupportedError without jinja2."""
    require_jinja()
    import jinja2

    beside = files("maerisim.reports.html")
    template = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    text = (beside / "page.html.j2").read_text("utf-8")
    return template.from_string(text).render(
        network=harmless(report.network),
        hardware=harmless(report.hardware.name),
        multipliers=report.hardware.multipliers,
        version=version("maerisim"),
        figures=figures(report),
        headings=HEADINGS,
        rows=rows(report),
        unsupported=[tuple(map(harmless, (each.name, each.op, each.reason))) for each in report.unsupported],
        notes=notes(report),
        style=(beside / "page.css").read_text("utf-8"),
        script="\n".join((beside / "script" / f"{name}.js").read_text("utf-8") for name in SCRIPTS),
        data=embedded(_rounded(contents(report))),
        provenance=embedded(provenance(report.hardware, report.results.layers)),
    )


def embedded(data: Any) -> str:
    """JSON that can stand in a script element, whatever its texts say: no ``<`` is left to end it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for each in "<>&\u2028\u2029":
        text = text.replace(each, f"\\u{ord(each):04x}")
    return text


def _rounded(data: Any) -> Any:
    """The same with fractions as long as they can be seen."""
    if isinstance(data, float):
        return float(f"{data:.{_SIGNIFICANT}g}")
    if isinstance(data, dict):
        return {key: _rounded(value) for key, value in data.items()}
    return [_rounded(each) for each in data] if isinstance(data, list | tuple) else data
