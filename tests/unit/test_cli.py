"""The command ``ipv6k8s``, from its arguments to what it prints and its exit code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pytest_ipv6k8s import __version__, catalogue
from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.clusters import ownership
from pytest_ipv6k8s.fixes import fixes_of
from pytest_ipv6k8s.kube import rights
from pytest_ipv6k8s.remedies import without_cluster
from pytest_ipv6k8s.reports import save
from tests.documents import report, result, sample

CHECKS = catalogue.checks()
TOKEN = "tok-" + "aZ09" * 9


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))


def _listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert cli.main(["list", *arguments]) == 0
    return [line.split()[0] for line in capsys.readouterr().out.splitlines()]


def test_every_check_is_listed_with_its_level_and_requirement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cli.main(["list"])

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(CHECKS)
    for line, declared in zip(lines, CHECKS.values(), strict=True):
        assert line.split()[1] == declared.level.value
        assert line.endswith(declared.requirement)


@pytest.mark.parametrize("area", ["SVC", "svc", "Dns"])
def test_an_area_is_listed_however_it_is_written(
    capsys: pytest.CaptureFixture[str], area: str
) -> None:
    wanted = [id for id, declared in CHECKS.items() if declared.area == area.upper()]

    assert _listed(capsys, "--area", area) == wanted != []


@pytest.mark.parametrize("stack", ["ipv6", "ipv4", "dual", "dual-ipv6"])
def test_the_checks_of_a_stack_are_listed(capsys: pytest.CaptureFixture[str], stack: str) -> None:
    wanted = [id for id, d in CHECKS.items() if stack in {s.value for s in d.stacks}]

    assert _listed(capsys, "--stack", stack) == wanted != []


def test_the_checks_of_a_profile_are_listed_with_what_they_are_to_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["list", "--profile", "nat64"]) == 0

    words = [line.split()[:2] for line in capsys.readouterr().out.splitlines()]
    assert ["N64-13", "core"] in words
    assert ["N64-31", "extended"] in words
    assert {id.split("-")[0] for id, _ in words} == {"N64"}
    assert "N64-20" not in dict(words)


@pytest.mark.parametrize("name", ["nat65", "load-balancer", ""])
def test_an_unknown_profile_is_wrong_usage_and_the_known_ones_are_named(
    capsys: pytest.CaptureFixture[str], name: str
) -> None:
    assert cli.main(["list", "--profile", name]) == cli.USAGE

    message = capsys.readouterr().err
    assert message.startswith(f"ipv6k8s: there is no profile {name!r}. Give one of ipv6-only, dual")


def test_every_check_is_explained_in_full(capsys: pytest.CaptureFixture[str]) -> None:
    lacking: list[str] = []
    for id, declared in CHECKS.items():
        assert cli.main(["explain", id.lower()]) == 0
        output = capsys.readouterr().out
        words = [
            *declared.references,
            *map(str, declared.causes),
            declared.look,
            declared.level.value,
        ]
        words += [without_cluster(feature.sentence) for feature in declared.features]
        words.append(f"{id}  {declared.requirement}\n")
        lacking += [f"{id}: {word}" for word in words if word not in output]

    assert lacking == []


def test_causes_are_numbered_in_their_order(capsys: pytest.CaptureFixture[str]) -> None:
    id, declared = max(CHECKS.items(), key=lambda item: len(item[1].causes))

    cli.main(["explain", id])

    output = capsys.readouterr().out
    numbered = re.findall(r"^  (\d+)\. (.*)$", output, re.MULTILINE)
    assert [int(number) for number, _ in numbered] == list(range(1, len(declared.causes) + 1))
    assert [cause for _, cause in numbered] == [*map(str, declared.causes)]


def test_fixes_are_told_for_each_component(capsys: pytest.CaptureFixture[str]) -> None:
    cli.main(["explain", "EGR-01"])

    output = " ".join(capsys.readouterr().out.split())
    assert "How to fix it:" in output
    for fix in fixes_of("EGR-01"):
        assert f"{fix.component.value} {fix.text} ({fix.source})" in output


@pytest.mark.parametrize("cni", ["flannel", "cilium", "calico"])
def test_fixes_of_ones_own_network_come_first(capsys: pytest.CaptureFixture[str], cni: str) -> None:
    cli.main(["explain", "EGR-01", "--cni", cni])

    lines = capsys.readouterr().out.partition("How to fix it:\n")[2]
    assert lines.split()[0].lower() == cni
    assert len(lines.partition("\n\n")[0].splitlines()) == len(fixes_of("EGR-01"))


def test_a_check_that_no_setting_fixes_says_nothing_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    cli.main(["explain", "ADDR-11"])

    assert "How to fix it" not in capsys.readouterr().out


def test_an_unknown_check_is_hinted_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "SVX-01"]) == cli.USAGE

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("ipv6k8s: there is no check 'SVX-01'. Did you mean ")
    assert "SVC-01" in captured.err


def test_a_check_like_no_other_points_to_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["explain", "???"]) == cli.USAGE

    assert "See `ipv6k8s list`." in capsys.readouterr().err


def test_the_rights_are_yaml(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["rbac"]) == 0

    assert list(yaml.safe_load_all(capsys.readouterr().out)) == rights.manifest()


@pytest.mark.parametrize(
    "arguments",
    [["dance"], ["list", "--stack", "dua"], ["explain"], ["list", "--colour"], ["rbac", "x"]],
)
def test_wrong_usage_is_exit_code_4(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)

    output = capsys.readouterr().err
    assert caught.value.code == cli.USAGE == 4
    assert "usage: ipv6k8s" in output


def test_a_command_that_does_not_exist_is_hinted_at(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["explaim"])

    assert capsys.readouterr().err.endswith("Did you mean explain?\n")


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(["--version"])

    assert caught.value.code == 0
    assert cli.main(["version"]) == 0
    assert capsys.readouterr().out == f"ipv6k8s {__version__}\n" * 2


def test_a_doctor_for_an_unknown_provider_is_wrong_usage(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["doctor", "--provider", "knid"]) == cli.USAGE
    assert "Did you mean 'kind'?" in capsys.readouterr().err


def test_nothing_to_reap_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reap"]) == 0
    assert capsys.readouterr().out == "Nothing was left behind.\n"


@pytest.mark.parametrize(
    ("words", "everything", "kept"),
    [([], False, ""), (["--kept"], True, ""), (["--kept", "ipv6k8s-abc"], False, "ipv6k8s-abc")],
)
def test_what_was_reaped_is_named(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    everything: bool,
    kept: str,
) -> None:
    asked: list[dict[str, object]] = []

    def reap(progress: object, **options: object) -> list[str]:
        asked.append(options)
        return ["ipv6k8s-abc"]

    monkeypatch.setattr(ownership, "reap", reap)

    assert cli.main(["reap", *words]) == 0
    assert capsys.readouterr().out == "removed  ipv6k8s-abc\n"
    assert asked == [{"everything": everything, "kept": kept, "forget": False}]


def test_a_kubeconfig_that_is_missing_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.main(["reap", "--kubeconfig", str(tmp_path / "none")]) == cli.USAGE
    assert "none does not exist" in capsys.readouterr().err


def test_an_interrupt_is_exit_code_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(catalogue, "checks", interrupted)

    assert cli.main(["list"]) == 130


def _into_closed_pipe(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command while nobody reads what it prints."""
    reader = subprocess.Popen(["true"], stdin=subprocess.PIPE)
    reader.wait()
    assert reader.stdin
    with reader.stdin as closed:
        return subprocess.run(
            [sys.executable, "-m", "pytest_ipv6k8s", *arguments],
            stdout=closed,
            stderr=subprocess.PIPE,
            check=False,
        )


