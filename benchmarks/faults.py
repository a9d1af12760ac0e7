"""What goes wrong around a command: killed processes, full disks, damaged files, odd environments, and what is lost by it.

    python benchmarks/faults.py [--times N] [--only NAME] [--cold]

Each fault is tried N times (3) in a folder of its own. Lost is what was there before and is not there any more, what is there half, or an
answer that differs from that of an undisturbed run; a traceback counts too. With ``--cold`` also those that compile all kernels
of a command, which takes a minute each. The table is the one of ``benchmarks/README.md``; the last line is JSON, the exit
code is 1 where anything was lost.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from reporting import Line, Report, options, progress, run_script, show

from maerisim.kernels.compiling import cache

COMMAND = (sys.executable, "-m", "maerisim")
NETWORK = "name: net\nlayers:\n  - {name: fc, op: linear, inputs: 32, outputs: 8}\n"
SWEEP = """\
name: small
hardware: maeri-16
networks: [net.yaml]
grid:
  reduction.latency: [1, 2, 3]
  multiplier.latency: [1, 2]
"""
SIMULATE = ("simulate", "maeri-16", "net.yaml", "--json")
MAP = ("map", "maeri-16", "net.yaml", "-o", "mapping.yaml")
RUN_SWEEP = ("sweep", "sweep.yaml", "--jobs", "1")
BEFORE = "name: what was here before\n"
PATIENCE_SECONDS = 300


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


def begun(
    *arguments: str, environment: dict[str, str] | None = None, limit: int | None = None, redirected: str = ""
) -> subprocess.Popen[str]:
    """A command that runs, its streams ``redirected`` as in a shell; with a ``limit`` no file can grow beyond so many bytes, as on a
    full disk.
    """
    inherited = {"PYTHONPATH": str(Path(__file__).parents[1]), **os.environ}
    chosen = {key: value for key, value in (inherited | (environment or {})).items() if value != UNSET}
    shell = ("sh", "-c", f'exec "$@" {redirected}', "sh") if redirected else ()
    process = subprocess.Popen(
        (*shell, *COMMAND, *arguments),
        env=chosen,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    if limit is not None:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    return process


UNSET = "\0"
"""The value of a variable that the environment of a command does not have."""


def ended(process: subprocess.Popen[str]) -> Ended:
    """Wait for a command. Raises AssertionError for a traceback."""
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert "Traceback" not in err, err
    return Ended(process.returncode, out, err)


def run(*arguments: str, environment: dict[str, str] | None = None, limit: int | None = None) -> Ended:
    """Run a command to its end."""
    return ended(begun(*arguments, environment=environment, limit=limit))


def killed(*arguments: str, environment: dict[str, str] | None = None, within: float) -> None:
    """Run a command, and kill it and its workers after some time."""
    process = begun(*arguments, environment=environment)
    time.sleep(random.uniform(0.2, within))
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def answered(result: Ended) -> str:
    """What a command that has to succeed printed."""
    assert result.code == 0, result
    return result.out


def measured(database: str) -> list[tuple[object, ...]]:
    """What a database of a sweep holds, dates and durations apart."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute("SELECT key, status, cycles, mapping, counters FROM results ORDER BY key").fetchall()


def undisturbed() -> list[tuple[object, ...]]:
    """What the sweep finds when nothing happens."""
    answered(run(*RUN_SWEEP, "--database", "undisturbed.sqlite"))
    return measured("undisturbed.sqlite")


def kill_sweep() -> None:
    """A sweep is killed; what it stored is whole, and going on completes it."""
    expected = undisturbed()
    killed(*RUN_SWEEP, within=4)
    if Path("small.sqlite").exists() and Path("small.sqlite").stat().st_size:
        with closing(sqlite3.connect("small.sqlite")) as connection:
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        assert not tables or set(measured("small.sqlite")) <= set(expected)
    answered(run(*RUN_SWEEP))
    assert measured("small.sqlite") == expected


def kill_output() -> None:
    """A command is killed while it writes a file; the file is the old or the new one."""
    answered(run("map", "maeri-16", "net.yaml", "-o", "new.yaml"))
    Path("mapping.yaml").write_text(BEFORE)
    killed(*MAP, within=3)
    assert Path("mapping.yaml").read_text() in (BEFORE, Path("new.yaml").read_text())


