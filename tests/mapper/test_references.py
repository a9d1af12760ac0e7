"""Reference mappings: legal wherever they apply, with reasons where they do not, and mRNA's tiles as mRNA chose them."""

from __future__ import annotations

import csv
from math import ceil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from maerisim.errors import MappingError
from maerisim.hardware.hardware import Hardware
from maerisim.ways.way import simulate, violations
from maerisim.workload.problem import Problem
from maerisim.workload.reference import random_operands, reference_outputs
from mapper.references import REFERENCES
from mapper.references.mrna import Candidate, candidates
from tests.strategies import hardwares, problems

GOLDEN = Path(__file__).parents[3] / "shared" / "golden" / "mrna_mappings.csv"


@pytest.mark.parametrize("name", REFERENCES)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(problem=problems(600), hardware=hardwares(32), objective=st.sampled_from(["cycles", "energy", "edp"]))
def test_references_are_legal_and_right_or_say_why_there_is_none(
    name: str, problem: Problem, hardware: Hardware, objective: str
) -> None:
    try:
        mapping = REFERENCES[name](problem, hardware, objective)  # type: ignore[arg-type]
    except MappingError:
        assert reasons(name, problem, hardware)
        return
    assert violations(problem, mapping, hardware) == []
    operands = random_operands(problem, 1)
    outputs = simulate(problem, mapping, hardware, operands=operands).outputs
    assert outputs is not None
    assert (outputs == reference_outputs(problem, operands)).all()


def reasons(name: str, problem: Problem, hardware: Hardware) -> list[str]:
    """Why a reference may refuse a layer."""
    multipliers, taps = hardware.multipliers, problem.R * problem.S
    known = []
    if name == "mrna" and problem.pools:
        known.append("there are no weights to map")
    if name == "mrna" and taps > multipliers:
        known.append("the filter exceeds the array")
    channels = max(1, multipliers // taps)  # the most that mRNA can have in a virtual neuron
    if name == "mrna" and ceil(problem.C / channels) > multipliers**2:
        known.append("an output has more partial sums than mRNA adds up")
    if name == "mrna" and not hardware.accumulation_words and taps == multipliers:
        known.append("no switch is left for a returning partial sum")
    if name == "row_stationary" and taps == 1:
        known.append("no rows")
    if hardware.multiplier.wait_for_all_weights and problem.C * taps > hardware.multiplier.weight_registers:
        known.append("the folds may exceed the weight registers")
    return known


def test_the_window_of_a_pooling_stays_whole_where_partial_tiles_are_filled_up() -> None:
    problem = Problem(C=1, G=4, S=5, P=1, Q=1, operation="add")
    hardware = Hardware.load("maeri-64").with_overrides({"multipliers": 2, "controller.pad_edges": True})
    for name in REFERENCES.keys() - {"mrna"}:
        assert violations(problem, REFERENCES[name](problem, hardware, "cycles"), hardware) == []


@pytest.mark.parametrize("name", REFERENCES)
@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(Problem(K=64, C=64, R=3, S=3, P=14, Q=14), id="convolution"),
        pytest.param(Problem(G=32, R=3, S=3, P=14, Q=14), id="depthwise"),
        pytest.param(Problem(K=64, C=64, P=14, Q=14), id="pointwise"),
        pytest.param(Problem(K=96, C=3, R=11, S=11, P=9, Q=9, stride=(4, 4)), id="large filter"),
        pytest.param(Problem(K=100, C=300), id="linear"),
        pytest.param(Problem(N=32, G=4, K=32, C=64), id="matmul"),
    ],
)
def test_the_default_fabric_runs_every_reference_that_applies(name: str, problem: Problem) -> None:
    hardware = Hardware.load("maeri-64")
    if (name == "mrna" and problem.R > 8) or (name == "row_stationary" and problem.R == 1):
        with pytest.raises(MappingError, match=name):
            REFERENCES[name](problem, hardware, "cycles")
        return
    mapping = REFERENCES[name](problem, hardware, "cycles")
    assert violations(problem, mapping, hardware) == []
    if name != "mrna":  # mRNA leaves most of the array idle when a group has one channel
        assert mapping.switches > hardware.multipliers / 2


