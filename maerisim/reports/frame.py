"""Results as rows: tables of pandas, which is imported only when one is asked for, and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from maerisim.errors import NotSupportedError

if TYPE_CHECKING:
    import pandas as pd


def csv_text(rows: Sequence[Mapping[str, Any]]) -> str:
    """A heading and a line for each of ``rows``, which are flat; what a row does not have is left empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    paper = io.StringIO()
    writer = csv.DictWriter(paper, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return paper.getvalue()


def frame(rows: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A DataFrame with a row for each of ``rows``, flat as in ``flat``. Raises NotSupportedError without pandas."""
    try:
        import pandas as pd
    except ImportError as error:
        msg = "to_frame needs pandas, which is not installed (pip install 'maerisim[frame]')"
        raise NotSupportedError(msg) from error
    return pd.DataFrame([flat(row) for row in rows])


def flat(row: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """What a row holds by dotted name; loops become ``K P Q``, other lists are left to ``to_dict``."""
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{name}.")
        elif not isinstance(value, list | tuple):
            found[f"{prefix}{name}"] = value
        elif value and all(isinstance(each, str) for each in value):
            found[f"{prefix}{name}"] = " ".join(value)
    return found
