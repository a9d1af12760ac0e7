"""Input that cannot be used: a message to act on, exit code 2, never a traceback."""

from __future__ import annotations

import pytest

HARDWARE = """\
name: mine
multipliers: 16
distribution:
  bandwidth: 4
"""

NETWORK = """\
name: mine
layers:
  - {name: conv, op: conv2d, input: [4, 8, 8], filters: 8, kernel: 3}
  - {name: fc, op: linear, inputs: 64, outputs: 16}
"""

MAPPING = """\
hardware: mine
network: mine
layers:
  fc:
    problem: {K: 16, C: 64}
    tile: {K: 4, C: 4}
    order: N G K C R S P Q
"""

FILES = {"hardware.yaml": HARDWARE, "network.yaml": NETWORK, "mapping.yaml": MAPPING}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a good document of each kind."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_documents_below_are_good_before_they_are_broken(maerisim, folder):
    finished = maerisim("simulate", "hardware.yaml", "network.yaml", "--layer", "fc", "--mapping", "mapping.yaml")
    assert finished.code == 0, finished.err


@pytest.mark.parametrize(
    ("file", "good", "bad", "expected"),
    [
        pytest.param(
            "hardware.yaml",
            "bandwidth: 4",
            "bandwith: 4",
            ["hardware.yaml:4: distribution.bandwith: unknown key", "did you mean 'bandwidth'?"],
            id="misspelt key",
        ),
        pytest.param(
            "hardware.yaml",
            "multipliers: 16",
            "multipliers: sixteen",
            ["hardware.yaml:2: multipliers: expected an integer, found 'sixteen'"],
            id="text for a number",
        ),
        pytest.param(
            "hardware.yaml",
            "multipliers: 16",
            "multipliers: 48",
            ["hardware.yaml:2: multipliers: expected a power of two", "found 48"],
            id="multipliers not a power of two",
        ),
        pytest.param(
            "hardware.yaml",
            "bandwidth: 4",
            "bandwidth: 32",
            ["hardware.yaml:4: distribution.bandwidth: 32 words a cycle for 16 multipliers", "use 16 or less"],
            id="bandwidth above multipliers",
        ),
        pytest.param(
            "mapping.yaml",
            "tile: {K: 4, C: 4}",
            "tile: {K: 4, C: 8}",
            ["mapping.yaml", "'fc'", "4 virtual neurons of 8 need 32 multipliers", "16"],
            id="tile larger than the array",
        ),
        pytest.param("network.yaml", NETWORK, "", ["network.yaml: is empty"], id="empty file"),
        pytest.param(
            "network.yaml",
            "kernel: 3}",
            "kernel: 3",
            ["network.yaml:", "not valid YAML"],
            id="YAML syntax error",
        ),
        pytest.param(
            "mapping.yaml",
            "problem: {K: 16, C: 64}",
            "problem: {K: 32, C: 64}",
            ["mapping.yaml", "'fc'", "mapping for another layer: K is 16 here, 32 in the mapping file"],
            id="mapping for another layer",
        ),
    ],
)
def test_broken_documents(maerisim, folder, file, good, bad, expected):
    text = FILES[file]
    assert good in text
    (folder / file).write_text(text.replace(good, bad))
    finished = maerisim("simulate", "hardware.yaml", "network.yaml", "--layer", "fc", "--mapping", "mapping.yaml")
    assert_explained(finished, expected)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(
            ("validate", "hardwear.yaml", "network.yaml"), ["hardwear.yaml: no such file"], id="missing hardware"
        ),
        pytest.param(("validate", "maeri-46", "network.yaml"), ["maeri-46", "did you mean"], id="missing shipped name"),
        pytest.param(
            ("simulate", "hardware.yaml", "network.yaml", "--mapping", "none.yaml"),
            ["none.yaml: no such file"],
            id="missing mapping",
        ),
        pytest.param(
            ("validate", "hardware.yaml", "network.yaml", "--layer", "cnov"),
            ["no layer 'cnov'", "did you mean 'conv'?"],
            id="unknown layer",
        ),
        pytest.param(
            ("simulate", "hardware.yaml", "network.yaml", "--mapping", "mapping.yaml"),
            ["mapping.yaml", "'conv'", "no mapping for it"],
            id="layer without a mapping",
        ),
        pytest.param(
            ("map", "hardware.yaml", "network.yaml", "-o", "no/such/folder.yaml"),
            ["no/such/folder.yaml: cannot be written"],
            id="output that cannot be written",
        ),
        pytest.param(
            ("map", "hardware.yaml", "network.yaml", "-o", "."),
            [".: is a directory, expected a file to write"],
            id="output that is a directory",
        ),
        pytest.param(
            ("map", "hardware.yaml", "network.yaml", "-o", "x" * 5000),
            ["cannot be reached: File name too long"],
            id="output with a name that is too long",
        ),
        pytest.param(
            ("roofline", "hardware.yaml", "network.yaml", "--plot", f"{'x' * 5000}.png"),
            ["cannot be reached: File name too long"],
            id="plot with a name that is too long",
        ),
        pytest.param(
            ("map", "hardware.yaml", "maeri-64"),
            ["maeri-64: is a shipped hardware, expected a network description"],
            id="hardware in place of a network",
        ),
        pytest.param(
            ("map", "hardware.yaml", "tiny", "--layer", "lstm/gate"),
            ["no layer 'lstm/gate'", "did you mean 'lstm/gates'?"],
            id="unknown stage",
        ),
        pytest.param(
            ("simulate", "hardware.yaml", "network.yaml", "--mapping", "."),
            ["is a directory, expected the YAML file of saved mappings"],
            id="directory in place of mappings",
        ),
        pytest.param(("show", "hardware.yaml", "--vn", "9x3"), ["--vn 9x3", "27", "16"], id="too many virtual neurons"),
        pytest.param(("show", "hardware.yaml", "--vn", "three"), ["--vn three", "SIZExCOUNT"], id="not a size"),
        pytest.param(("show", "hardware.yaml", "--vn", "9" * 5000), ["SIZExCOUNT"], id="a size of 5,000 digits"),
        pytest.param(
            ("show", "hardware.yaml", "--vn", "1x" + "9" * 30),
            ["9" * 30, "16"],
            id="more virtual neurons than fit a list",
        ),
        pytest.param(("simulate", "hardware.yaml"), ["Missing argument", "NETWORK"], id="missing argument"),
        pytest.param(
            ("simulate", "hardware.yaml", "network.yaml", "--engine", "quick"),
            ["quick", "compiled"],
            id="no such engine",
        ),
        pytest.param(("map", "hardware.yaml", "network.yaml", "--scale", "0"), ["--scale"], id="scale of nothing"),
    ],
)
def test_impossible_requests(maerisim, folder, arguments, expected):
    assert_explained(maerisim(*arguments), expected)


