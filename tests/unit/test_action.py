"""The GitHub action: what its steps do with the inputs, and what they tell GitHub."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s.settings import OPTIONS
from tests.action import ACTION, ROOT, STEPS, Machine, machine, step

SUITE = ["--pyargs", "pytest_ipv6k8s.conformance"]


def _run(made: Machine, then: str = "") -> tuple[int, list[str]]:
    """Run the suite's step with a pytest that does this, and return its code and our options."""
    made.recorder("pytest", then, folder=made.bin)
    done = made.run("Run the conformance suite")
    calls = [call for call in made.recorded() if call[0] == "pytest"]
    words = calls[0][1:] if calls else []
    own = f"{made.temp}/ipv6k8s"
    fixed = ["-c", f"{own}/pytest.ini", "-p", "no:cacheprovider", "--color=yes"]
    fixed += [f"--ipv6k8s-report={own}/{name}" for name in ("report.json", "summary.md")]
    assert not words or (words[:7], words[-2:]) == (fixed, SUITE)
    return done.returncode, words[7:-2]


def _report(**changes: Any) -> dict[str, Any]:
    return {"result": "failure", "checks": [], "harness": [], **changes}


def _check(id: str, verdict: str, **changes: Any) -> dict[str, Any]:
    return {
        "id": id,
        "requirement": f"{id} holds",
        "verdict": verdict,
        "reason": "",
        "items": [],
        **changes,
    }


def _annotated(folder: Path, report: object = None, said: str = "") -> tuple[list[str], str]:
    """Return the workflow commands that a report leads to, and the action's result."""
    made = machine(folder)
    (made.bin / "python").symlink_to(sys.executable)
    (made.temp / "ipv6k8s" / "output").write_text(said)
    if report is not None:
        (made.temp / "ipv6k8s" / "report.json").write_text(json.dumps(report), "utf-8")

    done = made.run("Annotate what is red")

    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), made.outputs["result"]["result"]


@pytest.mark.parametrize("found", STEPS, ids=lambda found: found["name"])
def test_shell_never_holds_an_expression(found: dict[str, Any]) -> None:
    assert "${{" not in found.get("run", "")


def test_the_last_step_always_reaps() -> None:
    assert STEPS[-1]["if"] == "always()"
    assert "reap" in STEPS[-1]["run"]


def test_outputs_come_from_steps_that_exist() -> None:
    ids = {found.get("id") for found in STEPS}
    for output in ACTION["outputs"].values():
        assert output["value"].split(".")[1] in ids


@pytest.mark.parametrize(
    ("inputs", "options"),
    [
        ({}, ["provider=kind"]),
        ({"provider": "k3s", "stack": "dual"}, ["provider=k3s", "stack=dual"]),
        ({"kubeconfig": "kube.yaml"}, ["kubeconfig=kube.yaml"]),
        (
            {"cni": "cilium", "kube_proxy": "none"},
            ["provider=kind", "cni=cilium", "kube-proxy=none"],
        ),
        ({"profile": "ipv6-only"}, ["provider=kind", "profile=ipv6-only"]),
        ({"version": "v1.36.3"}, ["provider=kind", "node-image=kindest/node:v1.36.3"]),
        (
            {"provider": "k3s", "version": "v1.36.3-k3s1"},
            ["provider=k3s", "node-image=rancher/k3s:v1.36.3-k3s1"],
        ),
    ],
)
def test_inputs_become_options(tmp_path: Path, inputs: dict[str, str], options: list[str]) -> None:
    made = machine(tmp_path, **inputs)

    code, words = _run(made)

    assert code == 0
    report = f"--ipv6k8s-report={made.workspace}/ipv6k8s-report.yaml"
    bundle = f"--ipv6k8s-bundle={made.temp}/ipv6k8s/bundles"
    assert words == [*(f"--ipv6k8s-{option}" for option in options), report, bundle]


def test_inputs_are_never_run(tmp_path: Path) -> None:
    trick = "ipv6$(touch pwned)`touch pwned`\"; touch pwned; '"
    made = machine(tmp_path, stack=trick, arguments=trick, cni=trick, artifact=trick)

    _, words = _run(made)

    assert f"--ipv6k8s-stack={trick}" in words
    assert trick in words
    assert not (made.workspace / "pwned").exists()


