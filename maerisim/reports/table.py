"""The one builder of terminal tables: columns, rows and notes as plain data, and what rich makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from maerisim.text import harmless, harmless_lines, shown

if TYPE_CHECKING:
    from rich.table import Table

LONGEST_CELL = 100
"""Characters of a cell that does not wrap, however wide the screen is."""
GAP = 2
"""Columns of the screen between two of the table."""


@dataclass(frozen=True)
class Column:
    """A column: its heading, whether it holds numbers, and what stands below it in the row of totals.

    A column that ``wraps`` goes on in the next line where the screen is too narrow, but is ``least_width`` wide; of others
    an ellipsis says that something is cut. Before that columns are left out that can be spared: the most ``spare`` first,
    those of 0 never.
    """

    heading: str
    number: bool = True
    total: str = ""
    wraps: bool = False
    least_width: int | None = None
    spare: int = 0


@dataclass(frozen=True)
class Row:
    """The cells of a row, its style, those of its cells, and whether a gap follows."""

    cells: Sequence[str]
    style: str = ""
    cell_styles: Sequence[str] = ()
    ends_section: bool = False


@dataclass(frozen=True)
class Page:
    """A table with its title and what has to be said below it. ``apart``: with an empty line before and after."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    notes: Sequence[str] = ()
    apart: bool = True

    @property
    def headed(self) -> bool:
        """Whether any column has a heading."""
        return any(column.heading for column in self.columns)

    def fitted(self, width: int) -> Page:
        """The page for a screen of ``width`` columns: without columns that can be spared where it is wider; a note says which."""
        page, left_out = self, []
        while page._least_width() > width and any(column.spare for column in page.columns):
            place = max(range(len(page.columns)), key=lambda k: page.columns[k].spare)
            left_out.append(page.columns[place].heading)
            page = page._without(place)
        if not left_out:
            return self
        words = ", ".join(left_out)
        return replace(
            page, notes=[*page.notes, f"Left out in {width} columns: {words}; --json and --csv have everything."]
        )

    def _without(self, place: int) -> Page:
        """The page without one of its columns."""

        def others(cells: Sequence[Any]) -> list[Any]:
            return [*cells[:place], *cells[place + 1 :]]

        rows = [replace(row, cells=others(row.cells), cell_styles=others(row.cell_styles)) for row in self.rows]
        return replace(self, columns=others(self.columns), rows=rows)

    def _least_width(self) -> int:
        """Columns of the screen that it takes where everything that can wrap does."""
        from rich.cells import cell_len

        widths = []
        for place, column in enumerate(self.columns):
            cells = [shown(row.cells[place], LONGEST_CELL) for row in self.rows]
            if column.wraps:
                cells = [word[: column.least_width] for cell in cells for word in cell.split()]
            least = max(map(cell_len, [*column.heading.split("\n"), column.total, *cells]), default=0)
            widths.append(max(least, column.least_width or 0))
        return sum(widths) + GAP * len(widths)

    def table(self) -> Table:
        """The table for rich to print."""
        from rich import box
        from rich.table import Table
        from rich.text import Text

        table = Table(
            box=box.SIMPLE_HEAD if self.headed else None,
            padding=(0, 1, 0, 0),
            pad_edge=False,
            show_edge=self.apart,
            show_header=self.headed,
            show_footer=any(column.total for column in self.columns),
        )
        for column in self.columns:
            table.add_column(
                Text(harmless_lines(column.heading)),
                footer=Text(harmless(column.total)),
                justify="right" if column.number else "left",
                no_wrap=not column.wraps,
                min_width=column.least_width,
                overflow="fold" if column.wraps else "ellipsis",
            )
        for row in self.rows:
            styles = row.cell_styles or [""] * len(row.cells)
            seen = [
                harmless(cell) if column.wraps else shown(cell, LONGEST_CELL)
                for cell, column in zip(row.cells, self.columns, strict=True)
            ]
            cells = [Text(cell, style) for cell, style in zip(seen, styles, strict=True)]
            table.add_row(*cells, style=row.style, end_section=row.ends_section)
        return table
