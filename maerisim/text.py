"""Text that others wrote, shown so that it does nothing to a terminal, a table or a figure; and the numbers in it and in what we write."""

from __future__ import annotations

LONGEST = 60
"""Characters that a table, a label or a message has room for."""
MOST_DIGITS = 40
"""Of a whole number: beyond every size, and far from the thousands that Python refuses to read."""


def harmless(text: str) -> str:
    """``text`` with an escape (``\\x1b``, ``\\u202e``) for every character that cannot be seen.

    These are control characters and line ends, marks that turn the direction of what follows, and spaces other than
    the usual one. Nothing that is shown so is changed by being shown so again.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def harmless_lines(text: str) -> str:
    """The same for a text of several lines, which keeps its line ends."""
    return "\n".join(map(harmless, text.split("\n")))


def shown(text: str, most: int = LONGEST) -> str:
    """``text`` made harmless, and cut where it is longer than ``most``."""
    seen = harmless(text)
    return seen if len(seen) <= most else f"{seen[: most - 3]}..."


def plural(number: int, noun: str) -> str:
    """A number of things: ``1 layer``, ``1,200 layers``, ``2 buses``, ``2 switches``."""
    ending = "es" if noun.endswith(("s", "ch")) else "s"
    return f"{number:,} {noun}{'' if number == 1 else ending}"


def whole_number(text: str) -> int | None:
    """The number from 0 that is written in decimal digits, None for anything else and for more than ``MOST_DIGITS`` of them."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS else None