def test_further_arguments_stand_one_a_line(tmp_path: Path) -> None:
    made = machine(tmp_path, arguments="--ipv6k8s-waive=MTU-12=known, see 5\n\n-k\nSVC or DNS\n")

    _, words = _run(made)

    assert words[1:-2] == ["--ipv6k8s-waive=MTU-12=known, see 5", "-k", "SVC or DNS"]


def test_a_report_elsewhere_stays_there(tmp_path: Path) -> None:
    made = machine(tmp_path, report=f"{tmp_path}/r.json")

    _run(made)

    assert made.outputs["run"]["report"] == f"{tmp_path}/r.json"


@pytest.mark.parametrize(
    ("inputs", "name"),
    [
        ({}, "ipv6k8s-kind"),
        ({"stack": "dual", "cni": "cilium"}, "ipv6k8s-kind-dual-cilium"),
        ({"kubeconfig": "x"}, "ipv6k8s-existing"),
        ({"profile": "ipv6-only"}, "ipv6k8s-kind-ipv6-only"),
        ({"artifact": "mine", "stack": "dual"}, "mine"),
    ],
)
def test_jobs_of_a_matrix_have_artefacts_of_their_own(
    tmp_path: Path, inputs: dict[str, str], name: str
) -> None:
    made = machine(tmp_path, **inputs)

    _run(made)

    assert made.outputs["run"]["artifact"] == name


@pytest.mark.parametrize("code", [0, 1, 4])
def test_the_step_ends_as_pytest_does(tmp_path: Path, code: int) -> None:
    made = machine(tmp_path)

    assert _run(made, f"echo seen; exit {code}")[0] == code

    assert made.outputs["run"]["code"] == str(code)
    assert (made.temp / "ipv6k8s" / "output").read_text() == "seen\n"


def test_a_version_without_a_provider_that_has_images_is_refused(tmp_path: Path) -> None:
    made = machine(tmp_path, kubeconfig="x", version="v1.36.3")
    made.recorder("pytest", folder=made.bin)

    done = made.run("Run the conformance suite")

    assert done.returncode != 0
    assert "version needs provider kind or k3s" in done.stderr


@pytest.mark.parametrize(
    ("inputs", "present", "installed"),
    [
        ({}, (), ["sigs.k8s.io/kind@v0.33.0"]),
        ({}, ("kind",), []),
        ({"kubeconfig": "x"}, (), []),
        ({"provider": "k3s"}, (), []),
        ({"provider": "k3s", "cni": "cilium"}, (), ["helm.sh/helm/v3/cmd/helm@v3.22.0"]),
        ({"cni": "cilium"}, ("kind", "helm"), []),
    ],
)
def test_programs_are_installed_where_they_are_missing(
    tmp_path: Path, inputs: dict[str, str], present: tuple[str, ...], installed: list[str]
) -> None:
    made = machine(tmp_path, **inputs)
    for name in ("go", *present):
        made.recorder(name, 'echo "$GOBIN"')

    done = made.run("Install what the provider")

    assert done.returncode == 0, done.stderr
    assert made.recorded() == [["go", "install", package] for package in installed]
    assert done.stdout.split() == (
        [str(made.bin)] if installed else [str(tmp_path / "path" / p) for p in present]
    )


def test_ipv6_is_switched_on_for_clusters_that_are_made(tmp_path: Path) -> None:
    made = machine(tmp_path)
    made.recorder("sudo")

    made.run("Let this machine forward IPv6")

    (call,) = made.recorded()
    assert {"net.ipv6.conf.all.disable_ipv6=0", "net.ipv6.conf.all.forwarding=1"} <= {*call}
    assert step("Let this machine")["if"] == "inputs.kubeconfig == ''"


def test_the_plugin_is_installed_from_the_action_itself(tmp_path: Path) -> None:
    made = machine(tmp_path)
    made.recorder("python", folder=made.folder)
    made.recorder("pip", folder=made.bin)
    made.outputs["python"] = {"python-path": str(made.folder / "python")}

    done = made.run("Install pytest-ipv6k8s")

    assert done.returncode == 0, done.stderr
    assert made.recorded() == [
        ["python", "-m", "venv", f"{made.temp}/ipv6k8s"],
        ["pip", "install", "--quiet", f"{ROOT}[xdist]"],
    ]
    assert (made.temp / "ipv6k8s" / "pytest.ini").read_text() == "[pytest]\n"


