"""What a worker does: map and simulate one layer, whatever happens."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from maerisim.errors import MaerisimError
from maerisim.reports.findings import NetworkReport
from maerisim.study.layer import map_layer, simulated
from maerisim.sweeps.plan import SweepTask


@dataclass(frozen=True)
class Measured:
    """The result of a layer on a piece of hardware, with the meanings of ``simulate --json``.

    ``first_result`` is the cycles up to the first result on a collection bus.
    """

    cycles: int
    first_result: int
    estimated_cycles: int
    error: float
    bound_cycles: int
    limited_by: str
    energy: float
    utilization: float
    mapping: dict[str, Any]
    counters: dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """How a task ended: ``measured``, or else the ``message`` of what went wrong."""

    key: str
    wall_seconds: float
    measured: Measured | None
    message: str | None = None


def run(task: SweepTask) -> Outcome:
    """Map and simulate; what goes wrong becomes the outcome, so that the other tasks of a sweep go on."""
    begin = time.perf_counter()
    measured, message = None, None
    try:
        measured = measure(task)
    except MaerisimError as error:
        message = "; ".join(str(error).splitlines())
    except Exception as error:  # noqa: BLE001 - one defect must not cost the results of a night
        message = f"{type(error).__name__}: {error} (this is a defect of maerisim, please report it)"
    return Outcome(task.key, time.perf_counter() - begin, measured, message)


def measure(task: SweepTask) -> Measured:
    """Map and simulate a layer. Raises MaerisimError when it cannot be mapped or does not come to an end."""
    layer = simulated(map_layer(task.layer, task.hardware, task.objective), task.hardware)
    found = NetworkReport(task.hardware, "", (layer,)).layer_dict(layer)
    known = {name: found[name] for name in Measured.__dataclass_fields__ if name in found}
    assert layer.result is not None
    return Measured(first_result=layer.result.first_result, **known)
