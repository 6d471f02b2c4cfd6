"""The template for GitLab: its jobs hold together, and their commands exist."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.cli import run
from pytest_ipv6k8s.settings import OPTIONS
from tests.house.tree import ROOT

FILE = ROOT / "ci" / "gitlab" / "ipv6.yml"
TEMPLATE: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
SHARED = TEMPLATE[".ipv6"]
JOBS = {name: job for name, job in TEMPLATE.items() if not name.startswith(".")}
SCRIPTS = ("before_script", "script", "after_script")


def _lines(job: dict[str, Any]) -> list[str]:
    return [line for part in SCRIPTS for line in job.get(part, [])]


def test_keys_are_those_of_gitlab() -> None:
    known = {"extends", "image", "rules", "resource_group", "variables", "parallel", *SCRIPTS}
    assert SHARED["artifacts"]["when"] == "always"
    for name, job in JOBS.items():
        assert set(job) <= known, name
        assert job["extends"] == ".ipv6"
        assert all(isinstance(line, str) for line in _lines(job)), name


@pytest.mark.parametrize("name", JOBS)
def test_the_run_writes_what_is_kept(name: str) -> None:
    (line,) = [line for line in JOBS[name]["script"] if line.startswith("ipv6k8s run")]
    words = shlex.split(line.replace("$STACK", "dual"))
    chosen, more = cli._parser().parse_known_args(words[1:])
    chosen.more = more

    arguments = run.arguments(chosen)

    kept = {path.strip("/") for path in SHARED["artifacts"]["paths"]}
    written = {
        Path(a.partition("=")[2]).name
        for a in arguments
        if re.match("--ipv6k8s-(report|bundle)=", a)
    }
    assert written == kept
    assert f"--junitxml={SHARED['artifacts']['reports']['junit']}" in arguments
    flags = {a.partition("=")[0] for a in arguments if a.startswith("--ipv6k8s-")}
    assert flags <= {option.flag for option in OPTIONS}


def test_stacks_are_those_that_kind_makes() -> None:
    (matrix,) = JOBS["ipv6-kind"]["parallel"]["matrix"]
    for stack in matrix["STACK"]:
        cli._parser().parse_args(["run", "--kind", stack])


@pytest.mark.parametrize("name", JOBS)
def test_shellcheck_finds_nothing(name: str) -> None:
    given = "".join(f': "${{{name}:=}}"\n' for name in ("STACK", "KUBECONFIG", "DOCKER_HOST"))
    done = subprocess.run(
        [Path(sys.executable).with_name("shellcheck"), "--shell=dash", "--exclude=SC3028", "-"],
        input=given + ': "${CI_JOB_STATUS:=}"\n' + "\n".join(_lines(JOBS[name])),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_kind_is_of_the_version_that_the_action_uses() -> None:
    version = re.compile(r"kind(?:@|\.sigs\.k8s\.io/dl/)(v[\d.]+\d)")
    (ours,) = version.findall(FILE.read_text("utf-8"))
    assert version.findall((ROOT / "action.yml").read_text("utf-8")) == [ours]
