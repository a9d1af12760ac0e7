"""``maerisim import`` writes documents that the other commands read, and says what it did not take."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MRNA = """\
Model_Name = small
Layer_Type = CONV
Layer_Number = 1
Input_parameter {
  input_x = 6
  input_y =6
  input_channel = 4
}
Output_parameter {
  output_x = 6
  output_y = 6
  output_channel = 4
}
Weight_parameter {
  weight_x = 3
  weight_y = 3
  weight_channel = 4
  weight_number = 4
  weight_stride = 1
}
"""
ENERGIES = "Energy_factors {\n  spm_eng = 6\n}\n"
TOPOLOGY = (
    "Layer name, IFMAP Height, IFMAP Width, Filter Height, Filter Width, Channels, Num Filter, Strides,\n"
    "Conv1, 8, 8, 3, 3, 4, 4, 1,\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Model_parameter_1.txt").write_text(MRNA)
    (tmp_path / "Model_parameter_2.txt").write_text(MRNA.replace("CONV", "MAXPOOL"))
    (tmp_path / "Config_file.txt").write_text(ENERGIES)
    (tmp_path / "topology.csv").write_text(TOPOLOGY)
    return tmp_path


def test_mrnas_files_become_documents_that_run(maerisim, folder):
    files = ("Model_parameter_1.txt", "Model_parameter_2.txt", "Config_file.txt")
    to = ("-o", "net.yaml", "--hardware-output", "hw.yaml", "--num-ms", 16, "--dn-bw", 8)
    finished = maerisim("import", "mrna", *files, *to)
    assert finished.code == 0, finished.err
    assert finished.out == "wrote hw.yaml\nwrote net.yaml: 2 layers\n"
    assert "max_pool2d, input: [4, 6, 6], kernel: 3, stride: 1, padding: 1" in (folder / "net.yaml").read_text()
    ran = maerisim("simulate", "hw.yaml", "net.yaml", "--check-values")
    assert ran.code == 0, ran.err
    assert "small on hw: 16 multipliers, 8 distribution ports, 4 collection buses" in ran.out


def test_topologies_become_documents_that_run(maerisim, folder):
    assert maerisim("import", "scale-sim", "topology.csv", "-o", "net.yaml").out == "wrote net.yaml: 1 layer\n"
    ran = maerisim("simulate", "maeri-16", "net.yaml", "--check-values", "--json")
    assert ran.json["network"] == "topology"
    assert ran.json["layers"][0]["macs"] == 4 * 4 * 9 * 36


def test_without_a_file_the_document_is_printed(maerisim, folder):
    printed = maerisim("import", "scale-sim", "topology.csv", "--name", "mine")
    maerisim("import", "scale-sim", "topology.csv", "--name", "mine", "-o", "net.yaml")
    assert printed.out == (folder / "net.yaml").read_text()
    assert "\nname: mine\n" in printed.out


def test_energies_without_a_place_to_write_them(maerisim, folder):
    noted = maerisim("import", "mrna", "Model_parameter_1.txt", "Config_file.txt")
    assert noted.code == 0
    assert noted.err == "note: energies and sizes are hardware: name a file for them with --hardware-output\n"
    refused = maerisim("import", "mrna", "Config_file.txt")
    assert refused.code == 2
    assert "--hardware-output" in refused.err


STONNE = (
    "-CONV",
    "-R=3",
    "-S=3",
    "-C=6",
    "-G=1",
    "-K=6",
    "-N=1",
    "-X=20",
    "-Y=20",
    "-layer_name=conv1",
    "-T_R=3",
    "-T_S=3",
    "-T_X_=3",
)


def test_stonnes_files_and_command_line_become_documents_that_run(maerisim, folder):
    (folder / "maeri.cfg").write_text("[MSNetwork]\nms_size=64\n[SDMemory]\ndn_bw=8\nrn_bw=8\n")
    to = ("-o", "net.yaml", "--hardware-output", "hw.yaml", "--mapping-output", "map.yaml")
    finished = maerisim("import", "stonne", "maeri.cfg", *to, *STONNE)
    assert finished.code == 0, finished.err
    assert finished.out == "wrote hw.yaml\nwrote map.yaml\nwrote net.yaml: 1 layer\n"
    assert "hardware: not given, and so as in STONNE: accumulation_buffer 0" in finished.err
    ran = maerisim("simulate", "hw.yaml", "net.yaml", "--mapping", "map.yaml", "--check-values", "--json")
    assert ran.code == 0, ran.err
    (layer,) = ran.json["layers"]
    assert (layer["name"], layer["macs"]) == ("conv1", 18 * 18 * 6 * 6 * 9)


def test_stonnes_hardware_and_tiles_without_a_place_to_write_them(maerisim, folder):
    noted = maerisim("import", "stonne", *STONNE, "-num_ms=128")
    assert noted.code == 0
    assert "op: conv2d, input: [6, 20, 20]" in noted.out
    assert "note: sizes are hardware: name a file for them with --hardware-output\n" in noted.err
    assert "note: tiles are mappings: name a file for them with --mapping-output\n" in noted.err
    (folder / "maeri.cfg").write_text("[MSNetwork]\nms_size=64\n")
    refused = maerisim("import", "stonne", "maeri.cfg")
    assert refused.code == 2
    assert "--hardware-output" in refused.err
    assert maerisim("import", "stonne", "maeri.cfg", "--hardware-output", "hw.yaml").out == "wrote hw.yaml\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("mrna", "none.txt"), "none.txt: no such file, expected a file of mRNA"),
        (("mrna", "."), ".: is a directory, expected a parameter file of mRNA"),
        (("scale-sim", "none.csv"), "none.csv: no such file, expected a topology of SCALE-Sim"),
        (("scale-sim", "Config_file.txt"), "Config_file.txt:1: expected the headings 'Layer name"),
        (("scale-sim", "topology.csv", "-o", "no/such/net.yaml"), "no/such/net.yaml: cannot be written"),
        (
            ("mrna", "Config_file.txt", "--hardware-output", "hw.yaml", "--dn-bw", "128"),
            "distribution.bandwidth: 128 words a cycle for 64 multipliers",
        ),
        (("mrna",), "Missing argument"),
        (("stonne",), "Missing argument"),
        (("stonne", "none.cfg"), "none.cfg: no such file, expected a file of STONNE"),
        (("stonne", "-SparseGEMM", "-M=4"), "-SparseGEMM: SIGMA's sparse products have no counterpart here"),
        (("stonne", "-CONV", "-T_X=4"), "command line:1: -T_X: -CONV has no such option (did you mean '-T_X_'"),
    ],
)
def test_bad_input_is_explained(maerisim, folder, arguments, expected):
    finished = maerisim("import", *arguments)
    assert finished.code == 2
    assert expected in finished.err
    assert "Traceback" not in finished.err


OTHERS = {
    "README.md": "# mRNA\n\n```\n$ make\n$ ./mRNA -a\n```\n",
    "main.cpp": "#include <map>\n\nint main() {\n" + "  x = 1;\n  f();\n" * 200 + "}\n",
    "Makefile": "all: mRNA\n\tg++ -o mRNA *.cpp\n",
    "mRNA.out": "layer 1\n" * 500,
    "notes": "remember",
}


@pytest.mark.parametrize("kind", ["mrna", "scale-sim"])
def test_other_files_of_a_folder_are_refused_with_a_line_each(maerisim, folder, kind):
    for name, text in OTHERS.items():
        (folder / name).write_text(text)
    (folder / "mRNA").write_bytes(b"\x7fELF\x00\xff")
    (folder / "src").mkdir()
    own = {"mrna": ("Model_parameter_1.txt", "Config_file.txt"), "scale-sim": ("topology.csv",)}[kind]
    finished = maerisim("import", kind, *own, *OTHERS, "mRNA", "src")
    assert finished.code == 2
    heading, *lines = finished.err.splitlines()
    assert heading == f"error: {len(OTHERS) + 2} problems"
    assert sorted(line.strip().partition(":")[0] for line in lines) == sorted([*OTHERS, "mRNA", "src"])


def test_notes_of_one_kind_are_summed_up(maerisim, folder):
    rows = "".join(f"Conv{number % 500}, 8, 8, 3, 3, 4, 4, 1, 2:4,\n" for number in range(700))
    (folder / "topology.csv").write_text(TOPOLOGY.splitlines()[0] + "Sparsity,\n" + rows)
    zeros, renamed = maerisim("import", "scale-sim", "topology.csv", "-o", "net.yaml").err.splitlines()
    assert zeros.startswith("note: topology.csv:2: Sparsity 2:4 is not taken")
    assert zeros.endswith(" (and 699 more like this, the last at topology.csv:701)")
    assert renamed.startswith("note: topology.csv:502: 'Conv0' is already the layer of topology.csv:2")
    assert renamed.endswith(" (and 199 more like this, the last at topology.csv:701)")


def test_a_few_notes_are_all_shown(maerisim, folder):
    (folder / "topology.csv").write_text(TOPOLOGY + TOPOLOGY.splitlines()[1] + "\n")
    (note,) = maerisim("import", "scale-sim", "topology.csv", "-o", "net.yaml").err.splitlines()
    assert note == "note: topology.csv:3: 'Conv1' is already the layer of topology.csv:2; this one becomes 'Conv1_2'"


@pytest.mark.parametrize(
    "arguments",
    [
        ("scale-sim", "topology.csv"),
        ("mrna", "Model_parameter_1.txt", "Config_file.txt", "--hardware-output", "hw.yaml"),
    ],
)
def test_importing_text_does_not_load_the_simulator(folder, arguments):
    program = "import sys\nfrom maerisim.cli import main\nmain(sys.argv[1:])\nprint('IMPORTED', *sys.modules)"
    finished = subprocess.run(
        [sys.executable, "-c", program, "import", *arguments, "-o", "net.yaml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        cwd=folder,
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert (folder / "net.yaml").exists(), finished.stderr
    imported = set(finished.stdout.rpartition("IMPORTED")[2].split())
    assert imported.isdisjoint(
        {"numpy", "numba", "simpy", "rich", "joblib", "maerisim.engine", "maerisim.ways", "mapper"}
    )
