"""``simulate --trace`` and ``--vcd``: beside the results, and refused before anything runs."""

from __future__ import annotations

import json

import pytest


def test_a_trace_is_written_beside_the_results(maerisim, tmp_path):
    to, vcd = tmp_path / "t.json", tmp_path / "t.vcd"
    arguments = ("simulate", "maeri-16", "tiny", "--layer", "linear", "--json")
    finished = maerisim(*arguments, "--cycles", "1000:1040", "--trace", to, "--vcd", vcd)
    assert finished.code == 0
    (layer,) = finished.json["layers"]
    assert f"cycles 1,000 to 1,040 of {layer['cycles']:,} traced in {to} and {vcd}; --cycles A:B" in finished.err
    document = json.loads(to.read_text())
    assert document["otherData"]["hardware"] == "maeri-16"
    assert vcd.read_text().startswith("$comment maerisim $end")
    assert maerisim(*arguments).json == finished.json


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--layer", "linear", "--cycles", "1:2"), "is for --trace and --vcd"),
        (("--trace", "t.json"), "choose one with --layer"),
        (("--layer", "lstm", "--trace", "t.json"), "lstm/gates"),
        (("--layer", "linear", "--trace", "no-such-folder/t.json"), "there is no directory"),
        (("--layer", "linear", "--trace", "t.json", "--cycles", "5"), "expected A:B"),
        (("--layer", "linear", "--trace", "t.json", "--cycles", "0:" + "9" * 5000), "expected A:B"),
    ],
)
def test_what_cannot_be_traced_is_said_before_anything_runs(maerisim, arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    finished = maerisim("simulate", "maeri-16", "tiny", *arguments)
    assert finished.code == 2
    assert message in " ".join(finished.err.split())
    assert finished.out == ""
    assert not list(tmp_path.iterdir())
