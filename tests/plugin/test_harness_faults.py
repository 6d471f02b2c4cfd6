"""The harness itself under fault: a worker that dies, odd objects, paths that cannot be written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.unit.api_server import Reply, kubeconfig, serving

DEADLY = """
import os, signal
from test_checks import declare, heard

@declare("T-90")
def test_dies(heard):
    \"\"\"It kills its process.\"\"\"
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("restarts", [(), ("--max-worker-restart=0",)], ids=["again", "never"])
def test_a_run_whose_worker_died_is_not_complete(
    project: pytest.Pytester, restarts: tuple[str, ...]
) -> None:
    project.makepyfile(test_deadly=DEADLY)
    words = ("--ipv6k8s-provider=kind", "--ipv6k8s-report=r.json", "-n", "2", *restarts)

    result = project.runpytest_subprocess(
        "test_checks.py", "test_deadly.py", "-k", "T-01 or T-90", *words
    )

    assert result.ret == 1
    report = json.loads((project.path / "r.json").read_text())
    assert not report["complete"]
    assert report["result"] == "partial"


ODD: dict[str, dict[str, Any]] = {
    "items are texts": {"items": ["a"]},
    "items without metadata": {"items": [{"spec": {}}]},
    "metadata is null": {"items": [{"metadata": None}]},
    "a status that is a text": {
        "items": [{"metadata": {"name": "n", "labels": {}}, "status": "x", "spec": {}}]
    },
    "addresses that are a number": {
        "items": [{"metadata": {"name": "n"}, "status": {"addresses": 5}, "spec": {}}]
    },
    "an address that is none": {
        "items": [
            {
                "metadata": {"name": "n"},
                "spec": {"podCIDRs": ["x"]},
                "status": {"addresses": [{"type": "InternalIP", "address": "x"}]},
            }
        ]
    },
}


@pytest.mark.parametrize("case", ODD)
def test_odd_objects_end_in_one_sentence(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.path / "state"))
    ca = trustme.CA()
    with serving(ca.issue_cert("::1")) as server:
        server.replies = [Reply(code=201, body={"status": {"allowed": True}, **ODD[case]})]
        path = kubeconfig(pytester.path, server.url, ca).path
        result = pytester.runpytest_subprocess(f"--ipv6k8s-kubeconfig={path}")

    said = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, said
    assert "INTERNALERROR" not in said
    assert "Traceback" not in said
    (error,) = [line for line in result.stderr.lines if line.startswith("ERROR: ")]
    assert error.endswith((".", "?"))
    assert not list((pytester.path / "state").glob("**/state.json"))


def _folder(path: Path) -> str:
    (path / "r.json").mkdir()
    return "r.json"


UNWRITABLE: dict[str, Callable[[Path], str]] = {
    "a folder": _folder,
    "a file system of the kernel's": lambda path: "/proc/r.json",
    "a name of 255 bytes": lambda path: f"{'r' * 250}.json",
}


@pytest.mark.parametrize("case", UNWRITABLE)
def test_a_report_that_cannot_be_written_is_refused_before_the_run(
    pytester: pytest.Pytester, case: str
) -> None:
    name = UNWRITABLE[case](pytester.path)

    result = pytester.runpytest_subprocess(
        "--ipv6k8s-provider=kind", f"--ipv6k8s-report={name}", "--ipv6k8s-report=good.json"
    )

    assert result.ret == 4
    result.stderr.fnmatch_lines(["ERROR: report *.json cannot be written: *"])
    assert not list(pytester.path.glob("*.tmp"))


SLOW = """
import time
from test_checks import declare, heard

@declare("T-91")
def test_takes_its_time(heard):
    \"\"\"It waits.\"\"\"
    (open("begun", "w")).close()
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_ended_leaves_a_report(
    project: pytest.Pytester, number: signal.Signals
) -> None:
    project.makepyfile(test_slow=SLOW)
    words = ("-m", "pytest", "test_checks.py", "test_slow.py", "-k", "T-01 or T-91")
    options = ("--ipv6k8s-provider=kind", "--ipv6k8s-report=r.json")
    begun = project.path / "begun"

    with subprocess.Popen(
        [sys.executable, *words, *options],
        cwd=project.path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        while not begun.exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(number)

    assert process.returncode == 2
    report = json.loads((project.path / "r.json").read_text())
    assert [check["id"] for check in report["checks"]] == ["T-01"]
    assert not report["complete"]


def test_a_full_disk_under_another_file_costs_neither_report_nor_summary(
    project: pytest.Pytester,
) -> None:
    words = ("--ipv6k8s-provider=kind", "--ipv6k8s-report=r.json", "--junitxml=/dev/full")

    result = project.runpytest_subprocess("test_checks.py", "-k", "T-01", *words)

    assert result.ret == 1
    result.stdout.fnmatch_lines(["others *No space left*", "report *r.json", "result *"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    assert json.loads((project.path / "r.json").read_text())["complete"]


HASTY = """
from pytest_ipv6k8s.plugin import run

def close(self):
    raise KeyboardInterrupt

run.Run.close = close
"""


def test_whoever_does_not_wait_for_clean_up_has_a_report(project: pytest.Pytester) -> None:
    conftest = project.path / "conftest.py"
    conftest.write_text(f"{conftest.read_text()}\n{HASTY}")

    project.runpytest_subprocess(
        "test_checks.py", "-k", "T-01", "--ipv6k8s-provider=kind", "--ipv6k8s-report=r.json"
    )

    assert (project.path / "r.json").exists()
