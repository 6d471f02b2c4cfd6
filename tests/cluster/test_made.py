"""Clusters that are made for one run: each is healthy, has an outside, and nothing stays."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real import OUTSIDE, RUN_TIME, SuiteRun, assert_healthy, left_of, unused_volumes

pytestmark = pytest.mark.real_cluster


@pytest.mark.parametrize(
    ("stack", "proxy", "options"),
    [
        ("ipv6", "iptables", ()),
        ("ipv6", "nftables", ("--ipv6k8s-kube-proxy=nftables",)),
        ("dual", "iptables", ("-n", "2")),
        ("dual-ipv6", "iptables", ()),
    ],
)
def test_a_cluster_that_is_made_is_healthy_and_nothing_stays(
    tmp_path: Path, stack: str, proxy: str, options: tuple[str, ...]
) -> None:
    volumes = unused_volumes()
    words = ["--ipv6k8s-provider=kind", f"--ipv6k8s-stack={stack}", "--ipv6k8s-report=r.json"]

    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words, *options],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=RUN_TIME,
        check=False,
    )

    out = done.stdout + done.stderr
    report = json.loads((tmp_path / "r.json").read_text())
    assert_healthy(SuiteRun(code=done.returncode, out=out, report=report), *OUTSIDE)
    assert (report["result"], report["cluster"]["stack"]) == ("success", stack), out
    assert report["cluster"]["proxy"] == f"kube-proxy {proxy}"
    assert not left_of(out)
    assert unused_volumes() <= volumes
