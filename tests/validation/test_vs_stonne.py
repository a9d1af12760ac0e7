"""Running a STONNE binary beside ours: a program that prints and writes what STONNE does stands in for it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "vs_stonne.py"

COLUMNS = (
    "name,op,R,S,C,G,K,N,X,Y,strides,T_R,T_S,T_C,T_G,T_K,T_N,T_X_,T_Y_,num_ms,dn_bw,rn_bw,rn_type,acc_buf,status\n"
)
# Cases whose cycles have been measured with STONNE: 136, 411 and 2128.
POINTWISE = "pointwise,CONV,1,1,3,1,42,1,6,5,1,1,1,3,1,21,1,1,1,64,64,64,ASNETWORK,1,ok\n"
WIDE = "wide,CONV,1,1,8,1,32,1,7,7,1,1,1,4,1,32,1,1,1,128,32,32,ASNETWORK,1,ok\n"
LINEAR = "linear,FC,1,256,1,1,64,1,1,256,1,1,8,1,1,8,1,1,1,64,16,16,ASNETWORK,1,ok\n"
HANGS_THERE = "hangs there,CONV,3,3,2,1,8,1,6,6,1,1,1,1,1,8,1,4,1,64,16,8,ASNETWORK,1,timeout\n"

STAND_IN = """#!{python}
import os, sys, time
from pathlib import Path

given = dict(argument[1:].split("=") for argument in sys.argv[2:])
assert sys.argv[1] == "-CONV", sys.argv
cycles = dict(pointwise=136, wide=411, linear=2128)[{{"42": "pointwise", "32": "wide", "64": "linear"}}[given["K"]]]
written = cycles
{behaviour}
if given["print_stats"] == "1":
    name = f"output_stats_layer_{{given['layer_name']}}_architecture_MSes_{{given['num_ms']}}timestamp_1"
    base = Path(os.environ["OUTPUT_DIR"]) / name
    base.with_suffix(".txt").write_text('{{\\n    "GlobalStats" : {{\\n        "N_cycles" : %d\\n    }}\\n}}\\n' % written)
    base.with_suffix(".counters").write_text("CYCLES=%d\\n[DSNetwork]\\n" % written)