def fill_output() -> None:
    """The disk is full when a file is written; the old one stays, and the message says why."""
    Path("mapping.yaml").write_text(BEFORE)
    result = run(*MAP, limit=16)
    assert result.code == 2, result
    assert "mapping.yaml: cannot be written" in result.err
    assert Path("mapping.yaml").read_text() == BEFORE
    assert not list(Path().glob(".maerisim-*"))


def fill_sweep() -> None:
    """The disk is full in a sweep; what was stored before is there, and going on completes it."""
    expected = undisturbed()
    result = run(*RUN_SWEEP, limit=13_000)
    assert result.code == 2, result
    assert "cannot be used as a database" in result.err
    assert set(measured("small.sqlite")) <= set(expected)
    answered(run(*RUN_SWEEP))
    assert measured("small.sqlite") == expected


def copied_kernels() -> Path:
    """A copy of the compiled kernels, in a folder for ``NUMBA_CACHE_DIR``."""
    answered(run(*SIMULATE))
    kept = cache.directory()
    assert kept is not None
    shutil.copytree(kept, Path("kernels") / kept.name)
    return Path("kernels")


def damage_kernels() -> None:
    """Files of compiled kernels are cut, overwritten, emptied or not there; the answer is the same."""
    expected, folder = answered(run(*SIMULATE)), copied_kernels()
    files = [path for path in folder.rglob("*.o") if path.name.startswith(("transfers.", "ranking.place"))]
    assert files
    for path in files:
        content = bytearray(path.read_bytes())
        kind = random.randrange(4)
        if kind == 0:
            content = content[: random.randrange(len(content))]
        elif kind == 1:
            content[random.randrange(len(content))] ^= 1 << random.randrange(8)
        elif kind == 2:
            content = bytearray(random.randbytes(len(content)))
        path.write_bytes(content) if kind < 3 else path.unlink()
    assert answered(run(*SIMULATE, environment={"NUMBA_CACHE_DIR": str(folder)})) == expected


def no_place_for_kernels() -> None:
    """Nothing can be written where kernels are kept; they are compiled for this run alone."""
    expected = answered(run(*SIMULATE))
    result = run(*SIMULATE, environment={"NUMBA_CACHE_DIR": "/proc/nowhere"})
    assert answered(result) == expected
    assert "cannot be kept" in result.err


def fill_kernels() -> None:
    """The disk is full when kernels are kept; the answer is the same."""
    expected = answered(run(*SIMULATE))
    assert answered(run(*SIMULATE, environment={"NUMBA_CACHE_DIR": "empty"}, limit=1000)) == expected


def kill_compiling() -> None:
    """A command is killed while it compiles; the next one goes on with what there is."""
    expected = answered(run(*SIMULATE))
    killed(*SIMULATE, environment={"NUMBA_CACHE_DIR": "empty"}, within=20)
    assert answered(run(*SIMULATE, environment={"NUMBA_CACHE_DIR": "empty"})) == expected


def compile_twice() -> None:
    """Two commands compile into one empty folder at once; both answers are the same."""
    expected = answered(run(*SIMULATE))
    both = [begun(*SIMULATE, environment={"NUMBA_CACHE_DIR": "empty"}) for _ in range(2)]
    assert [answered(ended(process)) for process in both] == [expected] * 2
    assert answered(run(*SIMULATE, environment={"NUMBA_CACHE_DIR": "empty"})) == expected


def damage_database() -> None:
    """The database of a sweep is damaged: refused with a message and not touched, or nothing was lost by it."""
    expected = undisturbed()
    content = bytearray(Path("undisturbed.sqlite").read_bytes())
    if random.random() < 0.5:
        content = content[: random.randrange(1, len(content))]
    else:
        start = random.randrange(len(content) - 200)
        content[start : start + 200] = random.randbytes(200)
    Path("small.sqlite").write_bytes(content)
    result = run(*RUN_SWEEP)
    if result.code == 0:
        assert {row[:3] for row in measured("small.sqlite")} == {row[:3] for row in expected}
    else:
        assert result.code == 2, result
        assert "small.sqlite" in result.err


