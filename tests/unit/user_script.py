"""What a user would write, for the type checker: never run."""

from __future__ import annotations

from pathlib import Path

import maerisim
from maerisim import AvgPool2d, Conv2d, Fused, Gru, Hardware, Linear, Lstm, Mapping, MatMul, MaxPool2d, Network, Problem


def shown(done: float, total: float, doing: str) -> None:
    print(f"{done / total:.0%} {doing}")


hardware = Hardware(multipliers=64, distribution={"bandwidth": 16}, dram={"bandwidth": 0.5})
wide: Hardware = Hardware.load("maeri-64").with_overrides({"distribution.bandwidth": 32})
network = Network(
    [
        Conv2d(input=[64, 56, 56], filters=128, kernel=3, stride=(2, 1), padding=1, name="conv"),
        MaxPool2d(input=(128, 28, 56), kernel=2),
        AvgPool2d(input=[128, 14, 28], kernel=[14, 28]),
        Linear(inputs=128, outputs=10, batch=2),
        MatMul(m=4, k=8, n=16),
        Lstm(input_size=8, hidden_size=16, sequence_length=4),
        Gru(input_size=8, hidden_size=16),
        Fused([Conv2d(input=[4, 6, 6], filters=4, kernel=3), MaxPool2d(input=[4, 4, 4], kernel=2)], name="pair"),
    ],
    name="mine",
)

result = maerisim.validate("maeri-64", Path("net.yaml"), layers=["conv"], progress=shown)
cycles: int | None = result.total_cycles
error: float | None = result.mean_absolute_error
names: list[str] = [layer.name for layer in result.layers]
document: dict[str, object] = result.to_dict()

mapping: Mapping = maerisim.rank(hardware, network, layers="conv", objective="energy").best[0].mapping
again = maerisim.simulate(
    hardware, network, layers="conv", mapping={"conv": mapping}, engine="event", check_values=True
)
maerisim.save_mappings(maerisim.map(hardware, network, prove=True, time_budget=1.0, partial=True), "mappings.yaml")
maerisim.estimate(wide, Linear(inputs=3, outputs=4), mapping=Mapping.of({"K": 2}))
alone = maerisim.simulate("maeri-16", Problem(K=4, C=8, P=3, Q=3), mapping=Mapping.of({"K": 2}))
shipped: list[str] = maerisim.shipped("network")
ratios: dict[str, tuple[float, int]] = maerisim.compare(hardware, network).geometric_means()
relief: list[int] = [each.cycles for each in maerisim.report(hardware, network).layers[0].profile.reliefs]
roofs: list[float] = [each.roof for each in maerisim.roofline(hardware, network).layers]
results: int = sum(each.program.results for each in maerisim.programs(hardware, network))
best: list[str] = list(maerisim.sweep({"hardware": hardware, "networks": [network], "grid": {"multipliers": [2]}}).best)
try:
    maerisim.front("maeri-16", "tiny")
except maerisim.MappingError as problem:
    print(problem.violations)