print("Number of cycles running:", cycles)
print("\\033[1;32mTest passed correctly \\033[0m")
"""


WRONG_OUTPUT = """print('ERROR position 3: Value ofmap simulator: 1')
    print('\\033[1;31mT test not passed\\033[0m', flush=True)
    os.abort()"""
"""What STONNE does when an output is not what it should be."""


class Finished(NamedTuple):
    """What the script printed; ``numbers`` is its last line."""

    code: int
    out: str
    err: str

    @property
    def numbers(self) -> dict[str, Any]:
        numbers: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return numbers


def run(directory: Path, cases: str, behaviour: str = "", *options: str) -> Finished:
    """Run the script with a stand-in that has ``behaviour`` before it prints its results."""
    binary, table = directory / "stonne", directory / "cases.csv"
    binary.write_text(STAND_IN.format(python=sys.executable, behaviour=behaviour))
    binary.chmod(0o755)
    table.write_text(cases)
    return script("--stonne", str(binary), "--cases", str(table), "--runs", "1", *options)


def script(*arguments: str) -> Finished:
    finished = subprocess.run(
        [sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False, timeout=300
    )
    return Finished(finished.returncode, finished.stdout, finished.stderr)


def test_equal_cycles_are_compared_and_rows_that_stonne_does_not_complete_are_left_out(tmp_path: Path) -> None:
    finished = run(tmp_path, COLUMNS + POINTWISE + WIDE + LINEAR + HANGS_THERE, "", "--no-fast-forward")
    assert finished.code == 0, finished.err
    numbers = finished.numbers
    assert (numbers["cases"], numbers["equal_cycles"], numbers["other_cycles"]) == (3, 3, 0)
    rows = numbers["rows"]
    assert {name: row["stonne_cycles"] for name, row in rows.items()} == {"pointwise": 136, "wide": 411, "linear": 2128}
    product = 1.0
    for row in rows.values():
        assert row["times_faster"] == pytest.approx(row["stonne_seconds"] / row["our_seconds"])
        product *= row["times_faster"]
    assert numbers["times_faster"] == pytest.approx(product ** (1 / 3), abs=0.01)


def test_other_cycles_are_shown_and_left_out_of_the_mean(tmp_path: Path) -> None:
    finished = run(tmp_path, COLUMNS + POINTWISE + WIDE, "cycles = written = 137 if cycles == 136 else cycles")
    assert finished.code == 1
    assert (finished.numbers["equal_cycles"], finished.numbers["other_cycles"]) == (1, 1)
    assert finished.numbers["times_faster"] == pytest.approx(finished.numbers["rows"]["wide"]["times_faster"], abs=0.01)
    line = next(line for line in finished.out.splitlines() if line.startswith("pointwise"))
    assert line.endswith("cycles differ by -0.73%")  # 136 / 137 - 1


@pytest.mark.parametrize(
    ("behaviour", "message"),
    [
        ("sys.exit('Assertion `false` failed.')", "STONNE ended with exit code 1: Assertion `false` failed."),
        ("os.abort()", "STONNE ended with signal SIGABRT: it says nothing"),
        ("print('T test not passed'); sys.exit()", "STONNE's own check of the outputs fails: T test not passed"),
        (WRONG_OUTPUT, "STONNE's own check of the outputs fails: ERROR position 3: Value ofmap simulator: 1"),
        ("print('done'); sys.exit()", "STONNE does not say that its outputs are correct: done"),
        ("time.sleep(60)", "STONNE has not ended after 2 s"),
        (
            "written += 1",
            "expected one number of cycles from STONNE, in its output and its files, found 136 and 137",
        ),
        (
            "print('Test passed correctly'); sys.exit()",
            "expected one number of cycles from STONNE, in its output and its files, found nothing",
        ),
    ],
)
def test_what_goes_wrong_in_one_case_is_reported_and_the_others_run(
    tmp_path: Path, behaviour: str, message: str
) -> None:
    finished = run(tmp_path, COLUMNS + POINTWISE + WIDE, f"if given['K'] == '42':\n    {behaviour}", "--timeout", "2")
    assert finished.code == 1
    assert finished.numbers["failed"] == {"pointwise": message}
    assert finished.numbers["outputs_wrong"] == (["pointwise"] if "check of the outputs fails" in message else [])
    assert message in finished.out
    assert list(finished.numbers["rows"]) == ["wide"]


def test_a_case_that_does_not_fit_ours_is_reported(tmp_path: Path) -> None:
    finished = run(tmp_path, COLUMNS + POINTWISE.replace(",21,1,1,1,64,", ",42,1,1,1,64,"))
    assert finished.code == 1
    assert "126 multipliers" in finished.numbers["failed"]["pointwise"]  # 42 virtual neurons of 3
    assert finished.numbers["times_faster"] is None


def test_another_reduction_network_is_refused(tmp_path: Path) -> None:
    finished = run(tmp_path, COLUMNS + POINTWISE.replace("ASNETWORK", "FENETWORK") + WIDE)
    assert finished.code == 1
    refused = "rn_type is FENETWORK, another reduction network; the stonne profile has that of ASNETWORK alone"
    assert finished.numbers["failed"] == {"pointwise": refused}
    assert list(finished.numbers["rows"]) == ["wide"]


def test_a_missing_binary_is_named(tmp_path: Path) -> None:
    finished = script("--stonne", str(tmp_path / "stonne"))
    assert finished.code == 2
    assert f"{tmp_path / 'stonne'}: no such file; give the binary" in finished.err


@pytest.mark.parametrize("content", ["", "#!/no/such/interpreter\n"])
def test_a_file_that_is_no_program_is_named(tmp_path: Path, content: str) -> None:
    binary = tmp_path / "stonne"
    binary.write_text(content or "text")
    binary.chmod(0o755 if content else 0o644)
    finished = script("--stonne", str(binary))
    assert finished.code == 2
    assert f"{binary}: cannot be executed" in finished.err


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (COLUMNS.replace("T_K,", "") + "x\n", "cases.csv: has no column T_K"),
        (COLUMNS + POINTWISE.replace(",42,", ",many,"), "cases.csv:2: K: expected a whole number, found 'many'"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path: Path, table: str, message: str) -> None:
    finished = run(tmp_path, table)
    assert finished.code == 2
    assert message in finished.err
