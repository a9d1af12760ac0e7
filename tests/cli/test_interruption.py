"""Ctrl-C and SIGTERM end a command at once, in the midst of a kernel too, with what is finished."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
import yaml

from maerisim import interruption

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals")

QUICK = "{name: quick, op: linear, inputs: 8, outputs: 8}"
LONG = "{name: long, op: conv2d, input: [512, 512, 512], filters: 512, kernel: 3}"
"""A layer that takes minutes without fast-forward."""
PATIENCE_SECONDS = 30


def started(*arguments: str, folder) -> subprocess.Popen[str]:
    """A command that has begun to compute; Ctrl-C reaches it, though this process may ignore it in the background."""
    program = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from maerisim.cli import main, progress\n"
        "show = progress.Bar.show\n"
        "def told(self, done, total, doing):\n"
        "    print(doing, file=sys.stderr, flush=True)\n"
        "    show(self, done, total, doing)\n"
        "progress.Bar.show = told\n"
        "main(sys.argv[1:])\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_a_simulation_with_the_layers_that_are_finished(tmp_path, number, code):
    (tmp_path / "net.yaml").write_text(f"name: net\nlayers:\n  - {QUICK}\n  - {LONG}\n", "utf-8")
    process = started("simulate", "maeri-16", "net.yaml", "--no-fast-forward", "--json", folder=tmp_path)
    assert process.stderr is not None
    for line in process.stderr:
        if "simulating long" in line:
            break
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == code, err
    assert "interrupted: 1 layer is finished" in err
    assert "Traceback" not in err
    assert [layer["name"] for layer in json.loads(out)["layers"]] == ["quick"]


def test_a_signal_ends_a_search_with_the_best_mapping_so_far(tmp_path):
    (tmp_path / "net.yaml").write_text(f"name: net\nlayers:\n  - {QUICK}\n  - {LONG}\n", "utf-8")
    saved = tmp_path / "mappings.yaml"
    process = started("map", "maeri-64", "net.yaml", "--prove", "--json", "-o", str(saved), folder=tmp_path)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("mapping long (so far "):
            break
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert process.returncode == 130, err
    assert "interrupted: 1 layer is finished; long has the best mapping found so far" in err
    found = json.loads(out)
    quick, long = found["layers"]
    assert (quick["name"], long["name"], found["unfinished"]) == ("quick", "long", "long")
    assert long["search"]["simulated"] > 0
    assert 0 < long["search"]["certain_gap"] < 1
    assert set(yaml.safe_load(saved.read_text())["layers"]) == {"quick", "long"}


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_a_signal_does_not_wait_for_work_that_does_not_hear_it():
    begun, may_end = threading.Event(), threading.Event()

    def deaf() -> None:
        try:
            begun.set()
            may_end.wait(PATIENCE_SECONDS)  # not an instruction of Python, like a kernel
        except KeyboardInterrupt:
            may_end.wait(PATIENCE_SECONDS)

    def interrupt() -> None:
        begun.wait(PATIENCE_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=interrupt, daemon=True).start()
    with interruption.listening():
        with pytest.raises(KeyboardInterrupt):
            interruption.interruptible(deaf)
        assert interruption.is_left_behind()
        assert interruption.exit_code() == 143
    assert interruption.exit_code() is None
    may_end.set()
    wait_for(lambda: not interruption.is_left_behind())


def test_work_hears_of_the_signal_when_its_kernel_is_done():
    ended: list[str] = []

    def computing() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            while True:
                pass
        except KeyboardInterrupt:
            ended.append("heard")

    with interruption.listening(), pytest.raises(KeyboardInterrupt):
        interruption.interruptible(computing)
    wait_for(lambda: ended == ["heard"])


def test_errors_and_results_are_those_of_the_work():
    def fail() -> None:
        raise ValueError("of the work")

    with pytest.raises(ValueError, match="of the work"):
        interruption.interruptible(fail)
    assert interruption.interruptible(lambda: 7) == 7


def test_works_side_by_side_run_at_once_and_answer_in_their_order():
    waiting = threading.Barrier(2, timeout=30)

    def answer(number: int) -> tuple[int, int]:
        waiting.wait()
        return number, threading.get_ident()

    (first, here), (second, there) = interruption.side_by_side([lambda: answer(1), lambda: answer(2)])
    assert (first, second) == (1, 2)
    assert here == threading.get_ident() != there


@pytest.mark.parametrize("place", [0, 1])
def test_an_error_of_one_work_is_raised(place):
    def work(number: int) -> int:
        if number == place:
            raise ValueError(number)
        return number

    with pytest.raises(ValueError, match=str(place)):
        interruption.side_by_side([lambda: work(0), lambda: work(1)])
