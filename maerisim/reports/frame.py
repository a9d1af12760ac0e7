"""Results as tables of pandas, which is imported only when one is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from maerisim.errors import NotSupportedError

if TYPE_CHECKING:
    import pandas as pd


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
