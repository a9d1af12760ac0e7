"""Which weights of a layer are zero: drawn at a density or in an N:M pattern from a seed, or given as a bitmap."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from maerisim import documents
from maerisim.documents import Complaint, Model

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]


def _rows(value: object) -> object:
    if isinstance(value, (list, tuple)) and value and all(isinstance(row, str) and row for row in value):
        wrong = [row for row in value if set(row) - {"0", "1"}]
        if not wrong:
            return tuple(value)
        msg = f"expected rows of 0 and 1, found '{wrong[0][:20]}'"
        raise ValueError(msg)
    msg = f"expected a list of rows like '0110' (in quotes), found {documents.described(value)}"
    raise ValueError(msg)


Bitmap = Annotated[
    tuple[str, ...],
    BeforeValidator(_rows),
    WithJsonSchema({"type": "array", "items": {"type": "string", "pattern": "^[01]+$"}, "minItems": 1}),
]


def _pattern(value: object) -> object:
    match = re.fullmatch(r"([0-9]{1,9}):([0-9]{1,9})", value) if isinstance(value, str) else None
    if match is None or not 1 <= int(match[1]) <= int(match[2]):
        msg = f"expected a pattern like 2:4, at least one of so many weights, found {documents.described(value)}"
        raise ValueError(msg)
    return f"{int(match[1])}:{int(match[2])}"


Pattern = Annotated[
    str, BeforeValidator(_pattern), WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,9}:[0-9]{1,9}$"})
]

MOST_WEIGHTS = 2**27
"""Of a sparse layer: which of them are zero is held in memory, a byte each."""


class Sparsity(Model):
    """``density`` or ``pattern`` with ``seed``, or ``bitmap``."""

    density: float | None = Field(None, gt=0, le=1, description="probability with which each weight is not zero")
    pattern: Pattern | None = Field(
        None,
        description="N:M: of every M neighbouring channels, at the same place of the same filter, N weights are not zero; "
        "of fewer channels at the end as many of them, if there are so many",
    )
    seed: int = Field(0, ge=0, le=2**32 - 1, description="of the random numbers that decide, without a bitmap")
    bitmap: Bitmap | None = Field(
        None,
        description="a row per filter, a character per weight by channel, filter row and column: 0 where it is zero",
    )

    @model_validator(mode="after")
    def _check(self) -> Sparsity:
        problems: list[Complaint] = []
        if sum(given is not None for given in (self.density, self.pattern, self.bitmap)) != 1:
            problems.append((("density",), "expected either a density, a pattern or a bitmap"))
        if self.bitmap is not None and "seed" in self.model_fields_set:
            problems.append((("seed",), "a bitmap has none"))
        if problems:
            raise documents.complaints_error(problems)
        return self

    def problems_for(self, filters: int, weights: int) -> list[Complaint]:
        """What is wrong with it for ``filters`` of ``weights`` each, at the keys of a document that holds it."""
        if self.bitmap is None:
            if filters * weights <= MOST_WEIGHTS:
                return []
            found = f"{filters:,} filters of {weights:,} weights"
            return [((), f"expected at most {MOST_WEIGHTS:,} weights, each of which is drawn, found {found}")]
        if len(self.bitmap) != filters:
            return [(("bitmap",), f"expected {filters} rows, one per filter, found {len(self.bitmap)}")]
        return [
            (("bitmap", index), f"expected {weights} weights, found {len(row)}")
            for index, row in enumerate(self.bitmap)
            if len(row) != weights
        ]

    def as_yaml(self) -> str:
        """The same in one line of a document."""
        if self.density is not None:
            return f"{{density: {self.density!r}, seed: {self.seed}}}"
        if self.pattern is not None:
            return f"{{pattern: '{self.pattern}', seed: {self.seed}}}"
        return "{bitmap: [" + ", ".join(f"'{row}'" for row in self.bitmap or ()) + "]}"

    def mask(self, filters: int, channels: int, rows: int, columns: int) -> Mask:
        """Where weights (filters of all groups, channels of a group, rows, columns) are not zero; read-only.

        A smaller layer than that of the bitmap has its first filters and channels.
        """
        return _mask(self, (filters, channels, rows, columns))


_DRAWN_AT_ONCE = 2**20


@lru_cache(maxsize=16)
def _mask(sparsity: Sparsity, shape: tuple[int, int, int, int]) -> Mask:
    import numpy as np

    filters, channels, rows, columns = shape
    if sparsity.density is not None:
        generator, mask = np.random.default_rng(sparsity.seed), np.empty(math.prod(shape), np.bool_)
        for begin in range(0, mask.size, _DRAWN_AT_ONCE):
            part = mask[begin : begin + _DRAWN_AT_ONCE]
            np.less(generator.random(part.size, np.float32), sparsity.density, out=part)
        mask = mask.reshape(shape)
    elif sparsity.pattern is not None:
        kept, _, of = sparsity.pattern.partition(":")
        mask = _patterned(int(kept), int(of), sparsity.seed, shape)
    else:
        bits: Any = [[bit == "1" for bit in row] for row in (sparsity.bitmap or ())[:filters]]
        mask = np.array(bits).reshape(filters, -1, rows, columns)[:, :channels]
    mask.flags.writeable = False
    return mask


def _patterned(kept: int, of: int, seed: int, shape: tuple[int, int, int, int]) -> Mask:
    """Where the weights are not zero that are ``kept`` ``of`` so many channels: those of the least random numbers."""
    import numpy as np

    filters, channels, rows, columns = shape
    together = min(of, channels)
    blocks = -(-channels // together)
    generator, mask = np.random.default_rng(seed), np.zeros((filters, rows, columns, blocks * together), np.bool_)
    at_once = max(1, _DRAWN_AT_ONCE // mask[0].size)
    for begin in range(0, filters, at_once):
        part = mask[begin : begin + at_once]
        drawn = generator.random(part.shape, np.float32)
        drawn[..., channels:] = 2  # never among the least where there are enough channels
        places = drawn.reshape(*part.shape[:-1], blocks, together).argsort(axis=-1)[..., :kept]
        np.put_along_axis(part.reshape(*part.shape[:-1], blocks, together), places, values=True, axis=-1)
    return np.ascontiguousarray(mask[..., :channels].transpose(0, 3, 1, 2))