def test_nothing_runs_for_a_file_that_cannot_be_written(maerisim, folder, monkeypatch):
    from maerisim.study import runner

    monkeypatch.setattr(runner, "run", lambda *_: pytest.fail("it ran"))
    assert_explained(
        maerisim("map", "hardware.yaml", "network.yaml", "-o", "no/maps.yaml"), ["there is no directory no"]
    )


def test_all_problems_of_a_file_are_reported_at_once(maerisim, folder):
    (folder / "hardware.yaml").write_text(HARDWARE.replace("16", "48").replace("bandwidth", "bandwith"))
    finished = maerisim("validate", "hardware.yaml", "network.yaml")
    assert_explained(finished, ["error: 2 problems", "hardware.yaml:2:", "hardware.yaml:4:"])


def assert_explained(finished, expected):
    assert finished.code == 2
    assert finished.out == ""
    assert "Traceback" not in finished.err
    for fragment in expected:
        assert fragment in finished.err


def test_a_search_that_finds_nothing_overwrites_nothing(maerisim, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hw.yaml").write_text("{name: h, multipliers: 16, global_buffer: {words: 1}}\n")
    (tmp_path / "net.yaml").write_text("{name: n, layers: [{name: a, op: linear, inputs: 4, outputs: 4}]}\n")
    (tmp_path / "found.yaml").write_text("# found before\n")
    assert maerisim("map", "hw.yaml", "net.yaml", "-o", "found.yaml").code == 2
    assert (tmp_path / "found.yaml").read_text() == "# found before\n"
