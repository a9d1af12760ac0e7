"""The laboratory: experiments on search techniques, each with a table and a figure: ``make lab``.

    python benchmarks/lab.py [--cut] [--jobs N] [--database lab.sqlite] [--output DIR] [--no-run] [NAME ...]

NAME picks some of them: factors, orders, axes, projection, published, warm, bound, ablation, densities, convergence. Results are kept
in the database, each as soon as it is there: after Ctrl-C the same command goes on where it was. Tables take their places in MSE.md of
the output directory (benchmarks/ unless told otherwise), figures lie beside it in mse/ as PNG and SVG; without that page tables are
printed. ``--cut`` runs a little of each, in memory, and keeps nothing. ``--no-run`` shows what is stored. Exit code 1 when a job failed.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

from reporting import options, run_script

from maerisim import documents
from maerisim.cli.progress import shown
from maerisim.laboratory.experiment import Answer, LabExperiment
from maerisim.laboratory.experiments import EXPERIMENTS
from maerisim.laboratory.running import JobOutcomes, carried_out
from maerisim.laboratory.store import Notebook
from maerisim.reports import figures

HERE = Path(__file__).parent


def results_of(experiment: LabExperiment, outcomes: JobOutcomes, *, cut: bool) -> tuple[list[Answer], list[str]]:
    """What was found, and why jobs failed."""
    results, failures = [], []
    for job in experiment.jobs(cut):
        found = outcomes.found.get(job.key)
        if found is not None and found.message is not None:
            failures.append(f"{experiment.name}, {', '.join(name for name, _ in job.layers)}: {found.message}")
        elif found is not None:
            results.append(Answer(job, found.found))
    return results, failures


def show(experiment: LabExperiment, results: list[Answer], page: Path, note: str) -> None:
    """Put the table into its place on the page, or print it; write the figure beside."""
    table = experiment.tables(results)
    place = rf"(<!-- {experiment.name} -->\n).*?(<!-- end -->)"
    text = page.read_text("utf-8") if page.exists() else ""
    if re.search(place, text, re.DOTALL):
        image = "" if experiment.draw is None else f"\n![{experiment.title}](mse/{experiment.name}.png)\n"
        filled = re.sub(place, lambda found: f"{found[1]}{note}\n\n{table}\n{image}{found[2]}", text, flags=re.DOTALL)
        documents.write(page, filled)
    else:
        print(f"{experiment.title}\n{note}\n\n{table}\n", flush=True)
    if experiment.draw is not None:
        draw = experiment.draw
        directory = page.parent / "mse"
        directory.mkdir(exist_ok=True)
        for ending in ("png", "svg"):
            figures.write(directory / f"{experiment.name}.{ending}", lambda: draw(results))


def run(experiment: LabExperiment, arguments: argparse.Namespace) -> list[str]:
    """Run what is missing of an experiment and show it; what failed."""
    jobs, begin = experiment.jobs(arguments.cut), time.monotonic()
    if arguments.run:
        with shown(counted=True) as progress:
            outcomes = carried_out(jobs, arguments.database, arguments.jobs, None, progress)
    else:
        with Notebook(arguments.database) as notebook:
            outcomes = JobOutcomes(notebook.get(job.key for job in jobs))
    results, failures = results_of(experiment, outcomes, cut=arguments.cut)
    seconds = sum(found.seconds for found in outcomes.found.values())
    note = f"*{len(results)} of {len(jobs)} jobs, {seconds / 60:.1f} minutes of processor time.*"
    if results:
        show(experiment, results, arguments.output / "MSE.md", note)
    waited = time.monotonic() - begin
    print(
        f"{experiment.name}: {len(results)} of {len(jobs)} jobs are there, after {waited:.0f} s",
        file=sys.stderr,
        flush=True,
    )
    if outcomes.interrupted:
        raise KeyboardInterrupt
    return failures


def main() -> int:
    """Run the experiments."""
    parser = options(__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--cut", action="store_true", help="a little of each, nothing kept")
    parser.add_argument("--jobs", type=int, help="processes; default: all cores")
    parser.add_argument("--database", type=Path, default=Path("lab.sqlite"))
    parser.add_argument("--output", type=Path, default=HERE)
    parser.add_argument("--no-run", dest="run", action="store_false", help="show what is stored")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in EXPERIMENTS]
    if unknown:
        parser.error(f"unknown experiment {unknown[0]!r}; there are {', '.join(EXPERIMENTS)}")
    failures: list[str] = []
    with tempfile.TemporaryDirectory() as scratch:
        if arguments.cut:
            arguments.database, arguments.output = None, Path(scratch)
        for name in arguments.names or EXPERIMENTS:
            failures += run(EXPERIMENTS[name], arguments)
    for line in failures:
        print(line, file=sys.stderr)
    return int(bool(failures))


if __name__ == "__main__":
    run_script(main)
