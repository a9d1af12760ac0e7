"""What ``--vn 9x3`` means."""

from __future__ import annotations

import re
from collections.abc import Sequence

from maerisim.errors import MappingError


def sizes(requests: Sequence[str], multipliers: int) -> tuple[int, ...]:
    """Sizes of the virtual neurons in order of their multiplier switches.

    ``SIZExCOUNT`` asks for a number of them, ``SIZE`` for as many as fit beside the ones before.
    """
    placed: list[int] = []
    for request in requests:
        match = re.fullmatch(r"([1-9][0-9]*)(?:x([1-9][0-9]*))?", request)
        if match is None:
            raise MappingError(f"--vn {request}", ["expected SIZE or SIZExCOUNT in whole numbers from 1, such as 9x3"])
        size = int(match[1])
        placed += [size] * (int(match[2]) if match[2] else max(1, (multipliers - sum(placed)) // size))
        if sum(placed) > multipliers:
            violation = f"needs {sum(placed)} multiplier switches, the hardware has {multipliers}; ask for fewer"
            raise MappingError(f"--vn {request}", [violation])
    return tuple(placed)
