"""Sweeps on a Dask cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from unittest.mock import Mock

import pytest

from maerisim.errors import WorkersError
from maerisim.sweeps import cluster
from tests.cli.sweep.documents import PATIENCE_SECONDS

CLUSTER = """
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        input()
"""


@pytest.fixture
def scheduler(tmp_path):
    """The address of a cluster of two worker processes on this machine."""
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    with subprocess.Popen(
        [sys.executable, script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        yield process.stdout.readline().strip()
        process.communicate("\n", timeout=PATIENCE_SECONDS)


def test_a_dask_cluster_gives_the_same_results(maerisim, folder, scheduler):
    finished = maerisim("sweep", "small.yaml", "--dask", scheduler, "--export", "json")
    assert finished.code == 0, finished.err
    here = maerisim("sweep", "small.yaml", "--jobs", 1, "--database", "here.sqlite", "--export", "json")
    for there, one in zip(finished.json["rows"], here.json["rows"], strict=True):
        assert there | {"wall_seconds": None} == one | {"wall_seconds": None}


def test_a_cluster_that_is_not_there(maerisim, folder, monkeypatch):
    monkeypatch.setattr(cluster, "CONNECT_SECONDS", 0.2)
    finished = maerisim("sweep", "small.yaml", "--dask", "tcp://127.0.0.1:9")
    assert finished.code == 2
    assert "error: --dask tcp://127.0.0.1:9: no Dask scheduler can be reached there" in finished.err


def test_dask_that_is_not_installed(maerisim, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    finished = maerisim("sweep", "small.yaml", "--dask", "tcp://127.0.0.1:9")
    assert finished.code == 2
    assert "pip install 'maerisim[distributed]'" in finished.err


@pytest.mark.parametrize(
    ("workers", "message"),
    [
        ({}, "the cluster has no workers"),
        ({"tcp://a:1": "0.0.1"}, "worker tcp://a:1: expected maerisim .*, found 0.0.1"),
        ({"tcp://a:1": ModuleNotFoundError("maerisim")}, "worker tcp://a:1: expected maerisim .*, found none"),
    ],
)
def test_clusters_that_cannot_run_a_sweep(workers, message):
    client = Mock(run=Mock(return_value=workers))
    with pytest.raises(WorkersError, match=message):
        cluster.check_workers(client, "tcp://s:1")
