"""Which weights of a layer are zero: drawn at a density from a seed, or given as a bitmap."""

from __future__ import annotations

import math
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


MOST_WEIGHTS = 2**27
"""Of a sparse layer: which of them are zero is held in memory, a byte each."""


class Sparsity(Model):
    """``density`` with ``seed``, or ``bitmap``."""

    density: float | None = Field(None, gt=0, le=1, description="probability with which each weight is not zero")
    seed: int = Field(0, ge=0, le=2**32 - 1, description="of the random numbers that decide, with density")
    bitmap: Bitmap | None = Field(
        None,
        description="a row per filter, a character per weight by channel, filter row and column: 0 where it is zero",
    )

    @model_validator(mode="after")
    def _check(self) -> Sparsity:
        problems: list[Complaint] = []
        if (self.density is None) == (self.bitmap is None):
            problems.append((("density",), "expected either a density or a bitmap"))
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
        if self.bitmap is None:
            return f"{{density: {self.density!r}, seed: {self.seed}}}"
        return "{bitmap: [" + ", ".join(f"'{row}'" for row in self.bitmap) + "]}"

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
    else:
        bits: Any = [[bit == "1" for bit in row] for row in (sparsity.bitmap or ())[:filters]]
        mask = np.array(bits).reshape(filters, -1, rows, columns)[:, :channels]
    mask.flags.writeable = False
    return mask