def two_sweeps() -> None:
    """Two sweeps write one file at once; every result is there once."""
    expected = undisturbed()
    both = [begun(*RUN_SWEEP) for _ in range(2)]
    for process in both:
        answered(ended(process))
    assert measured("small.sqlite") == expected


def closed_pipe() -> None:
    """Nobody reads what is printed; the command ends without a word."""
    process = begun("--help")
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    assert process.stderr is not None
    with process.stderr:
        err = process.stderr.read()
    process.wait(PATIENCE_SECONDS)
    assert "Traceback" not in err, err
    assert "Exception ignored" not in err, err


def odd_streams(redirected: str, code: int) -> Callable[[], None]:
    def attempt() -> None:
        expected = undisturbed()
        result = ended(begun(*RUN_SWEEP, redirected=redirected))
        assert result.code == code, result
        assert measured("small.sqlite") == expected

    attempt.__doc__ = f"A sweep with {redirected}: everything is stored."
    return attempt


def odd_environment(**environment: str) -> Callable[[], None]:
    def attempt() -> None:
        expected = answered(run(*SIMULATE))
        assert answered(run(*SIMULATE, environment=environment)) == expected
        table = answered(run("simulate", "maeri-16", "net.yaml", environment=environment))
        assert "fc" in table

    attempt.__doc__ = f"{' '.join(key if value == UNSET else f'{key}={value}' for key, value in environment.items())}: the same answer."
    return attempt


FAULTS: dict[str, Callable[[], None]] = {
    "kill -9 in a sweep": kill_sweep,
    "kill -9 while -o writes": kill_output,
    "full disk while -o writes": fill_output,
    "full disk in a sweep": fill_sweep,
    "damaged compiled kernels": damage_kernels,
    "damaged SQLite file": damage_database,
    "two sweeps on one file": two_sweeps,
    "closed pipe": closed_pipe,
    "closed standard streams": odd_streams("<&- >&- 2>&-", 0),
    "full standard streams": odd_streams(">/dev/full 2>/dev/full", 2),
    "TERM=dumb": odd_environment(TERM="dumb"),
    "LANG=C": odd_environment(LANG="C", LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"),
    "no HOME": odd_environment(HOME=UNSET, XDG_CACHE_HOME=UNSET),
}
COLD: dict[str, Callable[[], None]] = {
    "no place for compiled kernels": no_place_for_kernels,
    "full disk while kernels are kept": fill_kernels,
    "kill -9 while kernels compile": kill_compiling,
    "two processes compile at once": compile_twice,
}


def attempt(fault: Callable[[], None]) -> str:
    """Try a fault in a folder of its own; what was lost, empty for nothing."""
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            Path("net.yaml").write_text(NETWORK)
            Path("sweep.yaml").write_text(SWEEP)
            fault()
        except (AssertionError, sqlite3.Error, OSError, subprocess.TimeoutExpired) as error:
            return f"{type(error).__name__}: {str(error)[-2000:]}"
        finally:
            os.chdir(before)
    return ""


def measure(times: int, only: str, *, cold: bool) -> tuple[Report, bool]:
    """Try each fault so often."""
    lines, data, lost = [], {}, False
    for name, fault in (FAULTS | (COLD if cold else {})).items():
        if only not in name:
            continue
        failures = []
        for number in range(times):
            progress(f"{name}: {number + 1} of {times}")
            failures += [failure for failure in [attempt(fault)] if failure]
        for failure in failures:
            print(f"{name}: {failure}", file=sys.stderr)
        lost |= bool(failures)
        lines.append(Line(name, len(failures), "lost", 0, note=f"of {times} times"))
        data[name] = {"times": times, "lost": len(failures)}
    return Report("Faults", lines, data), lost


def main(arguments: argparse.Namespace) -> int:
    """Print the table; 1 where anything was lost."""
    report, lost = measure(arguments.times, arguments.only, cold=arguments.cold)
    show(report)
    return int(lost)


if __name__ == "__main__":
    parser = options(__doc__)
    parser.add_argument("--times", type=int, default=3, metavar="N", help="how often each fault is tried (3)")
    parser.add_argument("--only", default="", metavar="NAME", help="faults that have this in their names")
    parser.add_argument("--cold", action="store_true", help="also those that compile kernels")
    run_script(lambda: main(parser.parse_args()))
