"""Inputs that nobody would write: every reader on mutated documents, and random command lines over random documents.

    python benchmarks/fuzz.py [--inputs N] [--commands N] [--seed SEED] [--keep DIR]

Each reader gets N documents (10,000) that began as good ones and were damaged; then N command lines (2,000) run over random
hardware and networks, right and wrong ones. Everything has to end with a result or with a message: an exception of another
kind is a *traceback*, what takes longer than some seconds is a *hang*, and a file that was there before and is neither as it
was nor completely written anew is *lost*. Seeds differ from run to run unless one is given; the seed is printed. What fails is
printed with its input, and kept in DIR. The last line is JSON; the exit code is 1 where anything failed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from fuzz_documents import COMMANDS, command_lines, mutated, originals
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.errors import NonInteractiveExampleWarning
from reporting import Line, Report, options, progress, run_script, show

from maerisim import MaerisimError, Network
from maerisim.cli import BAD_INPUT, FAILED, INTERRUPTED, main
from maerisim.documents import load
from maerisim.hardware.hardware import Hardware
from maerisim.importers import mrna, scale_sim
from maerisim.mapping.constraints import ConstraintFile
from maerisim.mapping.document import MappingFile
from maerisim.study import warmup
from maerisim.sweeps.document import Sweep

READER_SECONDS = 5.0
COMMAND_SECONDS = 300.0
"""What counts as a hang; on a busy machine a report takes half a minute."""
LONGEST_MESSAGE = 3000
"""Characters of one problem."""
TINY = Network([{"op": "linear", "inputs": 8, "outputs": 8, "name": "all"}], name="n")

READERS: dict[str, Callable[[Path], object]] = {
    "hardware": lambda path: load(Hardware, path),
    "network": lambda path: load(Network, path),
    "mapping": lambda path: load(MappingFile, path),
    "sweep": lambda path: load(Sweep, path),
    "constraints": lambda path: ConstraintFile.load(path, TINY),
    "mrna": lambda path: mrna.read([path]),
    "scale-sim": lambda path: scale_sim.read([path]),
}


class Hang(BaseException):
    """Something takes too long; no Exception, so that nobody takes it for one of theirs."""


@dataclass
class Found:
    """What a kind of input ended in, and what failed."""

    name: str
    ends: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def fail(self, how: str, what: str, details: str) -> None:
        """Count a failure, and keep it."""
        self.ends[how] += 1
        self.failures.append(f"{self.name}: {how}\n{what}\n{details}")


@contextmanager
def limit(seconds: float) -> Iterator[None]:
    """Raise Hang when what is inside takes longer."""

    def ring(_number: int, _frame: object) -> None:
        raise Hang

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fuzz_reader(found: Found, inputs: int, seed: int) -> None:
    """Let a reader read damaged documents."""
    name = found.name
    chance, good = random.Random(f"{seed} {name}"), originals(name)
    path = Path("input.yaml" if name not in ("mrna", "scale-sim") else "input.txt")
    for number in range(inputs):
        content = mutated(chance.choice(good), chance)
        path.write_bytes(content)
        if number % 100 == 0:
            progress(f"{name}: {number:,} of {inputs:,}")
        try:
            with limit(READER_SECONDS):
                READERS[name](path)
            found.ends["read"] += 1
        except MaerisimError as error:
            text = str(error)
            if not text.strip() or max(map(len, text.split("\n"))) > LONGEST_MESSAGE:
                found.fail("bad messages", repr(content), repr(text[:LONGEST_MESSAGE]))
            found.ends["refused"] += 1
        except Hang:
            found.fail("hangs", repr(content), "")
        except Exception:  # noqa: BLE001 - any at all is what is looked for
            found.fail("tracebacks", repr(content), traceback.format_exc())


def fuzz_commands(found: Found, commands: int, seed: int) -> None:
    """Run random command lines over random documents."""
    start = time.monotonic()

    @seeded(seed)
    @settings(
        max_examples=commands,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(command_lines())
    def run(case: tuple[list[str], dict[str, Any]]) -> None:
        arguments, documents = case
        run_command(found, arguments, documents)
        progress(f"commands: {sum(found.ends.values()):,} of {commands:,}, {time.monotonic() - start:.0f} s")

    run()


def run_command(found: Found, arguments: list[str], documents: dict[str, Any]) -> None:
    """Run a command line in a folder with the documents, and see what it did to them."""
    what = f"maerisim {' '.join(arguments)}\n{yaml.safe_dump(documents, sort_keys=False)}"
    with folder_of(documents) as kept:
        out, err = io.StringIO(), io.StringIO()
        code: object = None
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), limit(COMMAND_SECONDS):
                main(arguments)
            code = 0
        except SystemExit as end:
            code = end.code or 0
            if code == INTERRUPTED:
                raise KeyboardInterrupt from None
        except Hang:
            found.fail("hangs", what, err.getvalue()[-2000:])
            return
        except Exception:  # noqa: BLE001
            found.fail("tracebacks", what, traceback.format_exc())
            return
        if code not in (0, FAILED, BAD_INPUT):
            found.fail("bad exit codes", what, f"{code}\n{err.getvalue()[-2000:]}")
        elif code and not err.getvalue().strip():
            found.fail("silent failures", what, out.getvalue()[-2000:])
        else:
            found.ends[f"exit code {code}"] += 1
        for name, before in kept.items():
            damage = damage_to(Path(name), before, written=code == 0 and name in arguments)
            if damage:
                found.fail("lost files", what, f"{name}: {damage}\n{err.getvalue()[-2000:]}")


def damage_to(path: Path, before: str, *, written: bool) -> str:
    """How a file is neither as it was nor, where a command that succeeded names it, completely written anew."""
    if not path.exists():
        return "is gone"
    now = path.read_text("utf-8", errors="replace")
    if now == before or (written and path.name.startswith("out.") and now.endswith(("\n", "}"))):
        return ""
    return f"has changed to {now[:200]!r}"


@contextmanager
def folder_of(documents: dict[str, Any]) -> Iterator[dict[str, str]]:
    """A folder of its own to work in, with the documents and something where output is written to; their texts by name."""
    texts = {name: yaml.safe_dump(content, sort_keys=False) for name, content in documents.items()}
    texts["out.yaml"] = "name: what was here before\n"
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for name, text in texts.items():
                Path(name).write_text(text, encoding="utf-8")
            yield texts
        finally:
            os.chdir(before)


def report_of(results: list[Found], seed: int) -> Report:
    """The counts, each with none as its target."""
    lines: list[Line] = []
    for found in results:
        ended = ", ".join(f"{count:,} {end}" for end, count in sorted(found.ends.items()))
        lines.append(Line(found.name, len(found.failures), "failures", 0, note=ended))
    for end in ("tracebacks", "hangs", "lost files"):
        lines += [Line(end, sum(found.ends[end] for found in results), "", 0)]
    data = {"seed": seed} | {found.name: dict(sorted(found.ends.items())) for found in results}
    return Report(f"What became of unusual input (seed {seed})", lines, data)


def fuzz(inputs: int, commands: int, seed: int, results: list[Found]) -> list[Found]:
    """Everything, in a folder of its own; what is found is in ``results`` from the beginning."""
    warnings.simplefilter("ignore", NonInteractiveExampleWarning)
    with folder_of({}):
        for name in READERS if inputs else ():
            results.append(Found(name))
            fuzz_reader(results[-1], inputs, seed)
        if commands:
            warmup.ensure(warmup.PARTS)
            results.append(Found("commands"))
            fuzz_commands(results[-1], commands, seed)
    return results


def run(arguments: argparse.Namespace) -> int:
    """Print what was found, after Ctrl-C by then; 1 where anything failed."""
    seed = arguments.seed if arguments.seed is not None else random.SystemRandom().randrange(2**32)
    keep = None if arguments.keep is None else Path(arguments.keep).resolve()
    results: list[Found] = []
    interrupted: KeyboardInterrupt | None = None
    try:
        fuzz(arguments.inputs, arguments.commands, seed, results)
    except KeyboardInterrupt as error:
        interrupted = error
    failures = [failure for found in results for failure in found.failures]
    for number, failure in enumerate(failures):
        if number < 10:
            print(failure[-4000:], end="\n\n", file=sys.stderr)
        if keep is not None:
            keep.mkdir(parents=True, exist_ok=True)
            (keep / f"{seed}-{number}.txt").write_text(failure, encoding="utf-8")
    show(report_of(results, seed))
    if interrupted is not None:
        raise interrupted
    return int(bool(failures))


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--inputs", type=int, default=10_000, metavar="N", help="documents for each reader (10,000)")
    parser.add_argument("--commands", type=int, default=2_000, metavar="N", help=f"of {', '.join(COMMANDS)} (2,000)")
    parser.add_argument("--seed", type=int, metavar="SEED", help="default: another one in every run")
    parser.add_argument("--keep", metavar="DIR", help="write what failed into this directory")
    run_script(lambda: run(parser.parse_args()))