def test_what_stays_is_in_the_name() -> None:
    """The loops over what does not touch the stationary operand are the innermost that turn."""
    problem, hardware = Problem(N=3, K=40, C=80, R=3, S=3, P=20, Q=20), Hardware.load("maeri-64")

    def turning(name: str) -> str:
        mapping = REFERENCES[name](problem, hardware, "cycles")
        sizes = dict(zip("NGKCRSPQ", mapping.trips(problem), strict=True))
        return "".join(d for d in mapping.order if sizes[d] > 1)

    assert turning("weight_stationary")[-1] in "NPQ"
    assert turning("input_stationary")[-1] == "K"
    assert turning("output_stationary").endswith("CRS")
    assert turning("row_stationary").endswith("QS")


def test_a_lock_step_controller_leaves_nothing_to_choose() -> None:
    with pytest.raises(MappingError, match="has one layout for each layer"):
        REFERENCES["weight_stationary"](Problem(K=4, C=4), Hardware.load("maeri_rtl"), "cycles")


def test_a_filter_that_exceeds_the_array_is_refused_with_numbers() -> None:
    with pytest.raises(MappingError, match="a whole filter of 11 x 11 = 121 taps in a virtual neuron, 64 multipliers"):
        REFERENCES["mrna"](Problem(K=96, C=3, R=11, S=11, P=55, Q=55), Hardware.load("maeri-64"), "cycles")


def test_mrna_keeps_its_loop_order_while_the_partial_sums_fit() -> None:
    small, large = (Problem(K=8, C=64, R=3, S=3, P=size, Q=size) for size in (4, 40))
    hardware = Hardware.load("maeri-64")
    first, second = (REFERENCES["mrna"](problem, hardware, "cycles") for problem in (small, large))
    assert "".join(d for d in first.order if d in "NCKPQ") == "NCKPQ"
    assert not second.spills(large, hardware)
    assert second.order.index("C") > second.order.index("K")


# --- mRNA's own results -----------------------------------------------------------------------------------------------

# The profile that comes with mRNA (Input/vggnet/DNN-vgg_model-CONV2_MAERI-MS-512-DSW-128-RSW-256_Opt-performance.txt):
# T_C, T_K, runtime cycles, and the normalised energy of all parts and of DRAM, of the first three of its mappings.
VGG_CONV2 = Problem(K=64, C=64, R=3, S=3, P=224, Q=224)
PROFILE = [
    (14, 4, 4140332, 2.21639e8 + 6.08213e9 + 6.08535e9 + 1.64369e9, 5.20722e8),
    (8, 7, 4215104, 3.02537e8 + 6.13673e9 + 6.09498e9 + 1.23391e9, 7.80835e8),
    (7, 8, 4266264, 3.59372e8 + 6.09819e9 + 6.1014e9 + 1.2202e9, 9.54243e8),
]
VGG_CONV2_DRAM = 54 * (224 * 224 * 64 + 9 * 64 * 64 + 224 * 224 * 64) * 2 / 8
"""DRAM energy of inputs, weights and outputs, which is the same for every mapping and not part of our counts."""


def test_cycles_and_energies_are_those_of_mrnas_published_profile() -> None:
    fabric = {"multipliers": 512, "distribution.bandwidth": 128, "collection.bandwidth": 256}
    found = sorted(candidates(VGG_CONV2, Hardware.load("maeri").with_overrides(fabric)), key=lambda c: c.cycles)
    assert len(found) == 8
    for candidate, (channels, filters, cycles, parts, dram) in zip(found, PROFILE, strict=False):
        assert (candidate.channels, candidate.filters, candidate.cycles) == (channels, filters, cycles)
        # The profile's numbers have six digits.
        assert candidate.energy == pytest.approx(parts + dram - VGG_CONV2_DRAM, rel=3e-6)


