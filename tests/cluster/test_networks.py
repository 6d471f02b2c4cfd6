"""Other networks than the provider's own: healthy ones are green, dead ones explained."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real import RUN_TIME, left_of

pytestmark = pytest.mark.real_cluster


def _run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a module as a user would, with a state folder of its own."""
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env={**os.environ, "XDG_STATE_HOME": str(folder / "state")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=RUN_TIME,
        check=False,
    )


def _made(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Let a cluster be made with little patience, but enough for kind on a busy machine."""
    words = ("pytest", "--ipv6k8s-provider=kind", "--ipv6k8s-timeout-factor=0.3")
    return _run(folder, *words, *options)


def test_nodes_without_a_network_are_named_and_the_cluster_can_be_kept(tmp_path: Path) -> None:
    made = _made(tmp_path, "--ipv6k8s-cni=none", "--ipv6k8s-cni-command=true", "--ipv6k8s-keep")
    kept = re.search(r"cluster (ipv6k8s-\S+) is kept", made.stdout)
    assert kept, made.stdout
    reaped = _run(tmp_path, "pytest_ipv6k8s", "reap", "--kept", kept[1])

    assert made.returncode == 4, made.stdout
    assert "not every node is Ready after 36 s: node" in made.stdout
    assert f"{kept[1]}-control-plane: container runtime network not ready" in made.stdout
    assert "ipv6k8s run --kubeconfig" in made.stdout
    assert f"`ipv6k8s reap --kept {kept[1]}`" in made.stdout
    assert kept[1] in reaped.stdout
    assert not left_of(made.stdout)


def test_a_chart_that_does_not_roll_out_is_told_by_pod_and_leaves_nothing(tmp_path: Path) -> None:
    values = tmp_path / "no-such-image.yaml"
    values.write_text("image: {override: example.invalid/cilium:1, pullPolicy: Never}\n")

    made = _made(tmp_path, "--ipv6k8s-cni=cilium", f"--ipv6k8s-cni-values={values}")

    assert made.returncode == 4, made.stdout
    assert "Cilium did not roll out within 90 s (cilium" in made.stdout
    stuck = r"pod cilium-\S+, container \S+: (ErrImageNeverPull|ErrImagePull|ImagePullBackOff)"
    assert re.search(stuck, made.stdout), made.stdout
    assert not left_of(made.stdout)
