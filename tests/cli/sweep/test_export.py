"""Results of sweeps as CSV and JSON."""

from __future__ import annotations

import csv
import io

from tests.cli.sweep.documents import SMALL


def test_csv_has_the_numbers_of_json(maerisim, folder):
    written = maerisim("sweep", "small.yaml", "--jobs", 1, "--export", "csv", "-o", "out.csv")
    assert "Exported to out.csv." in written.out
    assert "Fewest cycles" in written.out
    printed = maerisim("sweep", "small.yaml", "--export", "csv")
    assert printed.out == (folder / "out.csv").read_text()
    table = list(csv.DictReader(io.StringIO(printed.out)))
    document = maerisim("sweep", "small.yaml", "--export", "json").json
    assert (document["sweep"], document["objective"]) == ("small", "cycles")
    for line, row in zip(table, document["rows"], strict=True):
        for name in ("network", "layer", "multipliers", "reduction.topology", "cycles", "energy", "status"):
            assert line[name] == str(row[name])
        assert line["counters.multiplications"] == str(row["macs"])
        assert line["counters.buffer_reads.weights"] == str(row["counters"]["buffer_reads"]["weights"])


def test_what_is_missing_is_exported_as_missing_when_nothing_is_to_run(maerisim, folder):
    (folder / "first.yaml").write_text(SMALL.replace("[8, 16]", "[8]"))
    maerisim("sweep", "first.yaml", "--jobs", 1)
    common = ("sweep", "small.yaml", "--no-run")
    exported = maerisim(*common, "--export", "json")
    assert exported.code == 0
    assert [row["status"] for row in exported.json["rows"]] == ["done"] * 4 + ["missing"] * 4
    assert "2 missing" in maerisim(*common).out
    nothing = maerisim(*common, "--database", "none.sqlite")
    assert nothing.code == 2
    assert not (folder / "none.sqlite").exists()
