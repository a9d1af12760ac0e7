"""Traces and waveforms of one layer: what every component did in each cycle of a window."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from maerisim import documents
from maerisim.engine.observers import Observer, all_of
from maerisim.engine.recording import CycleWindow
from maerisim.engine.run import EngineName
from maerisim.engine.watching import lengths, watch
from maerisim.errors import DocumentError, NotSupportedError
from maerisim.interruption import interruptible
from maerisim.mapping.notation import dims_words
from maerisim.reports.chrome_trace import ChromeTrace
from maerisim.reports.waveform import Waveform, require_waveforms
from maerisim.study.programs import LayerProgram, programs_of
from maerisim.study.tasks import FusedTask, Study
from maerisim.text import plural, shown, whole_number

USUAL_CYCLES = 5_000
"""Of a trace where no window is asked for: some 13 MB at 64 multipliers."""
MOST_CYCLES = 1_000_000
"""Of a window, which is held in memory."""


@dataclass(frozen=True)
class Traced:
    """The cycles ``first`` up to (not with) ``end`` of the ``cycles`` of a layer, and the files that they were written to."""

    layer: str
    first: int
    end: int
    cycles: int
    files: tuple[Path, ...]
    kinds_of_blocks: int = 1

    def __str__(self) -> str:
        window = f"cycles {self.first:,} to {self.end:,} of {self.cycles:,}"
        text = f"{self.layer}: {window} traced in {' and '.join(map(str, self.files))}"
        if self.end - self.first < self.cycles:
            text += "; --cycles A:B traces others"
        if self.kinds_of_blocks > 1:
            text += f"; each of {self.kinds_of_blocks} kinds of blocks runs once there, without DRAM"
        return text


def window_of(text: str) -> tuple[int, int | None]:
    """What ``A:B`` means: from cycle A up to, but not with, B; without A from the first, without B up to the last.

    Raises DocumentError.
    """
    first, colon, end = text.partition(":")
    begin, stop = whole_number(first or "0"), whole_number(end)
    if not colon or begin is None or (end and stop is None):
        raise DocumentError([f"--cycles {shown(text)}: expected A:B in whole numbers, such as 0:500 or 1000:"])
    if stop is not None and begin >= stop:
        raise DocumentError([f"--cycles {shown(text)}: expected the first cycle before the last"])
    return begin, stop


def require_one_layer(study: Study) -> None:
    """Raises NotSupportedError where several layers (or stages) would run."""
    names = [stage.name for stage in study.stages] + [task.name for task in study.tasks if isinstance(task, FusedTask)]
    if len(names) > 1:
        shown = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        raise NotSupportedError(
            f"a trace is of one layer or stage, found {len(names)}: {shown}; choose one with --layer"
        )


def run(
    study: Study,
    trace: Path | None,
    vcd: Path | None,
    window: tuple[int, int | None] | None,
    engine: EngineName = "compiled",
) -> Traced:
    """Run a layer and write its trace, its waveform, or both. Raises what ``window_of`` and ``require_one_layer`` do."""
    require_one_layer(study)
    if vcd is not None:
        require_waveforms()
    found = list(programs_of(study))
    programs = [each.program for each in found]
    cycles_of = interruptible(partial(lengths, programs, study.hardware))
    cut = window_within(window, sum(cycles_of), found[0].layer)
    title = f"{study.network}: {found[0].layer} on {study.hardware.name}"
    chrome = None if trace is None else ChromeTrace(study.hardware, title)
    wave = None if vcd is None else Waveform(study.hardware, programs, cut.first)
    observers: list[Observer] = [each for each in (chrome, wave) if each is not None]
    interruptible(partial(watch, programs, study.hardware, all_of(observers), cut, cycles_of, engine))
    if trace is not None and chrome is not None:
        documents.write(trace, chrome.text(slices(found, cycles_of, cut)))
    if vcd is not None and wave is not None:
        documents.write(vcd, wave.text())
    files = tuple(path for path in (trace, vcd) if path is not None)
    kinds = len({each.problem for each in found})
    return Traced(found[0].layer, cut.first, cut.end, sum(cycles_of), files, kinds)


def window_within(window: tuple[int, int | None] | None, cycles: int, layer: str) -> CycleWindow:
    """The cycles that are traced. Raises DocumentError for a window behind the end, NotSupportedError for too large a one."""
    if window is None:
        return CycleWindow(0, min(cycles, USUAL_CYCLES))
    first, end = window[0], cycles if window[1] is None else min(window[1], cycles)
    if first >= cycles:
        raise DocumentError([f"--cycles {first}:{window[1] or ''}: layer '{layer}' takes {cycles:,} cycles"])
    if end - first > MOST_CYCLES:
        raise NotSupportedError(
            f"--cycles {first}:{end}: a trace of {end - first:,} cycles, at most {MOST_CYCLES:,} are held"
        )
    return CycleWindow(first, end)


def slices(programs: list[LayerProgram], cycles_of: list[int], window: CycleWindow) -> list[tuple[str, int, int]]:
    """What runs when within a window."""
    found, begin = [], 0
    for each, cycles in zip(programs, cycles_of, strict=True):
        first, end = max(begin, window.first), min(begin + cycles, window.end)
        if first < end:
            of = "" if each.of == 1 else f", program {each.number} of {each.of}"
            block = ""
            if each.blocks > 1 and each.problem is not None:
                block = f", one of {plural(each.blocks, 'block')} of {dims_words(each.problem)}"
            found.append((f"{each.layer}: {each.mapping}{block}{of}", first, end))
        begin += cycles
    return found
