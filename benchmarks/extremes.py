"""Every number of the hardware document at its least and greatest value, alone and in random pairs, with small layers of every type.

    python benchmarks/extremes.py [--pairs N] [--seed SEED] [--only PATH]

Each layer gets a mapping from the mapper, is estimated, and is simulated by both engines, once with values; all have to agree with each
other and with NumPy. What cannot run has to be refused with a message. Anything else is a failure: another exception, a
difference, and whatever takes the processor longer than a minute. The event engine is left out where a run would take it too long
(it is counted how often). Seeds differ from run to run unless one is given. The last line is JSON; the exit code is 1 where
anything failed.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from reporting import Line, Report, options, progress, run_script, show

from maerisim import Hardware, MaerisimError, Network
from maerisim.counts.counters import differences
from maerisim.hardware.hardware import MAX_MULTIPLIERS
from maerisim.ways.way import estimate, simulate
from maerisim.workload.layers import Fused
from maerisim.workload.problem import FusedProblem, Problem
from maerisim.workload.reference import fused_reference, random_fused_operands, random_operands, reference_outputs
from mapper import find_fused, find_mapping

BASE = "maeri-16"
PATIENCE_SECONDS = 60.0
"""Of the processor, what counts as a hang."""
SWITCH_CYCLES = 200_000
"""Cycles times multipliers and pipeline registers that the event engine is given."""

LAYERS = Network.model_validate(
    {
        "name": "small",
        "layers": [
            {"name": "conv", "op": "conv2d", "input": [3, 5, 5], "filters": 3, "kernel": 3, "padding": 1},
            {
                "name": "strided",
                "op": "conv2d",
                "input": [2, 7, 7],
                "filters": 5,
                "kernel": 2,
                "stride": 2,
                "dilation": 2,
            },
            {"name": "depthwise", "op": "conv2d", "input": [4, 5, 5], "filters": 4, "kernel": 3, "groups": 4},
            {"name": "max_pool", "op": "max_pool2d", "input": [3, 6, 6], "kernel": 2, "stride": 2},
            {"name": "avg_pool", "op": "avg_pool2d", "input": [3, 4, 4], "kernel": 4},
            {"name": "linear", "op": "linear", "inputs": 40, "outputs": 7, "batch": 2},
            {"name": "matmul", "op": "matmul", "batch": 2, "m": 3, "k": 6, "n": 5},
            {
                "name": "transposed",
                "op": "conv_transpose2d",
                "input": [2, 3, 3],
                "filters": 2,
                "kernel": 3,
                "stride": 2,
            },
            {"name": "volume", "op": "conv3d", "input": [2, 3, 4, 4], "filters": 2, "kernel": 2},
            {"name": "sparse", "op": "linear", "inputs": 24, "outputs": 6, "sparsity": {"density": 0.4, "seed": 1}},
            {"name": "lstm", "op": "lstm", "input_size": 4, "hidden_size": 3, "sequence_length": 2},
            {"name": "gru", "op": "gru", "input_size": 3, "hidden_size": 4, "sequence_length": 2},
            {
                "name": "fused",
                "op": "fused",
                "layers": [
                    {"name": "first", "op": "conv2d", "input": [2, 5, 5], "filters": 3, "kernel": 2},
                    {"name": "second", "op": "conv2d", "input": [3, 4, 4], "filters": 2, "kernel": 3, "padding": 1},
                ],
            },
        ],
    }
)


def problems() -> dict[str, Problem | FusedProblem]:
    """What is run, by name."""
    found: dict[str, Problem | FusedProblem] = {}
    for layer in LAYERS.layers:
        if isinstance(layer, Fused):
            found[layer.name] = layer.fused
        else:
            found |= {stage.name: stage.problem for stage in layer.stages}
    return found


@dataclass(frozen=True)
class Setting:
    """A number of the hardware document at one end of its range."""

    path: str
    value: float | int


def settings(model: type[BaseModel] = Hardware, prefix: str = "") -> Iterator[Setting]:
    """Every number at its least and its greatest value."""
    for name, info in model.model_fields.items():
        path = f"{prefix}{name}"
        (kind, *_) = [each for each in get_args(info.annotation) or (info.annotation,) if each is not type(None)]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from settings(kind, f"{path}.")
            continue
        if kind not in (int, float):
            continue
        bounds = [*info.metadata, *(bound for each in get_args(info.annotation) for bound in _bounds_in(each))]
        low: list[Any] = [bound.ge for bound in bounds if isinstance(bound, Ge)]
        high: list[Any] = [bound.le for bound in bounds if isinstance(bound, Le)]
        if any(isinstance(bound, (Gt, Lt)) for bound in bounds):
            raise AssertionError(f"{path}: a bound that is not among the values")
        if path == "multipliers":
            low, high = [2], [MAX_MULTIPLIERS]
        elif name == "bandwidth" and not high:
            low, high = [1], [16]  # one per multiplier
        yield Setting(path, max(low))
        yield Setting(path, min(high))


def _bounds_in(annotation: Any) -> Iterator[Any]:
    for each in getattr(annotation, "__metadata__", ()):
        yield from getattr(each, "metadata", (each,))


@dataclass
class Found:
    """How cases ended, and what failed."""

    ends: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")

    def fail(self, how: str, case: str, details: str) -> None:
        self.ends[how] += 1
        self.failures.append(f"{how}: {case}\n{details}")


def run_case(found: Found, chosen: tuple[Setting, ...], name: str, problem: Problem | FusedProblem) -> None:
    """Map, estimate and simulate a layer on hardware with extreme numbers."""
    case = f"{name} with {', '.join(f'{each.path}: {each.value}' for each in chosen)}"
    start = time.process_time()
    try:
        hardware = Hardware.load(BASE).with_overrides({each.path: each.value for each in chosen})
        compare(found, case, problem, hardware)
    except MaerisimError as error:
        if str(error).strip():
            found.ends["refused"] += 1
        else:
            found.fail("silent refusals", case, "")
    except AssertionError:
        found.fail("differences", case, traceback.format_exc())
    except Exception:  # noqa: BLE001 - any at all is what is looked for
        found.fail("tracebacks", case, traceback.format_exc())
    seconds = time.process_time() - start
    if seconds > PATIENCE_SECONDS:
        found.fail("hangs", case, f"{seconds:.0f} s")
    found.slowest = max(found.slowest, (seconds, case))


def compare(found: Found, case: str, problem: Problem | FusedProblem, hardware: Hardware) -> None:
    """Hold estimate, engines and NumPy against one another. Raises AssertionError where they differ."""
    fused = isinstance(problem, FusedProblem)
    choice: Any = find_fused(problem, hardware) if fused else find_mapping(problem, hardware)
    mapping = choice.mapping
    expected = estimate(problem, mapping, hardware)
    timed = simulate(problem, mapping, hardware)
    assert timed.cycles >= expected.least_cycles
    for name, count in {"cycles": timed.cycles, "estimated": expected.cycles, **numbers_of(timed.counters)}.items():
        assert isinstance(count, int), (name, type(count))
        assert 0 <= count < 2**63, (name, count)
    energy = timed.counters.energy(hardware.energy)
    assert np.isfinite(energy), energy
    assert expected.counters.energy(hardware.energy) == energy
    found.ends["results"] += 1
    lock_step = hardware.controller.kind == "lock_step"
    if not lock_step:
        operands: Any = random_fused_operands(problem, 0) if fused else random_operands(problem, 0)
        reference = fused_reference(problem, operands) if fused else reference_outputs(problem, operands)
        carried = simulate(problem, mapping, hardware, operands=operands)
        np.testing.assert_array_equal(carried.outputs, reference)
        assert timed.cycles == carried.cycles
        assert differences(timed.counters, carried.counters) == []
        found.ends["with values"] += 1
    behind = hardware.accumulation.latency + hardware.collection.latency
    stages = hardware.multiplier.latency + hardware.reduction.latency + behind + 1
    cycles = timed.stepped if hardware.limits_memory else timed.cycles
    if cycles * hardware.multipliers * stages > SWITCH_CYCLES:
        found.ends["not on the event engine"] += 1
        return
    stepped = simulate(problem, mapping, hardware, engine="event")
    assert (stepped.cycles, stepped.first_result) == (timed.cycles, timed.first_result), case
    assert differences(stepped.counters, timed.counters) == []
    found.ends["on both engines"] += 1


def numbers_of(counters: Any) -> dict[str, int]:
    """Every count by its name."""
    numbers: dict[str, int] = {}
    for name, value in vars(counters).items():
        if isinstance(value, dict):
            for key, inner in value.items():
                numbers[f"{name}.{key}"] = max(inner, default=0) if isinstance(inner, list) else inner
        else:
            numbers[name] = value
    return numbers


def look(pairs: int, seed: int, only: str = "", found: Found | None = None, names: Sequence[str] = ()) -> Found:
    """Every number alone, then random pairs with some layers each, or those of these ``names``; what is found is in ``found``
    from the beginning.
    """
    found = found or Found()
    chance, alone = random.Random(seed), [each for each in settings() if only in each.path]
    layers = {name: problem for name, problem in problems().items() if not names or name in names}
    cases = [((each,), name) for each in alone for name in layers]
    for _ in range(pairs):
        one, other = chance.sample(alone, 2)
        if one.path != other.path:
            cases += [((one, other), name) for name in chance.sample(sorted(layers), min(2, len(layers)))]
    for number, (chosen, name) in enumerate(cases):
        progress(f"{number:,} of {len(cases):,}")
        run_case(found, chosen, name, layers[name])
    return found


def report_of(found: Found, numbers: int, seed: int) -> Report:
    """The counts, each kind of failure with none as its target."""
    lines = [Line(end, count, "cases") for end, count in sorted(found.ends.items())]
    lines += [
        Line("failures", len(found.failures), "", 0, note=f"slowest {found.slowest[0]:.1f} s: {found.slowest[1]}")
    ]
    data = {"seed": seed, "numbers": numbers, "failures": len(found.failures)} | dict(sorted(found.ends.items()))
    return Report(f"Least and greatest values of {numbers} numbers of the hardware document (seed {seed})", lines, data)


def run(arguments: argparse.Namespace) -> int:
    """Print what was found, after Ctrl-C by then; 1 where anything failed."""
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**32)
    found = Found()
    interrupted: KeyboardInterrupt | None = None
    try:
        look(arguments.pairs, seed, arguments.only, found)
    except KeyboardInterrupt as error:
        interrupted = error
    for failure in found.failures[:20]:
        print(failure[-3000:], end="\n\n", file=sys.stderr)
    show(report_of(found, len({each.path for each in settings()}), seed))
    if interrupted is not None:
        raise interrupted
    return int(bool(found.failures))


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--pairs", type=int, default=300, metavar="N", help="random pairs of numbers (300)")
    parser.add_argument("--seed", type=int, metavar="SEED", help="default: another one in every run")
    parser.add_argument("--only", default="", metavar="PATH", help="numbers whose path has this in it")
    run_script(lambda: run(parser.parse_args()))
