"""The ``stonne`` profile against STONNE's own cycles, where its table of measurements is at hand."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = ROOT.parent / "shared" / "golden" / "stonne.csv"
RANDOM = TABLE.with_name("stonne_random.csv")
SCRIPT = ROOT / "benchmarks" / "validate_stonne.py"


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.skipif(not TABLE.exists(), reason="no table of STONNE runs beside the repository (../shared/golden)")
@pytest.mark.parametrize("table", [TABLE, RANDOM], ids=["built against", "random"])
def test_cycles_and_all_counts_are_those_of_stonne(table: Path) -> None:
    rows = len(table.read_text().splitlines()) - 1
    result = run(table)
    assert f'"cases": {rows}, "exact": {rows}, "max_abs_error": 0.0' in result.stdout.splitlines()[-1]
    assert json.loads(result.stdout.splitlines()[-1])["exact_with_other_counts"] == 0
    assert len(result.stdout.splitlines()) == 1
    assert result.returncode == 0


@pytest.mark.skipif(not TABLE.exists(), reason="no table of STONNE runs beside the repository (../shared/golden)")
def test_the_event_engine_agrees_on_the_short_rows(tmp_path: Path) -> None:
    with TABLE.open() as file:
        table = csv.DictReader(file)
        rows = [row for row in table if int(row["cycles"]) < 120 and int(row["num_ms"]) <= 64]
        short = tmp_path / "short.csv"
        with short.open("w", newline="") as target:
            writer = csv.DictWriter(target, table.fieldnames or [])
            writer.writeheader()
            writer.writerows(rows[:12])
    result = run(short, "--engine", "event")
    assert '"cases": 12, "exact": 12' in result.stdout.splitlines()[-1]


HEADINGS = (
    "name,group,op,R,S,C,G,K,N,X,Y,strides,T_R,T_S,T_C,T_G,T_K,T_N,T_X_,T_Y_,num_ms,dn_bw,rn_bw,rn_type,acc_buf,status,"
    "passed,cycles,mults,macs_ideal,sram_w_reads,sram_in_reads,sram_psum_reads,psum_writes,add21,add31,acc_adds,fw_sends"
)
MEASURED = (
    # A row that STONNE was run on.
    "vn1_full,x,CONV,1,1,1,1,128,1,6,5,1,1,1,1,1,64,1,1,1,64,64,64,ASNETWORK,1,ok,1,258,3840,3840,128,60,0,3840,0,0,0,0"
)
OTHERS = {
    "outputs_wrong": "wrong,x,CONV,1,1,1,1,8,1,6,5,1,1,1,1,1,8,1,1,1,64,64,64,ASNETWORK,1,WRONG_RESULT,0,9" + "," * 10,
    "failed": "asserts,x,CONV,1,1,1,1,8,1,6,5,1,1,1,1,1,8,1,1,1,64,64,64,ASNETWORK,1,assert,0," + "," * 10,
    "deadlocks": "hangs,x,CONV,1,1,1,1,8,1,6,5,1,1,1,1,1,8,1,1,1,64,64,64,ASNETWORK,1,timeout,0," + "," * 10,
    "refused": "fan,x,CONV,1,1,1,1,8,1,6,5,1,1,1,1,1,8,1,1,1,64,64,64,FENETWORK,1,ok,1,9,9,9,9,9,0,9,0,0,0,0",
}


@pytest.mark.parametrize(("what", "row"), OTHERS.items(), ids=OTHERS)
def test_rows_that_are_no_reference_are_counted_for_what_they_are(tmp_path: Path, what: str, row: str) -> None:
    table = tmp_path / "table.csv"
    table.write_text(f"{HEADINGS}\n{MEASURED}\n{row}")
    result = run(table)
    numbers = json.loads(result.stdout.splitlines()[-1])
    assert (numbers["cases"], numbers["exact"], numbers["exact_with_other_counts"]) == (1, 1, 0)
    assert {name: numbers[name] for name in OTHERS} == dict.fromkeys(OTHERS, 0) | {what: 1}
    # A hang has to be found, and a row of another machine is not passed over in silence.
    assert result.returncode == (what in ("deadlocks", "refused"))
    refused = "fan: refused: rn_type is FENETWORK, another reduction network; the stonne profile has that of ASNETWORK"
    assert (refused in result.stdout) == (what == "refused")


def test_another_number_of_cycles_or_reads_is_told(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(
        "\n".join([HEADINGS, MEASURED.replace(",258,", ",250,"), MEASURED.replace(",128,60,0,", ",127,60,0,")])
    )
    result = run(table)
    assert result.returncode == 1
    assert result.stdout.splitlines()[:2] == [
        "vn1_full: 258 cycles, STONNE 250 (3.20%)",
        "vn1_full: 258 cycles, STONNE 258 (0.00%); sram_w_reads 128 not 127",
    ]


def test_zeros_that_fill_up_tiles_are_counted_as_stonne_counts_them_or_all(tmp_path: Path) -> None:
    """Five filters, two at once, so that STONNE sends a sixth of zeros that it neither reads nor writes."""
    row = "k5,x,CONV,1,1,2,1,5,1,3,1,1,1,1,2,1,2,1,1,1,16,4,4,ASNETWORK,1,ok,1,{cycles},36,30,10,18,0,15,18,0,0,0"
    table = tmp_path / "table.csv"
    table.write_text("\n".join([HEADINGS, row.format(cycles=1)]))
    cycles = run(table).stdout.split()[1]
    table.write_text("\n".join([HEADINGS, row.format(cycles=cycles)]))
    assert json.loads(run(table).stdout)["exact_with_other_counts"] == 0
    counted = run(table, "--zeros", "all").stdout.splitlines()[0]
    assert counted.endswith("sram_w_reads 12 not 10; psum_writes 18 not 15")


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell with pipes")
def test_a_reader_that_stops_early_is_no_error(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("\n".join([HEADINGS, *[MEASURED.replace(",258,", ",250,")] * 2000]))
    with subprocess.Popen(
        [sys.executable, SCRIPT, table], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 141


def test_a_missing_table_is_named() -> None:
    result = run("nowhere.csv")
    assert result.returncode == 2
    assert "nowhere.csv: no such file" in result.stderr


def test_a_table_of_something_else_is_named(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text(HEADINGS.replace("T_K,", "") + "\n")
    result = run(table)
    assert result.returncode == 2
    assert f"{table}: has no column T_K" in result.stderr
