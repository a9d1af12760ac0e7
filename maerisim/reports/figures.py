"""How all figures look, and how they become files."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from maerisim import documents
from maerisim.documents import is_directory
from maerisim.errors import DocumentError, NotSupportedError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = {".png": {}, ".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
"""Endings of files, with what keeps the time of writing out of them: equal results give equal files."""
RESOLUTIONS = {".png": 200, ".svg": 120, ".pdf": 200}
"""Dots per inch; of an SVG those of the parts that are no vectors, as many points would make it large."""
FOOTNOTE_POINTS = 7
LETTERS_PER_INCH = 19
"""Of footnotes."""
HUES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
"""Okabe and Ito's colours, which are told apart with every kind of colour vision."""
STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "0.9",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.5,
    "legend.frameon": False,
    "svg.hashsalt": "maerisim",
    "text.parse_math": False,  # names may hold dollars
    "text.usetex": False,
}


def require(path: Path) -> None:
    """Raises DocumentError when there can be no figure in this file, NotSupportedError without matplotlib."""
    if path.suffix.lower() not in FORMATS:
        raise DocumentError([f"--plot {path}: expected a name that ends with {', '.join(FORMATS)}"])
    if is_directory(path):
        raise DocumentError([f"--plot {path}: is a directory, expected a file to write"])
    if not is_directory(path.absolute().parent):
        raise DocumentError([f"--plot {path}: there is no directory {path.parent}"])
    if find_spec("matplotlib") is None:
        raise NotSupportedError("--plot needs matplotlib, which is not installed (pip install 'maerisim[plot]')")


def set_logarithmic(panel: Axes, axes: str = "xy") -> None:
    """Logarithmic axes with plain numbers, as no text is read for formulas."""
    from matplotlib.ticker import FuncFormatter, NullFormatter

    for name in axes:
        getattr(panel, f"set_{name}scale")("log")
        axis = getattr(panel, f"{name}axis")
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())


def add_footnote(figure: Figure, text: str) -> None:
    """Say in small letters below the figure what its numbers are, in as many lines as it takes."""
    text = textwrap.fill(text, round(LETTERS_PER_INCH * figure.get_figwidth()))
    figure.supxlabel(text, x=0.01, ha="left", fontsize=FOOTNOTE_POINTS, color="0.4")


def add_title(figure: Figure, text: str) -> None:
    """Say above the figure what it shows."""
    figure.suptitle(text, x=0.01, ha="left", fontsize=STYLE["axes.titlesize"])


def write(path: Path, draw: Callable[[], Figure]) -> None:
    """Write the figure that ``draw`` makes. Raises DocumentError when the file cannot be written."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # a name in a script that the font lacks has boxes
        ending = path.suffix.lower()
        drawn = io.BytesIO()
        draw().savefig(drawn, format=ending[1:], dpi=RESOLUTIONS[ending], metadata=FORMATS[ending])
    documents.write(path, drawn.getvalue())
