"""A layer as the published RTL's testbench runs it: one controller drives all ports and switches in lock step."""

from __future__ import annotations

from maerisim.analytic.analytic import estimate_steps
from maerisim.analytic.predicted import Estimate
from maerisim.engine.run import AS_USUAL, Result, RunOptions, run_programs
from maerisim.errors import NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.lowering.rtl_testbench import lower_testbench
from maerisim.mapping.buffer_fit import too_large
from maerisim.mapping.legality import LegalLayer, dense_violations
from maerisim.mapping.mapping import Mapping
from maerisim.program.program import Program
from maerisim.rtl.layer import REFUSED, hardware_reasons, layer_reasons, prepare
from maerisim.rtl.memory import Files
from maerisim.ways.base import LayerWay, SpaceKind, too_much
from maerisim.workload.reference import Operands


def is_in_lock_step(hardware: Hardware) -> bool:
    """Whether one controller drives all ports and switches together."""
    return hardware.controller.kind == "lock_step"


def require_control_steps(hardware: Hardware) -> None:
    """Raises NotSupportedError for a controller that drives everything in lock step."""
    if is_in_lock_step(hardware):
        msg = (
            f"hardware {hardware.name} is driven in lock step: it has no control steps to report on "
            "(maerisim rtl --explain describes its configuration)"
        )
        raise NotSupportedError(msg)


class LockStep(LayerWay):
    """The testbench's one layout; what of a mapping it cannot walk is said when its files are prepared."""

    subject = REFUSED
    kept_whole = "its controller"

    @property
    def space(self) -> SpaceKind:
        return "one_layout"

    def refusals(self) -> list[str]:
        refused = hardware_reasons(self.hardware) + layer_reasons(self.problem)
        return refused + too_much(self.problem) + too_large(self.problem, self.hardware, self.kept_whole)

    def violations(self, mapping: Mapping) -> list[str]:
        return dense_violations(self.problem, mapping, self.hardware, self.kept_whole)

    def programs(self, legal: LegalLayer) -> tuple[Program, ...]:
        """Raises NotSupportedError for a mapping that the testbench cannot walk."""
        return (lower_testbench(prepare(legal.problem, legal.hardware, legal.mapping), legal.hardware),)

    def estimate(self, legal: LegalLayer) -> Estimate:
        """As on decoupled ports, which the testbench is far slower than."""
        return estimate_steps(legal)

    def simulate(self, legal: LegalLayer, operands: Operands | None, options: RunOptions) -> Result:
        """Raises NotSupportedError for values, which the testbench does not compute."""
        shape = legal.problem.output_shape
        return run_programs(self.programs(legal), legal.hardware, options, operands=operands, output_shape=shape)


def run_testbench(files: Files, hardware: Hardware, options: RunOptions = AS_USUAL) -> Result:
    """Run the layer of ``files`` as the published RTL's testbench does, on adder switches configured as they say.

    Raises NotSupportedError when the RTL cannot run it and DeadlockError when it hangs there too.
    """
    return run_programs((lower_testbench(files, hardware),), hardware, options)
