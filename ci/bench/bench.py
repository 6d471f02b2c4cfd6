"""What a run costs on a ready two-node cluster: seconds, requests, exec sessions, pods."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.clusters.contract import Cluster
from tests.real import SuiteRun, kind_cluster, run_suite

RUNS = 5


def main() -> None:
    """Print a Markdown table for each stack, and what the plugin costs an unrelated project."""
    for stack in (Stack.IPV6, Stack.DUAL, Stack.DUAL_IPV6):
        started = time.monotonic()
        with kind_cluster(stack) as cluster, tempfile.TemporaryDirectory() as folder:
            made = time.monotonic() - started
            runs = [_timed_run(cluster, Path(folder)) for _ in range(RUNS)]
        _print_stack(stack, made, runs)
    _print_start_up()


def _timed_run(cluster: Cluster, folder: Path) -> tuple[float, SuiteRun]:
    started = time.monotonic()
    run = run_suite(cluster, folder)
    return time.monotonic() - started, run


def _print_stack(stack: Stack, made: float, runs: list[tuple[float, SuiteRun]]) -> None:
    seconds = [run[0] for run in runs]
    verdicts = {tuple((c["id"], c["verdict"]) for c in run[1].report["checks"]) for run in runs}
    last = runs[-1][1].report
    slowest = sorted(
        ((item["seconds"], c["id"]) for c in last["checks"] for item in c["items"]), reverse=True
    )[:5]
    print(f"\n### {stack.value}\n")
    print("| what | measured |\n|---|---|")
    print(f"| make the cluster | {made:.0f} s |")
    print(
        f"| start to report | {statistics.median(seconds):.1f} s "
        f"({min(seconds):.1f} to {max(seconds):.1f}, {RUNS} runs) |"
    )
    print(
        f"| checks, items | {len(last['checks'])}, {sum(len(c['items']) for c in last['checks'])} |"
    )
    print(f"| same verdicts in every run | {'yes' if len(verdicts) == 1 else 'NO'} |")
    for name, count in last["cost"].items():
        print(f"| {name} | {count} |")
    print(f"| slowest checks | {', '.join(f'{id} {s:.2f} s' for s, id in slowest)} |")


def _print_start_up() -> None:
    """Compare plain pytest in an unrelated project with and without the plugin, in turns."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "test_mine.py").write_text("def test_mine():\n    pass\n")
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", folder]
        seconds: dict[str, list[float]] = {"with": [], "without": []}
        for _ in range(15):
            for name, more in (("with", []), ("without", ["-p", "no:ipv6k8s"])):
                started = time.monotonic()
                subprocess.run([*words, *more], capture_output=True, check=True)
                seconds[name].append(time.monotonic() - started)
    with_it, without = (statistics.median(seconds[name]) for name in ("with", "without"))
    print(
        f"\nPlain pytest in an unrelated project: {without * 1000:.0f} ms without the plugin, "
        f"{with_it * 1000:.0f} ms with it (ratio {with_it / without:.2f}).\n"
    )


if __name__ == "__main__":
    main()
