"""What a way of running a layer answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import prod
from typing import ClassVar, Generic, Literal, TypeVar

from maerisim.analytic.predicted import Estimate
from maerisim.engine.run import Result, RunOptions
from maerisim.errors import MappingError, NotSupportedError
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.legality import Legal
from maerisim.mapping.mapping import Mapping
from maerisim.memory.blocks import Shape
from maerisim.program.program import Program
from maerisim.workload.problem import Problem
from maerisim.workload.reference import Operands

MOST_WORK = 2**48
"""Operations, and words of the input, of one layer: with more of them counts of what they cause may not fit 64 bits."""

ProblemT = TypeVar("ProblemT")
MappingT = TypeVar("MappingT")
OperandsT = TypeVar("OperandsT")

SpaceKind = Literal[
    "tiles_and_orders", "tiles_and_orders_in_blocks", "sets_of_filters", "one_layout", "pairs_on_shares"
]
"""What there is to choose from for a layer; the mapper has a search for each."""


@dataclass(frozen=True)
class Way(ABC, Generic[ProblemT, MappingT, OperandsT]):
    """How ``problem`` runs on ``hardware``: what is refused, what a mapping must fulfil, and what becomes of it.

    ``subject`` begins each sentence that says why nothing can run.
    """

    problem: ProblemT
    hardware: Hardware

    subject: ClassVar[str] = ""

    @property
    @abstractmethod
    def space(self) -> SpaceKind:
        """What the mapper searches."""

    @abstractmethod
    def refusals(self) -> list[str]:
        """Why no mapping of the problem can run here; empty when one may."""

    @abstractmethod
    def violations(self, mapping: MappingT) -> list[str]:
        """Every rule that a mapping violates, in words with numbers; empty when it can run."""

    @abstractmethod
    def programs(self, legal: Legal[ProblemT, MappingT]) -> tuple[Program, ...]:
        """What is sent to the fabric, one program after the other; of the layer in one piece."""

    @abstractmethod
    def estimate(self, legal: Legal[ProblemT, MappingT]) -> Estimate:
        """What a mapping should cost."""

    @abstractmethod
    def simulate(self, legal: Legal[ProblemT, MappingT], operands: OperandsT | None, options: RunOptions) -> Result:
        """Run a mapping, with values where there are operands. Raises DeadlockError when it cannot progress."""

    def require_possible(self) -> None:
        """Raises NotSupportedError with everything because of which no mapping can run."""
        refused = self.refusals()
        if refused:
            raise NotSupportedError("\n".join(self.subject + reason for reason in refused))

    def legal(self, mapping: MappingT) -> Legal[ProblemT, MappingT]:
        """The mapping, checked. Raises NotSupportedError when none can run, MappingError with every rule it violates."""
        self.require_possible()
        violations = self.violations(mapping)
        if violations:
            raise MappingError("mapping", violations)
        return Legal(self.problem, mapping, self.hardware)


def too_much(problem: Problem) -> list[str]:
    """Why a layer is too large for exact counts, whatever it runs on."""
    input_words = prod(problem.input_shape)
    return [
        f"{amount:,} {what}, more than the {MOST_WORK:,} up to which every count is exact (give it a smaller batch)"
        for amount, what in ((problem.operations, "operations"), (input_words, "words of the padded input"))
        if amount > MOST_WORK
    ]


class LayerWay(Way[Problem, Mapping, Operands]):
    """How one layer runs. ``kept_whole`` says why it is not cut into blocks; empty: it is."""

    kept_whole: ClassVar[str] = ""

    def shapes(self, legal: Legal[Problem, Mapping]) -> list[Shape]:
        """What runs on the fabric: the layer, or the kinds of blocks that it is cut into and how many there are of each."""
        return [Shape(legal.problem, legal.mapping, 1)]
