"""How often loss is seen: runs with 3 % between two nodes drawn anew, and runs without any.

A dual-stack cluster of three nodes is made; --kubeconfig names one of kind that is there.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random, SystemRandom

import yaml

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import named_nodes
from tests.faults.loss import Loss, drawn, lossy
from tests.real import RealTestbed, SuiteRun, kind_cluster, make_testbed, run_suite

WORKERS = ("-n", "2")
JUDGES = ("-k", "ADDR")
HEAD = """
| at | lost | red | nodes named | seconds |
|---|---|---|---|---|"""


def main() -> None:
    """Print a table with a row for each run, and what it comes to."""
    given = _options()
    random = Random(given.seed)
    with _cluster(given.kubeconfig) as cluster, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"Seed {given.seed}.\n{HEAD}")
        lossy_runs = [
            _lossy_run(cluster, folder, drawn(cluster, random)) for _ in range(given.lossy)
        ]
        with make_testbed(cluster, folder) as outside:
            clean_runs = [_clean_run(cluster, folder, outside) for _ in range(given.clean)]
    _print_sums(lossy_runs, clean_runs)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lossy", type=int, default=10, help="runs of area ADDR with loss")
    parser.add_argument("--clean", type=int, default=20, help="runs of the whole suite without")
    parser.add_argument("--kubeconfig", type=Path, help="of a cluster that kind made")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(10**6))
    return parser.parse_args()


@contextmanager
def _cluster(kubeconfig: Path | None) -> Iterator[Cluster]:
    if kubeconfig is None:
        with kind_cluster(Stack.DUAL, workers=2) as made:
            yield made
        return
    context = yaml.safe_load(kubeconfig.read_text())["current-context"]
    name = context.removeprefix("kind-")
    yield Cluster(name=name, provider="kind", kubeconfig=kubeconfig, context=context, owned=False)


def _lossy_run(cluster: Cluster, folder: Path, loss: Loss) -> bool:
    """Tell whether the check that judges it is red, no other is, and it names the two nodes."""
    with lossy(cluster, loss):
        run, seconds = _timed(cluster, folder, *JUDGES)
    named = named_nodes(run, loss.judge) if loss.judge in run.ids("fail") else set()
    _print_row(str(loss), run, seconds, named)
    return run.red == {loss.judge} and named == {loss.source, loss.target}


def _clean_run(cluster: Cluster, folder: Path, outside: RealTestbed) -> tuple[bool, float]:
    run, seconds = _timed(cluster, folder, outside.option)
    _print_row("0 %", run, seconds, set())
    return run.code == 0 and not run.red, seconds


def _timed(cluster: Cluster, folder: Path, *options: str) -> tuple[SuiteRun, float]:
    started = time.monotonic()
    run = run_suite(cluster, folder, *WORKERS, *options)
    return run, time.monotonic() - started


def _print_row(lost: str, run: SuiteRun, seconds: float, named: set[str]) -> None:
    red = ", ".join(sorted(run.red)) or ("none" if run.report else f"exit {run.code}")
    at, nodes = time.strftime("%H:%M:%S"), ", ".join(sorted(named))
    print(f"| {at} | {lost} | {red} | {nodes} | {seconds:.0f} |", flush=True)
    for id in sorted(run.red):
        reasons = [item.get("reason") for item in run.check(id)["items"]]
        print(f"{at} {id}: {reasons}", file=sys.stderr, flush=True)


def _print_sums(lossy_runs: list[bool], clean_runs: list[tuple[bool, float]]) -> None:
    print(f"\n3 % lost: {sum(lossy_runs)} of {len(lossy_runs)} runs red, with both nodes named.")
    seconds = [each for _, each in clean_runs]
    if seconds:
        print(
            f"0 % lost: {sum(good for good, _ in clean_runs)} of {len(clean_runs)} runs green; "
            f"{statistics.median(seconds):.0f} s in the middle, at most {max(seconds):.0f} s."
        )


if __name__ == "__main__":
    main()