def test_a_failed_check_becomes_an_error(tmp_path: Path) -> None:
    failure = {"expected": "a, b: 100%", "actual": ["nothing", "x", "y", "z"]}
    failed = _check("SVC-04", "fail", items=[{"failure": failure}])

    lines, result = _annotated(tmp_path, _report(checks=[failed]))

    assert result == "failure"
    assert lines == [
        "::error title=SVC-04 fail::SVC-04 holds%0Aexpected: a, b: 100%25%0Aactual: nothing"
        "%0Aactual: x%0Aactual: y%0A… and 1 more%0Amore: ipv6k8s explain SVC-04"
    ]


def test_failures_come_first_and_waived_checks_not_at_all(tmp_path: Path) -> None:
    checks = [
        _check("ADDR-01", "inconclusive", reason="the probe died"),
        _check("DNS-01", "fail", waived="known"),
        _check("DNS-02", "pass"),
        _check("SVC-01", "fail"),
    ]
    fact = {"id": "META-01", "title": "a: b, c", "ok": False, "actual": "no"}

    lines, _ = _annotated(tmp_path, _report(checks=checks, harness=[fact]))

    assert [line.split("::")[1] for line in lines] == [
        "error title=SVC-01 fail",
        "warning title=ADDR-01 inconclusive",
        "warning title=META-01 a%3A b%2C c",
    ]
    assert "the probe died" in lines[1]


def test_no_more_annotations_than_github_shows(tmp_path: Path) -> None:
    checks = [_check(f"SVC-{number:02}", "fail") for number in range(1, 14)]

    lines, _ = _annotated(tmp_path, _report(checks=checks))

    assert len(lines) == 10
    assert lines[-1] == "::error title=4 more::SVC-10, SVC-11, SVC-12, SVC-13: see the report"


def test_a_run_without_a_report_tells_its_error(tmp_path: Path) -> None:
    lines, result = _annotated(tmp_path, said="header\nERROR: kind is not on PATH\n\n")

    assert (lines, result) == (["::error title=no report::kind is not on PATH"], "none")


def test_a_run_that_says_nothing_points_to_the_log(tmp_path: Path) -> None:
    lines, _ = _annotated(tmp_path)

    assert lines[0].endswith("the run ended before it could write one; see the step's log")


def test_a_run_in_which_all_is_well_has_nothing_to_annotate(tmp_path: Path) -> None:
    lines, result = _annotated(tmp_path, _report(result="success"))

    assert (lines, result) == ([], "success")


def test_the_summary_is_the_reports_markdown(tmp_path: Path) -> None:
    made = machine(tmp_path)
    _run(made, f"echo '# Report' > {made.temp}/ipv6k8s/summary.md")

    assert made.run("Summarise the report").returncode == 0

    assert made.summary == "# Report\n"


def test_a_run_without_a_report_has_no_summary_of_an_earlier_one(tmp_path: Path) -> None:
    made = machine(tmp_path)
    for name in ("report.json", "summary.md"):
        (made.bin.parent / name).write_text("of an earlier run")
    _run(made, "exit 4")

    assert made.run("Summarise the report").returncode == 0

    assert made.summary == ""
    assert not (made.bin.parent / "report.json").exists()


@pytest.mark.parametrize(
    ("inputs", "code", "words"),
    [
        ({}, "1", ["reap"]),
        ({"kubeconfig": "x"}, "1", ["reap"]),
        ({"kubeconfig": "x"}, "", ["reap", "--kubeconfig", "x"]),
    ],
)
def test_a_cluster_of_others_is_reaped_only_after_a_killed_run(
    tmp_path: Path, inputs: dict[str, str], code: str, words: list[str]
) -> None:
    made = machine(tmp_path, **inputs)
    made.recorder("ipv6k8s", folder=made.bin)
    made.outputs["run"] = {"code": code}

    assert made.run("Remove what a run").returncode == 0

    assert made.recorded() == [["ipv6k8s", *words]]


def test_nothing_is_reaped_where_nothing_was_installed(tmp_path: Path) -> None:
    assert machine(tmp_path).run("Remove what a run").returncode == 0


def test_options_that_the_steps_name_exist() -> None:
    known = {option.name for option in OPTIONS}
    named = set(re.findall(r"\badd ([a-z-]+) ", step("Run the conformance suite")["run"]))
    assert {"provider", "stack", "report"} <= named <= known