CONTRADICTING = {"inception4a_5": 32, "inception4b_3": 24}
"""Layers whose files give another number of output channels than of filters; mRNA takes it for the adding pass."""


@pytest.mark.skipif(not GOLDEN.exists(), reason="no table of mRNA's mappings beside the repository (../shared/golden)")
def test_every_mapping_of_mrna_is_explained() -> None:
    with GOLDEN.open() as file:
        rows = list(csv.DictReader(file))
    assert len({(row["network"], row["layer"]) for row in rows}) == 200
    for row in rows:
        explain(row)


def explain(row: dict[str, str]) -> None:
    """Check tile, number of candidates and estimated cycles of one row."""
    n = {key: int(value) for key, value in row.items() if value.isdecimal()}
    fabric = {"multipliers": n["ms"], "distribution.bandwidth": n["dn_bw"], "collection.bandwidth": n["dn_bw"]}
    hardware = Hardware.load("maeri").with_overrides(fabric)
    where = (row["network"], row["layer"], n["ms"], row["objective"])
    if row["type"] in ("FC", "RNN"):
        # The files give weights as inputs (y) times outputs (x) and mRNA believes them; an LSTM has its hidden state
        # as inputs too, and two element-wise passes over it. Its table calls the virtual neuron T_S or T_R.
        hidden = n["S"] if row["type"] == "RNN" else 0
        (only,) = candidates(Problem(K=n["S"], C=n["W"] + hidden), hardware)
        assert only.channels == max(n["T_R"], n["T_S"]), where
        assert only.cycles + element_wise(hidden, n["ms"], n["dn_bw"]) == n["cycles_estimate"], where
        return
    stride = (n["stride"], n["stride"])
    problem = Problem(K=n["K"], C=n["C"], R=n["R"], S=n["S"], P=n["P"], Q=n["Q"], stride=stride)
    found = candidates(problem, hardware) if row["type"] == "CONV" else []
    if row["status"] == "crash":
        assert row["layer"] == "inception5a_3", where  # '=7' without a space in its file
        return
    if row["status"] == "no mapping":
        assert found == [], where  # pooling, a name for a type, and filters larger than the array
        return
    assert len(found) == n["candidates"], where
    best = chosen(found, row["objective"])
    if row["layer"] in CONTRADICTING:
        outputs = n["P"] * n["Q"]
        best = chosen([recounted(c, n, outputs, CONTRADICTING[row["layer"]]) for c in found], "performance")
        if row["objective"] == "energy":
            assert (n["T_C"], n["T_K"]) in [(c.channels, c.filters) for c in found], where
            return
    assert (best.channels, best.filters) == (n["T_C"], n["T_K"]), where
    assert (n["T_R"], n["T_S"]) == (n["R"], n["S"]), where
    assert best.cycles == n["cycles_estimate"], where


def chosen(found: list[Candidate], objective: str) -> Candidate:
    return min(found, key=lambda c: c.cycles if objective == "performance" else c.energy)


def recounted(candidate: Candidate, n: dict[str, int], outputs: int, channels: int) -> Candidate:
    """The candidate with the adding pass over another number of output channels."""
    summands = ceil(n["C"] / candidate.channels)
    count = n["ms"] // summands

    def adding(filters: int) -> int:
        return ceil(outputs * filters / count) * ceil(count * summands / n["dn_bw"])

    return candidate._replace(cycles=candidate.cycles - adding(n["K"]) + adding(channels))


def element_wise(hidden: int, multipliers: int, bandwidth: int) -> int:
    """Cycles of mRNA's two element-wise passes; the second is divided by the multipliers instead of the bandwidth."""
    first = ceil(2 * hidden / multipliers) * ceil(2 * min(hidden, multipliers // 2) / bandwidth)
    return first + ceil(hidden / multipliers) * ceil(min(hidden, multipliers) / multipliers)
