"""Whether two versions of maerisim say the same of every shipped network on all shipped hardware.

    python benchmarks/compare_versions.py OLD NEW [--keep DIR] [--hardware NAME ...] [--network NAME ...]

OLD and NEW are checkouts. Each runs ``map``, ``simulate`` and ``validate`` (mappings, estimates, cycles, every counter,
searches), and with ``--values`` also checks the values of shrunk layers; the JSON documents have to be equal. What a
checkout printed is kept in ``--keep``, so that an interrupted comparison goes on where it was. Exits with 1 when
anything differs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Any

from reporting import options as parser_of
from reporting import run_script

VALUES_SCALE = "200000"
"""Operations to which layers are shrunk whose values are checked."""


def said_by(checkout: Path, arguments: list[str], keep: Path) -> dict[str, Any]:
    """What a checkout prints for a command: exit code, output and errors; from ``keep`` if it is there."""
    name = sha256("\0".join([str(checkout), *arguments]).encode()).hexdigest()[:24]
    kept = keep / f"{name}.json"
    if kept.exists():
        said: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8"))
        return said
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    command = [sys.executable, "-m", "maerisim", *arguments]
    run = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)
    said = {"command": arguments, "exit": run.returncode, "output": run.stdout, "errors": run.stderr}
    part = kept.with_suffix(".part")
    part.write_text(json.dumps(said), encoding="utf-8")
    part.rename(kept)
    return said


def differences(old: object, new: object, path: str = "") -> Iterator[str]:
    """Where two JSON documents differ, at most one line a place; keys that only the new one has are additions."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old:
            if key in new:
                yield from differences(old[key], new[key], f"{path}.{key}")
            else:
                yield f"{path}.{key}: gone"
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for place, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from differences(before, after, f"{path}[{place}]")
    elif old != new:
        yield f"{path}: {str(old)[:60]} became {str(new)[:60]}"


def main() -> int:
    """Compare and print what differs."""
    parser = parser_of(__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--keep", type=Path, help="directory for what was printed")
    parser.add_argument("--hardware", nargs="+", help="names of shipped hardware (default: all)")
    parser.add_argument("--network", nargs="+", help="names of shipped networks (default: all)")
    parser.add_argument("--values", action="store_true", help="also check values, on shrunk layers")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="commands at once")
    options = parser.parse_args()
    old, new = options.old.resolve(), options.new.resolve()
    keep = options.keep or Path(tempfile.mkdtemp())
    keep.mkdir(parents=True, exist_ok=True)
    hardware = options.hardware or sorted(path.stem for path in (old / "configs/hardware").glob("*.yaml"))
    networks = options.network or sorted(path.stem for path in (old / "configs/networks").glob("*.yaml"))
    commands = [["validate", machine, network, "--json"] for machine in hardware for network in networks]
    if options.values:
        how = ["--check-values", "--scale", VALUES_SCALE, "--json"]
        commands += [["simulate", machine, network, *how] for machine in hardware for network in networks]

    def compared(arguments: list[str]) -> tuple[str, int, list[str]]:
        before, after = (said_by(checkout, arguments, keep) for checkout in (old, new))
        name = " ".join(arguments[:3])
        if before["exit"] or after["exit"]:
            same = (before["exit"], before["output"], before["errors"]) == (
                after["exit"],
                after["output"],
                after["errors"],
            )
            return name, 0, [] if same else [f"exit {before['exit']} became {after['exit']}: {after['errors'][:200]}"]
        was, now = json.loads(before["output"]), json.loads(after["output"])
        return name, len(was["layers"]), list(differences(was, now))

    layers = differing = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for name, count, found in pool.map(compared, commands):
            layers += count
            differing += bool(found)
            for line in found[:10]:
                print(f"{name}: {line}", flush=True)
    print(json.dumps({"commands": len(commands), "layers": layers, "differing": differing}))
    return int(differing > 0)


if __name__ == "__main__":
    run_script(main)
