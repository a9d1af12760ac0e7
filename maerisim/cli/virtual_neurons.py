"""What ``--vn 9x3`` means."""

from __future__ import annotations

from collections.abc import Sequence

from maerisim.errors import MappingError
from maerisim.text import shown, whole_number


def sizes(requests: Sequence[str], multipliers: int) -> tuple[int, ...]:
    """Sizes of the virtual neurons in order of their multiplier switches.

    ``SIZExCOUNT`` asks for a number of them, ``SIZE`` for as many as fit beside the ones before.
    """
    placed: list[int] = []
    for request in requests:
        first, times, second = request.partition("x")
        size, count = whole_number(first), whole_number(second) if times else None
        if not size or (times and not count):
            raise MappingError(
                f"--vn {shown(request)}", ["expected SIZE or SIZExCOUNT in whole numbers from 1, such as 9x3"]
            )
        count = count or max(1, (multipliers - sum(placed)) // size)
        needed = sum(placed) + size * count
        if needed > multipliers:
            violation = f"needs {needed} multiplier switches, the hardware has {multipliers}; ask for fewer"
            raise MappingError(f"--vn {shown(request)}", [violation])
        placed += [size] * count
    return tuple(placed)
