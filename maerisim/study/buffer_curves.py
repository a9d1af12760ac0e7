"""For each layer the least DRAM words at every size of the global buffer, and those of our mappings at some."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.memory.blocks import compulsory_words
from maerisim.memory.buffer_curve import BufferCurve, buffer_curve
from maerisim.reports.buffer_curve import BufferCurves, CurvePoint, LayerCurve
from maerisim.reports.findings import LayerReport, UnsupportedLayer
from maerisim.study import warmup
from maerisim.study.forecast import foresee_curves
from maerisim.study.layer import chosen
from maerisim.study.progress import ProgressCallback, Tell
from maerisim.study.runner import collected, each_stage
from maerisim.study.tasks import StageTask, Study
from mapper import find_by_buffer

MOST_POINTS = 6
"""Buffers for which a layer is mapped."""
BEYOND = 3
"""Doublings of the buffer after the end of the curve: blocks of whole tiles take more room than any blocks."""


def run(study: Study, progress: ProgressCallback | None = None) -> BufferCurves:
    """The curve of every layer; Ctrl-C or an error ends with what is finished by then."""
    hardware = with_buffer(study.hardware, 1)
    foresee_curves(study, hardware)
    warmup.ensure(warmup.needed_by(hardware))
    return collected(partial(BufferCurves, objective=study.objective), study, curves(study, progress))


def curves(study: Study, progress: ProgressCallback | None) -> Iterator[LayerCurve | UnsupportedLayer]:
    """Every layer with its curve."""
    for entry in each_stage(study, progress, partial(curve_of, study)):
        if isinstance(entry, UnsupportedLayer):
            yield entry
        else:
            stage, found = entry
            yield replace(found, layer=stage.named(found.layer))


def with_buffer(hardware: Hardware, words: int) -> Hardware:
    """The hardware with a global buffer of so many words."""
    return hardware.with_overrides({"global_buffer.words": words})


def buffers_of(curve: BufferCurve) -> list[int]:
    """Powers of two from the smallest buffer that holds a block to well beyond the one from which words no longer fall."""
    first, last = int(curve.buffer[0] - 1).bit_length(), int(curve.buffer[-1] - 1).bit_length() + BEYOND
    step = max(1, -(-(last - first) // (MOST_POINTS - 1)))
    return [1 << power for power in sorted({*range(last, first - 1, -step)})]


def curve_of(study: Study, task: StageTask, tell: Tell) -> LayerCurve:
    """The curve of one layer, and our mappings at some buffers."""
    tell(f"{task.name}: every block", 0)
    curve = buffer_curve(task.problem)
    buffers = buffers_of(curve)
    points: list[CurvePoint] = []
    found: LayerReport | None = None
    largest_first = buffers[::-1]
    machines = [with_buffer(study.hardware, words) for words in largest_first]
    choices = find_by_buffer(task.problem, machines, study.objective, study.effort)
    for place, words in enumerate(largest_first):
        tell(f"{task.name}: a buffer of {words:,} words", place / len(buffers))
        layer: LayerReport | None = None
        choice = next(choices)
        if isinstance(choice, MappingError):
            if found is None:
                raise choice
        else:
            layer = found = chosen(task, choice)
        points.append(CurvePoint(words, curve.least(words), layer))
    assert found is not None
    return LayerCurve(found, curve, tuple(reversed(points)), sum(compulsory_words(task.problem).values()))
