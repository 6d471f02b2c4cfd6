"""Ctrl-C and SIGTERM in the middle of things: nothing is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from pytest_ipv6k8s.process import must_run
from tests.real import RUN_TIME, command, left_of, namespaces_left, unused_volumes

pytestmark = pytest.mark.real_cluster


def _interrupt_when(words: list[str], seen: str, number: int, folder: Path) -> tuple[int, str]:
    """Start a program, send it a signal once a line with these words was seen, wait for its end."""
    process = subprocess.Popen(
        words,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state")},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if seen in line:
            process.send_signal(number)
            break
    rest, _ = process.communicate(timeout=RUN_TIME)
    return process.returncode, said + rest


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name
)
@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_probes_are_removed(
    ipv6_cluster: Cluster, tmp_path: Path, number: int, workers: tuple[str, ...]
) -> None:
    code, out = _interrupt_when(command(ipv6_cluster, *workers), " pass ", number, tmp_path)

    assert code == 2, out
    assert namespaces_left(ipv6_cluster) == []
    assert not list((tmp_path / "state").glob("**/state.json"))


def test_what_a_killed_run_left_is_told_and_reaped(
    ipv6_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    reap = [sys.executable, "-m", "pytest_ipv6k8s", "reap"]

    _interrupt_when(command(ipv6_cluster), " pass ", signal.SIGKILL, tmp_path)
    told = must_run(reap, timeout=60)
    removed = must_run([*reap, "--kubeconfig", ipv6_cluster.kubeconfig], timeout=120)

    assert "was killed on a cluster that existed" in told
    assert "removed  ipv6k8s-" in removed
    assert must_run(reap, timeout=60) == "Nothing was left behind.\n"
    assert namespaces_left(ipv6_cluster) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_a_half_made_cluster_is_removed(tmp_path: Path, number: int) -> None:
    volumes = unused_volumes()
    words = [sys.executable, "-m", "pytest", "--ipv6k8s-provider=kind", "-p", "no:cacheprovider"]

    code, out = _interrupt_when(words, "making kind cluster", number, tmp_path)

    assert code == 2, out
    assert not left_of(out)
    assert unused_volumes() <= volumes
    assert not list((tmp_path / "state").glob("**/state.json"))
