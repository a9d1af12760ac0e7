"""What ``simulate --trace`` and ``--vcd`` write beside the results."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import typer

from maerisim.cli.options import Engine
from maerisim.cli.output import require_place
from maerisim.cli.saying import say
from maerisim.reports.findings import NetworkReport
from maerisim.reports.waveform import require_waveforms
from maerisim.study import api, traces
from maerisim.study.given import study_of


@dataclass(frozen=True)
class TraceRequest:
    """What was asked for on the command line."""

    hardware: str
    network: str
    layers: list[str] | None
    scale: int | None
    trace: Path | None
    vcd: Path | None
    cycles: str | None
    engine: Engine

    @property
    def files(self) -> list[Path]:
        return [path for path in (self.trace, self.vcd) if path is not None]

    def check(self) -> None:
        """Find what cannot be traced or written before anything runs."""
        if not self.files:
            if self.cycles is not None:
                raise typer.BadParameter("is for --trace and --vcd", param_hint="--cycles")
            return
        for path in self.files:
            require_place(path)
        if self.vcd is not None:
            require_waveforms()
        if self.cycles is not None:
            traces.window_of(self.cycles)
        study = study_of(self.hardware, self.network, self.layers, scale=self.scale, fusing=True)
        traces.require_one_layer(study)

    def answer(self, report: NetworkReport) -> None:
        """Trace the layer with its mapping, unless it was not finished."""
        if self.files and report.layers and not report.interrupted:
            traced = api.trace(
                self.hardware, self.network, layers=self.layers, mapping=report.mappings, scale=self.scale,
                to=self.trace, vcd=self.vcd, cycles=self.cycles, engine=self.engine,
            )  # fmt: skip
            say(str(traced), err=True)
