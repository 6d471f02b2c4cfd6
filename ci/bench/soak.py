"""False alarms: the whole suite again and again on healthy clusters, at rest and under load.

Each run is a line of ci/bench/soaked.jsonl; runs of the same code are not repeated, so it goes on
where it was interrupted. Under load every processor is busy and pods come and go.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.record import code
from tests.real import (
    RealTestbed,
    kind_cluster,
    kubectl,
    make_testbed,
    run_suite,
    settings_of_environment,
)

SOAKED = Path(__file__).with_name("soaked.jsonl")
STACKS = (Stack.IPV6, Stack.DUAL, Stack.DUAL_IPV6)
LOADS = ("rest", "load")
BURN = "while True: pass"
CHURN, PODS, TURN = "soak-churn", 6, 4.0
"""A Deployment, its pods, and after how many seconds they go or come."""


def main() -> None:
    """Run what has no line yet, and print each line."""
    given = _options()
    for stack in map(Stack, given.stacks):
        left = [
            (load, number)
            for number in range(given.runs)
            for load in given.loads
            if (stack.value, load, number) not in _done()
        ]
        if left:
            with _world(stack) as (cluster, outside, folder):
                for load, number in left:
                    _run(stack, load, number, cluster, outside, folder)


def lines() -> list[dict[str, Any]]:
    """Return the runs of this code."""
    text = SOAKED.read_text("utf-8") if SOAKED.exists() else ""
    return [run for run in map(json.loads, text.splitlines()) if run["code"] == code()]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="of each stack and load")
    parser.add_argument("--stacks", nargs="+", default=[stack.value for stack in STACKS])
    parser.add_argument("--loads", nargs="+", default=LOADS, choices=LOADS)
    return parser.parse_args()


def _done() -> set[tuple[str, str, int]]:
    return {(run["stack"], run["load"], run["number"]) for run in lines()}


@contextmanager
def _world(stack: Stack) -> Iterator[tuple[Cluster, RealTestbed, Path]]:
    with tempfile.TemporaryDirectory() as name, kind_cluster(stack) as cluster:
        folder = Path(name)
        with make_testbed(cluster, folder) as outside:
            yield cluster, outside, folder


def _run(
    stack: Stack, load: str, number: int, cluster: Cluster, outside: RealTestbed, folder: Path
) -> None:
    with busy(cluster) if load == "load" else nullcontext():
        began = time.monotonic()
        run = run_suite(cluster, folder, outside.option)
        seconds = time.monotonic() - began
    verdicts = Counter(check["verdict"] for check in run.report.get("checks", ()))
    seen = {
        "code": code(),
        "stack": stack.value,
        "load": load,
        "number": number,
        "exit": run.code,
        "verdicts": dict(sorted(verdicts.items())),
        "red": {id: [i.get("reason") for i in run.check(id)["items"]] for id in sorted(run.red)},
        "seconds": round(seconds),
    }
    line = json.dumps(seen)
    with SOAKED.open("a", encoding="utf-8") as file:
        file.write(line + "\n")
    print(line, flush=True)
    if run.red:
        print(run.out, file=sys.stderr, flush=True)


@contextmanager
def busy(cluster: Cluster) -> Iterator[None]:
    """Keep every processor busy, and let pods come and go, until the end."""
    burning = [subprocess.Popen([sys.executable, "-c", BURN]) for _ in range(os.cpu_count() or 1)]
    image = settings_of_environment().cluster.probe_image
    over = threading.Event()
    churning = threading.Thread(target=_churn, args=(cluster, over))
    kubectl(cluster, "create", "deployment", CHURN, f"--image={image}", "--", "sleep", "1000")
    churning.start()
    try:
        yield
    finally:
        over.set()
        churning.join()
        kubectl(cluster, "delete", "deployment", CHURN)
        for process in burning:
            process.kill()
            process.wait()


def _churn(cluster: Cluster, over: threading.Event) -> None:
    pods = PODS
    while not over.wait(TURN):
        kubectl(cluster, "scale", "deployment", CHURN, f"--replicas={pods}")
        pods = PODS - pods


if __name__ == "__main__":
    main()
