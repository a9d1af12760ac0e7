"""Rows of STONNE's parameters: the layer, tile and hardware that they are, and our counts under STONNE's names.

STONNE's X, Y are our rows and columns of the padded input; C and K count all groups, T_C and T_K those of one.
"""

from __future__ import annotations

from math import prod
from typing import Any

from maerisim import Hardware, Mapping
from maerisim.engine.run import Result
from maerisim.workload.problem import DIMENSIONS, Problem
from maerisim.workload.windows import lines

ORDER = "N G K P Q C R S"
PLACEMENT = "N G K P Q"
SIZES = ("R", "S", "C", "G", "K", "N", "X", "Y", "strides")
PARAMETERS = (*SIZES, "T_R", "T_S", "T_C", "T_G", "T_K", "T_N", "T_X_", "T_Y_")
HARDWARE = ("num_ms", "dn_bw", "rn_bw")
REDUCTION_NETWORKS = ("ASNETWORK", "0", "")
"""How the one that is ours is written; the last is where a table does not say."""


def case(row: dict[str, str]) -> tuple[Problem, Mapping, Hardware]:
    """Layer, tile and hardware of a row."""
    n = numbers(row)
    tile = {d: n[f"T_{d}"] for d in "NGKCRS"} | {"P": n["T_X_"], "Q": n["T_Y_"]}
    return problem_of(row), Mapping.of(tile, ORDER, PLACEMENT), hardware_of(row)


def problem_of(row: dict[str, str]) -> Problem:
    """The layer of a row."""
    n = numbers(row)
    stride = n["strides"]
    return Problem(
        N=n["N"], G=n["G"], K=n["K"] // n["G"], C=n["C"] // n["G"], R=n["R"], S=n["S"],
        P=(n["X"] - n["R"]) // stride + 1, Q=(n["Y"] - n["S"]) // stride + 1, stride=(stride, stride),
    )  # fmt: skip


def hardware_of(row: dict[str, str]) -> Hardware:
    """The ``stonne`` profile of the size that a row says."""
    n = numbers(row)
    overrides: dict[str, Any] = {
        "multipliers": n["num_ms"],
        "distribution.bandwidth": n["dn_bw"],
        "collection.bandwidth": n["rn_bw"],
        "distribution.latency": 1 if n["dn_bw"] == n["num_ms"] else 2,
    }
    if not n["acc_buf"]:
        overrides |= {"accumulation.words": 0, "accumulation.latency": 0}
    return Hardware.load("stonne").with_overrides(overrides)


def numbers(row: dict[str, str]) -> dict[str, int]:
    """The columns that hold numbers."""
    return {key: int(text) for key, text in row.items() if text.lstrip("-").isdigit()}


def refusal(row: dict[str, str]) -> str:
    """Why a row cannot be compared with the ``stonne`` profile, or nothing."""
    network = row.get("rn_type") or ""
    if network in REDUCTION_NETWORKS:
        return ""
    return f"rn_type is {network}, another reduction network; the stonne profile has that of ASNETWORK alone"


def counts(result: Result, problem: Problem, mapping: Mapping, *, all_zeros: bool = False) -> dict[str, int]:
    """Our counts under STONNE's names: with ``all_zeros`` of partial tiles, or those moved that it counts as moved."""
    c = result.counters
    ours = {
        "mults": c.multiplications,
        "adds": c.additions,
        "fw_sends": c.forwards,
        "sram_w_reads": c.buffer_reads["weights"],
        "sram_in_reads": c.buffer_reads["inputs"],
        "sram_psum_reads": c.buffer_reads["partial_sums"],
        "psum_writes": c.results,
        "acc_adds": c.accumulations,
    }
    return ours if all_zeros else ours | without_zeros(ours, problem, mapping)


def without_zeros(ours: dict[str, int], problem: Problem, mapping: Mapping) -> dict[str, int]:
    """The reads and writes that STONNE counts.

    A weight is none beyond the filters, channels, rows or columns; an input where it only meets such weights of its
    channel, row or column; a result beyond the outputs. Each word is moved as often as every other of its tensor, so
    that the shares of all dimensions are multiplied.
    """
    share = {
        d: (size, trips * mapping.tile_of(d))
        for d, size, trips in zip(DIMENSIONS, problem.dims, mapping.trips(problem), strict=True)
    }
    rows = _lines_of_tiles(problem.R, mapping.tile_of("R"), mapping.tile_of("P"), problem.stride[0])
    columns = _lines_of_tiles(problem.S, mapping.tile_of("S"), mapping.tile_of("Q"), problem.stride[1])
    shares = {
        "sram_w_reads": [share[d] for d in "KCRS"],
        "sram_in_reads": [share["C"], rows, columns],
        "psum_writes": [share[d] for d in "NGKPQ"],
    }
    return {
        name: ours[name] * prod(real for real, _ in each) // prod(filled for _, filled in each)
        for name, each in shares.items()
    }


def _lines_of_tiles(taps: int, tile: int, outputs: int, stride: int) -> tuple[int, int]:
    """Rows (or columns) of inputs for all tiles of a filter dimension: those of real weights, and of filled-up tiles."""
    trips = -(-taps // tile)
    whole = lines(outputs, tile, stride, 1)
    return (trips - 1) * whole + lines(outputs, taps - (trips - 1) * tile, stride, 1), trips * whole
