"""Every layer of every shipped network: mapped, simulated in full, and its values compared with NumPy's.

    python benchmarks/check_networks.py [--hardware maeri-64] [--macs N | --full] [--jobs N] [NETWORK ...]

Cycles are those of the whole layer, always. Values are carried through every cycle of layers of up to ``--macs`` MACs
(or pooled inputs, default 2,000,000; ``--full``: of any size). A longer layer has them checked on a copy: the same tile,
loop order and placement on a layer whose loops turn less often, but at least three times where they did, so that the
first, a middle and the last, partial tile of every dimension are there, and the same operands stay in place. Recurrent
layers run their whole sequence in full, and so do fused ones. Runs with values have to take the same cycles as those without, too.

Each distinct layer, or stage of a recurrent one, runs once. Prints a row for each and a table of the networks; the last
line is JSON. The exit code is 1 when a layer found no mapping, did not run, or computed something else than NumPy.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from reporting import mapped, options, run_script, simulated

import maerisim
from maerisim import Fused, Hardware, MaerisimError, Mapping, Network, Problem, ValuesError, shipped
from maerisim.lowering.forwarding import forwards
from maerisim.lowering.layout import INPUT_DIMENSIONS, WEIGHT_DIMENSIONS
from maerisim.lowering.reuse import held, temporal_loops
from maerisim.mapping.notation import dims_words
from maerisim.sweeps.workers import in_processes
from maerisim.ways.way import violations
from maerisim.workload.layers import Layer
from maerisim.workload.problem import DIMENSIONS
from maerisim.workload.recurrent import Recurrent

MACS = 2_000_000
"""MACs up to which a layer has its values checked in full."""
FEWEST_TRIPS = 3
"""Trips that a loop of a copy keeps: the first, a middle and the last one have different templates."""


@dataclass
class Outcome:
    """What was done with one layer or stage; ``copy`` says in words on what its values were checked, if not on itself."""

    label: str
    operations: int
    cycles: int = 0
    mapped: bool = False
    copy: str = ""
    outputs: int = 0
    failure: str = ""

    def row(self) -> str:
        """A line of the printed list."""
        if self.failure:
            return f"{self.label:38} FAILED: {self.failure}"
        where = f"a copy of {self.copy}" if self.copy else "in full"
        return f"{self.label:38} {self.cycles:>12,} cycles, {self.outputs:>9,} values equal, {where}"


@dataclass(frozen=True)
class Task:
    """A layer that some network has, called after the first of them."""

    network: str
    layer: Layer

    @property
    def key(self) -> object:
        """Equal for equal layers, whatever their names."""
        if isinstance(self.layer, Recurrent):
            return self.layer.model_copy(update={"name": "", "count": 1})
        if isinstance(self.layer, Fused):
            return self.layer.fused
        return tuple((stage.problem, stage.count) for stage in self.layer.stages)

    @property
    def work(self) -> int:
        """Operations of all stages, each as often as it runs with values."""
        return sum(stage.problem.operations * stage.count for stage in self.layer.stages)


# --- What runs --------------------------------------------------------------------------------------------------------


def check(task: Task, hardware: Hardware, limit: int | None) -> list[Outcome]:
    """Map and simulate the stages of a layer, and compare their values; ``limit`` of None checks them all in full."""
    layer = task.layer
    if isinstance(layer, Fused):
        return [check_fused(task.network, layer, hardware)]
    outcomes = [Outcome(f"{task.network} {stage.name}", stage.problem.operations) for stage in layer.stages]
    mappings: dict[str, Mapping] = {}
    for outcome, stage in zip(outcomes, layer.stages, strict=True):
        try:
            mapping = mappings[stage.name] = mapped(stage.problem, hardware).mapping
            outcome.mapped = True
            outcome.cycles = simulated(stage.problem, mapping, hardware).cycles
            check_values(outcome, stage.problem, mapping, hardware, None if isinstance(layer, Recurrent) else limit)
        except MaerisimError as error:
            outcome.failure = str(error)
    if isinstance(layer, Recurrent) and not any(outcome.failure for outcome in outcomes):
        try:
            maerisim.simulate(hardware, layer, mapping=mappings, check_values=True)
        except MaerisimError as error:
            outcomes[-1].failure = str(error)
        else:
            for outcome, stage in zip(outcomes, layer.stages, strict=True):
                outcome.outputs *= stage.count
    return outcomes


def check_fused(network: str, layer: Fused, hardware: Hardware) -> Outcome:
    """Map and simulate two fused layers, and compare what the second gives, in full."""
    outcome = Outcome(f"{network} {layer.name}", layer.fused.operations)
    try:
        mappings = maerisim.map(hardware, layer).mappings
        outcome.mapped = True
        outcome.cycles = maerisim.simulate(hardware, layer, mapping=mappings).layers[0].best_known_cycles
        again = maerisim.simulate(hardware, layer, mapping=mappings, check_values=True).layers[0].best_known_cycles
        require_equal(again, outcome.cycles)
        outcome.outputs = layer.fused.outputs
    except MaerisimError as error:
        outcome.failure = str(error)
    return outcome


def check_values(outcome: Outcome, problem: Problem, mapping: Mapping, hardware: Hardware, limit: int | None) -> None:
    """Run the layer, or a copy of it, with values. Raises ValuesError when one differs, or the cycles do."""
    checked = problem if limit is None or problem.operations <= limit else copy_of(problem, mapping, hardware, limit)
    if checked != problem:
        outcome.copy = f"{checked.operations:,} operations ({dims_words(checked)})"
    cycles = outcome.cycles if checked == problem else simulated(checked, mapping, hardware).cycles
    require_equal(simulated(checked, mapping, hardware, check_values=True).cycles, cycles)
    outcome.outputs = checked.outputs


def require_equal(found: int, expected: int) -> None:
    """Raises ValuesError when a run with values takes other cycles."""
    if found != expected:
        msg = f"{found:,} cycles with values, expected the {expected:,} without"
        raise ValuesError(msg)


# --- Copies -----------------------------------------------------------------------------------------------------------


def copy_of(problem: Problem, mapping: Mapping, hardware: Hardware, limit: int) -> Problem:
    """The layer with fewer trips of its loops, down to ``limit`` operations as far as the mapping stays what it is.

    Outer loops give up trips first, those over blocks and within them none. Edges of tiles stay as they are, and so does what is reused: a loop whose trips
    decide that a ring of words fits, or that partial sums do, keeps them.
    """
    smaller = problem
    kept = reuse(problem, mapping, hardware)
    for name in mapping.order:
        if mapping.order.count(name) > 1:
            continue  # blocks end in tiles of their own
        size, tile = smaller.dims[DIMENSIONS.index(name)], mapping.tile_of(name)
        trips = -(-size // tile)
        fewer = min(trips, max(FEWEST_TRIPS, trips * limit // smaller.operations))
        sizes: dict[str, Any] = {name: size - (trips - fewer) * tile}
        candidate = replace(smaller, **sizes)
        if reuse(candidate, mapping, hardware) == kept and not violations(candidate, mapping, hardware):
            smaller = candidate
    return smaller


def reuse(problem: Problem, mapping: Mapping, hardware: Hardware) -> object:
    """What a mapping makes of a layer: loops that turn, reuse of weights and inputs, forwarding, where sums are kept."""
    loops = temporal_loops(problem, mapping)
    multiplier = hardware.multiplier
    weights = held(loops, WEIGHT_DIMENSIONS, multiplier.weight_registers, multiplier.wait_for_all_weights)
    inputs = held(loops, INPUT_DIMENSIONS, multiplier.input_registers)
    slides = forwards(problem, mapping, hardware, loops, inputs)
    turning = [loop.dimension for loop in loops]
    of_operands = [(operand.passes, operand.ring, operand.repeats) for operand in (weights, inputs)]
    return turning, of_operands, slides, mapping.spills(problem, hardware)


# --- The networks -----------------------------------------------------------------------------------------------------


def tasks_of(networks: Sequence[Network]) -> dict[object, Task]:
    """The distinct layers."""
    found: dict[object, Task] = {}
    for network in networks:
        for layer in network.layers:
            task = Task(network.name, layer)
            found.setdefault(task.key, task)
    return found


def run_all(
    tasks: dict[object, Task], hardware: Hardware, limit: int | None, jobs: int
) -> Iterator[tuple[object, list[Outcome]]]:
    """The outcomes as they come, those with most to do begun first."""

    def work(key: object) -> int:
        task = tasks[key]
        return task.work if limit is None or isinstance(task.layer, Recurrent) else min(task.work, 4 * limit)

    # Kernels are compiled once, and found on disk by the workers.
    small = Problem(K=2, C=2, Q=2)
    simulated(small, mapped(small, hardware).mapping, hardware, check_values=True)
    longest_first = sorted(tasks, key=work, reverse=True)
    items = [(key, tasks[key]) for key in longest_first]
    yield from in_processes(partial(keyed, hardware=hardware, limit=limit), items, jobs)


def keyed(item: tuple[object, Task], hardware: Hardware, limit: int | None) -> tuple[object, list[Outcome]]:
    """``check`` in a worker."""
    key, task = item
    return key, check(task, hardware, limit)


def network_table(networks: Sequence[Network], outcomes: dict[object, list[Outcome]]) -> Iterator[str]:
    """A line for each network: its distinct layers and stages, and the cycles of all that occur."""
    head = ("", "layers", "cycles", "values in full", "on a copy", "outputs compared")
    widths = (16, 6, 14, 14, 9, 16)
    yield "  ".join(f"{text:{'<' if place == 0 else '>'}{widths[place]}}" for place, text in enumerate(head))
    for network in networks:
        cycles, seen = 0, dict[object, list[Outcome]]()
        for layer in network.layers:
            found = outcomes[Task(network.name, layer).key]
            seen[Task(network.name, layer).key] = found
            times = [1] if isinstance(layer, Fused) else [stage.count for stage in layer.stages]
            cycles += sum(layer.count * count * each.cycles for count, each in zip(times, found, strict=True))
        checked = [each for found in seen.values() for each in found if each.outputs and not each.failure]
        numbers = (
            sum(len(found) for found in seen.values()),
            cycles,
            sum(not each.copy for each in checked),
            sum(bool(each.copy) for each in checked),
            sum(each.outputs for each in checked),
        )
        yield "  ".join([f"{network.name:16}", *(f"{n:>{w},}" for n, w in zip(numbers, widths[1:], strict=True))])


def summary(outcomes: Sequence[Outcome]) -> dict[str, int]:
    """The numbers of the last line."""
    checked = [outcome for outcome in outcomes if outcome.outputs and not outcome.failure]
    return {
        "layers": len(outcomes),
        "mapped": sum(outcome.mapped for outcome in outcomes),
        "simulated_in_full": sum(outcome.cycles > 0 for outcome in outcomes),
        "values_checked_in_full": sum(not outcome.copy for outcome in checked),
        "values_checked_on_a_copy": sum(bool(outcome.copy) for outcome in checked),
        "outputs_compared": sum(outcome.outputs for outcome in checked),
    }


def main() -> int:
    """Check; 1 when something failed."""
    parser = options(__doc__)
    parser.add_argument("networks", nargs="*", help="shipped names or files; default: all shipped")
    parser.add_argument("--hardware", default="maeri-64")
    parser.add_argument("--macs", type=int, default=MACS, help="MACs up to which values are checked in full")
    parser.add_argument("--full", action="store_true", help="check all values of all layers")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes; default: one per processor")
    arguments = parser.parse_args()
    hardware = Hardware.load(arguments.hardware)
    networks = [Network.load(name) for name in arguments.networks or shipped("network")]
    tasks = tasks_of(networks)
    outcomes: dict[object, list[Outcome]] = {}
    total, done, start = sum(len(task.layer.stages) for task in tasks.values()), 0, time.perf_counter()
    for key, found in run_all(tasks, hardware, None if arguments.full else arguments.macs, arguments.jobs):
        outcomes[key] = found
        for outcome in found:
            done += 1
            print(f"{done:>3} of {total}  {outcome.row()}", flush=True)
    print(f"\n{hardware.name}, {time.perf_counter() - start:.0f} s; equal layers once, cycles of all that occur:\n")
    print("\n".join(network_table(networks, outcomes)))
    everything = [outcome for found in outcomes.values() for outcome in found]
    failed = [outcome for outcome in everything if outcome.failure]
    print(f"\n{len(failed)} of {len(everything)} failed" if failed else "\nall values equal NumPy's")
    print(json.dumps(summary(everything)))
    return int(bool(failed))


if __name__ == "__main__":
    run_script(main)