@pytest.mark.parametrize("unbuffered", ["1", ""])
def test_a_reader_that_went_away_is_no_error(
    monkeypatch: pytest.MonkeyPatch, unbuffered: str
) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)

    done = _into_closed_pipe("rbac")

    assert (done.returncode, done.stderr) == (0, b"")


def test_a_traceback_tells_no_secret(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off(*_: object, **__: object) -> None:
        sys.stdout.write(f"asking with {TOKEN}\n")
        raise KeyError(f"no {TOKEN}")

    monkeypatch.setenv("CI_JOB_TOKEN", TOKEN)
    monkeypatch.setattr(ownership, "reap", break_off)

    code = cli.main(["reap"])

    told = capsys.readouterr()
    assert code == 3
    assert told.out == "asking with [redacted]\n"
    assert "KeyError: 'no [redacted]'" in told.err
    assert "break_off" in told.err


def _handed(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> list[str]:
    """Return what `ipv6k8s run` hands to pytest."""
    commands: list[list[str]] = []

    def become(program: str, command: list[str]) -> None:
        assert program == command[0] == sys.executable
        commands.append(command)
        raise KeyboardInterrupt  # nothing comes after it

    monkeypatch.setattr("os.execv", become)
    assert cli.main(["run", *arguments]) == 130
    assert commands[0][1] == "-c"
    assert commands[0][-2:] == ["--pyargs", catalogue.SUITE]
    return commands[0][3:-2]


@pytest.mark.parametrize(
    ("arguments", "handed"),
    [
        ([], ["--ipv6k8s-provider=existing"]),
        (["--context", "prod"], ["--ipv6k8s-context=prod", "--ipv6k8s-provider=existing"]),
        (["--kubeconfig", "f"], ["--ipv6k8s-kubeconfig=f"]),
        (["--kind", "dual"], ["--ipv6k8s-provider=kind", "--ipv6k8s-stack=dual"]),
        (
            ["SVC", "!SVC-05", "--kubeconfig", "f"],
            ["--ipv6k8s-kubeconfig=f", "--ipv6k8s-check=SVC", "--ipv6k8s-check=!SVC-05"],
        ),
        (["--kubeconfig=f", "-o", "r.html"], ["--ipv6k8s-kubeconfig=f", "--ipv6k8s-report=r.html"]),
        (["--kubeconfig=f", "--level", "core"], ["--ipv6k8s-kubeconfig=f", "-m", "core"]),
        (["--kubeconfig=f", "--pause"], ["--ipv6k8s-kubeconfig=f", "--ipv6k8s-pause"]),
        (["--kubeconfig=f", "-x", "-v"], ["--ipv6k8s-kubeconfig=f", "-x", "-v"]),
        (
            ["SVC", "--kubeconfig=f", "-x", "--", "-n", "4"],
            ["--ipv6k8s-kubeconfig=f", "--ipv6k8s-check=SVC", "-x", "-n", "4"],
        ),
        (
            ["--kubeconfig=f", "--ipv6k8s-declaration", "d.yaml", "-k", "a or b", "--tb", "line"],
            ["--ipv6k8s-kubeconfig=f", "--ipv6k8s-declaration=d.yaml", "-k", "a or b", "--tb=line"],
        ),
        (
            ["--kubeconfig=f", "--ipv6k8s-waive=MTU-12=until May", "--ipv6k8s-all", "SVC"],
            [
                "--ipv6k8s-kubeconfig=f",
                "--ipv6k8s-check=SVC",
                "--ipv6k8s-waive=MTU-12=until May",
                "--ipv6k8s-all",
            ],
        ),
        (["--kubeconfig=f", "-k"], ["--ipv6k8s-kubeconfig=f", "-k"]),
    ],
)
def test_run_becomes_pytest(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], handed: list[str]
) -> None:
    own = [f"--rootdir={Path.cwd()}", "-p", "no:cacheprovider"]

    assert _handed(monkeypatch, *arguments) == [*own, *handed]


def test_run_asks_again_what_was_red(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "r.yaml"
    save(sample(), file)

    handed = _handed(monkeypatch, "--failed-of", str(file))

    chosen = [word for word in handed if word.startswith("--ipv6k8s-check=")]
    assert chosen == [f"--ipv6k8s-check={id}" for id in ("ADDR-16", "DNS-01", "MTU-07")]


def test_run_has_nothing_to_ask_again_where_nothing_was_red(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "r.yaml"
    save(report(result("SVC-01", "pass")), file)

    assert cli.main(["run", "--failed-of", str(file)]) == 4
    assert "nothing is red" in capsys.readouterr().err


def test_alone_it_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0
    assert "commands:" in capsys.readouterr().out


def test_only_run_takes_options_of_pytest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        cli.main(["list", "-x"])
    assert stop.value.code == 4
    assert "unrecognized arguments: -x" in capsys.readouterr().err


def test_several_checks_and_areas_are_explained_each_once(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["explain", "svc_01", "N64", "SVC-01", "--cni", "antrea"]) == 0

    text = capsys.readouterr().out
    assert text.count("\nlevel      ") == 1 + len(
        [check for check in catalogue.checks().values() if check.area == "N64"]
    )
    assert "``" not in text


def test_a_list_is_of_one_level_and_as_json_says_what_is_needed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["list", "--level", "extended", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert {item["level"] for item in found} == {"extended"}
    assert any(item["needs"] for item in found)
