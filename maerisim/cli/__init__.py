"""What can be typed.

``main`` is the ``maerisim`` script. Nothing heavier than typer is imported before a command runs, so that help and
completion answer at once.
"""

from __future__ import annotations

import atexit
import errno
import gc
import io
import os
import sys
from contextlib import suppress

from maerisim import interruption, machine
from maerisim.errors import MaerisimError
from maerisim.text import shown

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130
"""Exit codes: results of a sweep that failed, input that cannot be used, and Ctrl-C (after SIGTERM it is 143)."""

OBJECTS_BETWEEN_COLLECTIONS = 1_000_000
"""New ones, until Python looks for garbage: with its 700 that is a tenth of a short command, which imports what stays. Hardly anything
here has to be looked for: searches take no more memory than with 100,000.
"""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)
"""Why nothing more can be printed; what names a file has an error of its own."""
MOST_PROBLEMS = 100
"""That are listed; the others are counted."""
MOST_CHARACTERS = 2000
"""Of one of them."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; every MaerisimError becomes a message on standard error and exit code 2.

    Ctrl-C ends it with exit code 130 and SIGTERM with 143, in the midst of whatever is being computed.
    """
    _open_streams()
    with interruption.listening():
        try:
            code = _code_of(arguments)
        except KeyboardInterrupt:
            code = INTERRUPTED
        code = interruption.exit_code() or code
    if interruption.is_left_behind():
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(code)
    sys.exit(code)


def _open_streams() -> None:
    """Connect standard streams that were closed to nothing, for worker processes too; a file or a pipe that is opened would get
    their numbers otherwise.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nothing = open(os.devnull, mode)  # noqa: SIM115, PTH123 - it stays open
            os.set_inheritable(nothing.fileno(), True)
            setattr(sys, name, nothing)


def _code_of(arguments: list[str] | None) -> int:
    """The exit code of a command that is run."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    # At its very end Python would look for garbage in all that was imported once more.
    atexit.register(gc.freeze)
    # NumPy's matrices of floats are small here, and threads for large ones spin for 0.1 s when they start.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from maerisim.cli.commands import app
    from maerisim.cli.compiling import Announcement
    from maerisim.cli.saying import warn
    from maerisim.kernels.compiling.cache import watched
    from maerisim.kernels.compiling.choice import hide_scipy

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without Unicode gets question marks, not an error
    machine.limit_memory()
    hide_scipy()
    try:
        with watched(Announcement()), machine.heard(_announce):
            app(arguments, prog_name="maerisim")
    except MaerisimError as error:
        warn(explained(error))
        return BAD_INPUT
    except MemoryError:
        warn("error: not enough memory: this needs more than there is (make the layer or the hardware smaller)\n")
        return BAD_INPUT
    except OSError as error:
        if error.filename is not None or error.errno not in FULL:
            raise
        warn(f"error: standard output: cannot be written: {error.strerror}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what it still holds
        return BAD_INPUT
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _announce(forecast: machine.Forecast) -> None:
    """Say what is going to take long, before it begins."""
    from maerisim.cli.saying import warn

    reason = f" ({forecast.why})" if forecast.why else ""
    warn(f"this takes {forecast}{reason} ...\n")


def explained(error: MaerisimError) -> str:
    """The message for the terminal; several problems are counted first and listed one to a line."""
    problems = [
        shown(line, MOST_CHARACTERS) for line in [*str(error).split("\n"), *getattr(error, "__notes__", [])] if line
    ]
    if len(problems) == 1:
        return f"error: {problems[0]}\n"
    listed = "".join(f"  {problem}\n" for problem in problems[:MOST_PROBLEMS])
    if len(problems) > MOST_PROBLEMS:
        listed += f"  ... and {len(problems) - MOST_PROBLEMS:,} more\n"
    return f"error: {len(problems)} problems\n{listed}"
