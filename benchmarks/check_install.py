"""Whether the wheel installs and does its part on every Python, with the oldest and the newest packages, each extra alone.

    python benchmarks/check_install.py [--python 3.11 3.12 3.13] [--extra plot ...]

Builds the wheel, and for each Python (a version that ``uv`` finds, or a path), each extra (``core`` is none) and the oldest or
newest versions that ``pyproject.toml`` admits and that have wheels makes an environment of its own and runs there what the
extra is for. Needs ``uv`` (``pip install uv``) and the network. Kernels are compiled anew for each Python and version of numba,
so that a column of extras takes some minutes. Exits with 1 when anything fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path

from reporting import UnusableError, run_script
from reporting import options as parser_of

ROOT = Path(__file__).parents[1]
PARTS = {
    "core": [
        "-m maerisim validate maeri-16 tiny --layer linear --layer lstm/gates",
        "-m maerisim show maeri-16 --vn 9",
    ],
    "plot": ["-m maerisim roofline maeri-16 tiny --layer linear --plot roofline.png"],
    "html": ["-m maerisim report maeri-16 tiny --layer linear --html report.html"],
    "frame": ['-c \'import maerisim; assert len(maerisim.map("maeri-16", "tiny", layers="linear").to_frame()) == 1\''],
    "distributed": ["-m maerisim sweep sweep.yaml --dask tcp://127.0.0.1:{port}"],
    "search": ["-m maerisim compare-search maeri-16 tiny --layer linear --budget 20 --seeds 1 -j 1"],
    "trace": ["-m maerisim simulate maeri-16 tiny --layer linear --vcd linear.vcd --trace linear.json"],
    "onnx": [
        "make_model.py",
        "-m maerisim import onnx model.onnx -o model.yaml",
        "-m maerisim map maeri-16 model.yaml",
    ],
}
"""What each extra is for, as arguments of Python; the shell starts a cluster for ``distributed``."""
PARTS["all"] = [part for extra, parts in PARTS.items() if extra != "core" for part in parts]
FILES = {
    "sweep.yaml": "name: s\nhardware: maeri-16\nnetworks: [tiny]\nlayers: {tiny: [linear]}\ngrid: {distribution.bandwidth: [2, 4]}\n",
    "make_model.py": """
from onnx import TensorProto, helper, save
tensor = helper.make_tensor_value_info
kernel = helper.make_tensor("w", TensorProto.FLOAT, [4, 3, 3, 3], [1.0] * 108)
node = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3])
inputs, outputs = [tensor("x", TensorProto.FLOAT, [1, 3, 8, 8])], [tensor("y", TensorProto.FLOAT, [1, 4, 6, 6])]
save(helper.make_model(helper.make_graph([node], "small", inputs, outputs, [kernel])), "model.onnx")
""",
}
CLUSTER = """
from distributed import LocalCluster
cluster = LocalCluster(n_workers=1, threads_per_worker=1, scheduler_port={port}, dashboard_address=None)
print("ready", flush=True)
input()
"""
PORT = 18786


def main() -> int:
    """Try all, and print a row for each."""
    parser = parser_of(__doc__)
    parser.add_argument("--python", nargs="+", default=["3.11", "3.12", "3.13"])
    parser.add_argument("--extra", nargs="+", default=list(PARTS), choices=list(PARTS))
    options = parser.parse_args()
    uv = shutil.which("uv")
    if uv is None:
        raise UnusableError("uv is not there: pip install uv")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        wheel = built(uv, Path(folder))
        for python in options.python:
            for resolution in ("lowest-direct", "highest"):
                for extra in options.extra:
                    why = tried(uv, wheel, Path(folder) / python.replace("/", "-"), python, extra, resolution)
                    failed += why is not None
                    print(
                        f"{python:8} {resolution:14} {extra:12} {'ok' if why is None else 'FAILED: ' + why}", flush=True
                    )
    return int(failed > 0)


def built(uv: str, folder: Path) -> Path:
    """The wheel of this tree."""
    ran = subprocess.run(
        [uv, "build", "-q", "--wheel", "-o", folder, ROOT], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise UnusableError(f"the wheel cannot be built: {ran.stderr}")
    (wheel,) = folder.glob("*.whl")
    return wheel


def required(extra: str) -> list[str]:
    """The packages that ``pyproject.toml`` names for every command and for an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"].get(extra, [])]


def tried(uv: str, wheel: Path, place: Path, python: str, extra: str, resolution: str) -> str | None:
    """Why an environment does not do its part; None when it does. All of a Python are at the same ``place``, one after the other,
    so that kernels, which are kept beside it, are found again.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        interpreter = place / "bin" / "python"
        requirements = folder / "requirements.txt"
        requirements.write_text("\n".join(required(extra)))
        for file, text in FILES.items():
            (folder / file).write_text(text)
        named = str(wheel) if extra == "core" else f"maerisim[{extra}] @ {wheel.as_uri()}"
        install = [uv, "pip", "install", "-q", "-p", interpreter, "--resolution", resolution, "--only-binary", ":all:"]
        for command in ([uv, "venv", "-q", "--clear", "-p", python, place], [*install, "-r", requirements, named]):
            ran = subprocess.run(command, capture_output=True, text=True, check=False)
            if ran.returncode:
                return last_line(ran.stderr)
        cluster = started(interpreter, folder) if extra in ("distributed", "all") else None
        try:
            return ran_parts(interpreter, folder, extra, place.with_name(f"{place.name}-kernels"))
        finally:
            if cluster is not None:
                cluster.communicate("\n", timeout=60)


def ran_parts(interpreter: Path, folder: Path, extra: str, kernels: Path) -> str | None:
    """Why something that the extra is for fails; None when nothing does."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["NUMBA_CACHE_DIR"] = str(kernels)
    for part in PARTS[extra]:
        ran = subprocess.run(
            f"{interpreter} {part.format(port=PORT)}", shell=True, cwd=folder, env=environment,
            capture_output=True, text=True, check=False, timeout=600,
        )  # fmt: skip
        if ran.returncode or "failed" in ran.stdout:
            return f"{part}: {last_line(ran.stderr)}"
    return None


def started(interpreter: Path, folder: Path) -> subprocess.Popen[str]:
    """A cluster of one worker."""
    script = folder / "cluster.py"
    script.write_text(
        "if __name__ == '__main__':\n"
        + "".join(f"    {line}\n" for line in CLUSTER.format(port=PORT).strip().splitlines())
    )
    cluster = subprocess.Popen(
        [interpreter, script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=folder
    )
    assert cluster.stdout is not None
    cluster.stdout.readline()
    return cluster


def last_line(text: str) -> str:
    lines = [line for line in text.strip().splitlines() if line.strip()]
    return lines[-1].strip() if lines else "without a word"


if __name__ == "__main__":
    run_script(main)
