"""Mappings with loops over blocks: chosen where they take fewer cycles, and never claimed to be proven."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from maerisim.analytic.objective import Objective
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Constraint
from maerisim.ways.way import estimate, simulate, violations
from maerisim.workload.network import Network
from maerisim.workload.problem import Problem
from maerisim.workload.reference import random_operands, reference_outputs
from mapper import PROOF, Choice, find_mapping
from mapper.cuts import WORTH, sizes
from mapper.proof import best
from mapper.space import space_of

HARDWARE = Hardware.load("maeri-16").with_overrides({"accumulation.words": 32})
PRODUCT = Problem(N=48, K=48, C=24)
WIDE = {layer.name: layer.problem for layer in Network.load(str(Path(__file__).parent / "wide_gemm.yaml")).layers}


def cycles(problem: Problem, hardware: Hardware) -> int:
    return simulate(problem, find_mapping(problem, hardware).mapping, hardware).cycles


@pytest.fixture(scope="module")
def choice() -> Choice:
    return find_mapping(PRODUCT, HARDWARE)


def test_a_mapping_in_blocks_is_chosen_where_it_beats_the_proven_best_without(choice: Choice) -> None:
    assert choice.mapping.cuts
    assert violations(PRODUCT, choice.mapping, HARDWARE) == []
    operands = random_operands(PRODUCT, seed=1)
    result = simulate(PRODUCT, choice.mapping, HARDWARE, operands=operands)
    np.testing.assert_array_equal(result.outputs, reference_outputs(PRODUCT, operands))
    proven = best(space_of(PRODUCT, HARDWARE), HARDWARE, "cycles", PROOF)
    assert not proven.mapping.cuts
    assert result.cycles < (1 - WORTH) * simulate(PRODUCT, proven.mapping, HARDWARE).cycles
    assert choice.estimate == estimate(PRODUCT, choice.mapping, HARDWARE)


def test_the_account_of_a_mapping_in_blocks_claims_no_proof(choice: Choice) -> None:
    account = choice.certificate
    assert account is not None
    assert account.with_blocks > 0
    measured = simulate(PRODUCT, choice.mapping, HARDWARE).cycles
    assert account.certain_gap == account.gap == pytest.approx(1 - choice.estimate.bound_cycles / measured)
    assert account.proof.startswith("to ")
    words = str(account)
    assert words.startswith(
        f"{100 * account.fewer:.1f}% fewer cycles with loops over blocks ({account.with_blocks} looked at) "
    )
    assert "than the best of " in words
    assert "no mapping at all is faster by more than" in words


def test_wide_products_take_no_longer_than_their_parts_cut_by_hand() -> None:
    hardware = Hardware.load("maeri-64")
    whole = {name: cycles(WIDE[name], hardware) for name in ("geglu", "self_qk")}
    parts = {name: cycles(WIDE[name], hardware) for name in ("geglu_third", "geglu_rest", "self_qk_quarter")}
    assert whole["geglu"] <= 2 * parts["geglu_third"] + parts["geglu_rest"]
    assert whole["self_qk"] <= 4 * parts["self_qk_quarter"]
    # What cutting by hand gave before there were loops over blocks.
    assert whole["geglu"] <= 55_900_000
    assert whole["self_qk"] <= 89_600_000


@pytest.mark.parametrize(
    "problem",
    [
        Problem(N=4, K=4, C=24),  # its partial sums fit
        Problem(N=48, K=48),  # it has none
        Problem(G=48, N=4, K=4, C=24),  # those of a group fit
    ],
)
def test_nothing_is_looked_at_where_partial_sums_fit(problem: Problem) -> None:
    choice = find_mapping(problem, HARDWARE)
    assert choice.mapping.cuts == ()
    assert choice.certificate is not None
    assert (choice.certificate.with_blocks, choice.certificate.fewer) == (0, 0)


@pytest.mark.parametrize("objective", ["energy", "edp"])
def test_other_objectives_keep_to_one_loop_a_dimension(objective: Objective) -> None:
    assert find_mapping(PRODUCT, HARDWARE, objective).mapping.cuts == ()


def test_constraints_keep_to_one_loop_a_dimension() -> None:
    innermost = Constraint("innermost", ("K",), "")
    assert find_mapping(PRODUCT, HARDWARE, constraints=[innermost]).mapping.cuts == ()


def test_sizes_are_what_the_accumulation_buffer_holds_and_equal_parts() -> None:
    # 32 words hold 32, 16, 8, 4 or 2 partial sums of each of 1, 2, 4, 8 or 16; 48 in two, three, six, ... equal parts.
    assert list(sizes(48, HARDWARE)) == [32, 24, 16, 8, 4, 2]
    assert list(sizes(20, HARDWARE)) == [16, 10, 8, 7, 4, 2]
    assert list(sizes(1, HARDWARE)) == []
