"""Options, collection and bad input, as somebody at a terminal meets them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: {current}
contexts: [{{name: one, context: {{cluster: c, user: u}}}}]
clusters: [{{name: c, cluster: {{server: "{server}"}}}}]
users: [{{name: u, user: {{token: hunter2}}}}]
"""


def _kubeconfig(server: str = "https://[::1]:9", current: str = "one") -> Callable[[Path], str]:
    def write(path: Path) -> str:
        path.write_text(KUBECONFIG.format(server=server, current=current))
        return str(path)

    return write


def _text(text: str) -> Callable[[Path], str]:
    def write(path: Path) -> str:
        path.write_text(text)
        return str(path)

    return write


def _folder(path: Path) -> str:
    path.mkdir()
    return str(path)


BAD_KUBECONFIGS: dict[str, tuple[Callable[[Path], str], str]] = {
    "missing": (lambda path: str(path), "does not exist"),
    "folder": (_folder, "cannot be read"),
    "binary": (lambda path: str(path) if path.write_bytes(b"\xff\xfe\x00") else "", "cannot be"),
    "not-yaml": (_text("{{{"), "is not YAML"),
    "text": (_text("hello"), "is no kubeconfig"),
    "no-contexts": (_text("kind: Config"), "has no contexts"),
    "unknown-current": (_kubeconfig(current="two"), "has no context 'two'. It has: one"),
    "no-current": (_kubeconfig(current="''"), "has no current context"),
    "refused-v6": (_kubeconfig("https://[::1]:9"), "https://[::1]:9 cannot be reached"),
    "refused-v4": (_kubeconfig("https://127.0.0.1:9"), "https://127.0.0.1:9 cannot be reached"),
    "no-such-name": (_kubeconfig("https://no.such.name.invalid:9"), "cannot be reached"),
    "no-brackets": (_kubeconfig("https://fd00::1:6443"), "the brackets around an IPv6 address"),
}


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
@pytest.mark.parametrize("case", BAD_KUBECONFIGS)
def test_a_bad_kubeconfig_is_one_sentence_and_exit_code_4(
    pytester: pytest.Pytester, case: str, workers: tuple[str, ...]
) -> None:
    write, words = BAD_KUBECONFIGS[case]
    path = write(pytester.path / "kubeconfig")

    result = pytester.runpytest_subprocess(f"--ipv6k8s-kubeconfig={path}", *workers)

    said = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, said
    assert words.lower() in said.lower(), said
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said
    assert "hunter2" not in said


BAD_OPTIONS = {
    "--ipv6k8s-stack=dua": "(did you mean 'dual'?)",
    "--ipv6k8s-provider=knid": "Did you mean 'kind'?",
    "--ipv6k8s-workers=0": "is not above 0",
    "--ipv6k8s-workers=many": "is not a number",
    "--ipv6k8s-timeout-factor=x": "is not a number",
    "--ipv6k8s-waive=SVC-01": "ID=reason",
    "--ipv6k8s-allow=all": "is none of privileged",
    "--ipv6k8s-allow=cluster-scope": "'cluster-scope' is none of privileged",
    "--ipv6k8s-outside=hermetic": "--ipv6k8s-outside is now --ipv6k8s-external.",
    "--ipv6k8s-outside-image=x": "--ipv6k8s-outside-image is now --ipv6k8s-testbed-image.",
    "--ipv6k8s-external=hermetic": "'hermetic' is none of auto, testbed, none",
    "--ipv6k8s-report=out.txt": "no report format is known by the suffix of out.txt",
    "--ipv6k8s-report=no/such/folder/x.json": "does not exist",
    "--ipv6k8s-node-selector=x": "KEY=VALUE",
    "--ipv6k8s-toleration=x:Sometimes": "NoSchedule",
    "--ipv6k8s-target=v6": "ROLE=ADDRESS:PORT",
    "--ipv6k8s-target=v6=2001:db8::1:443": "an IPv6 address stands in brackets",
    "--ipv6k8s-target=six=[::1]:443": "there is no role 'six'",
}


@pytest.mark.parametrize("option", BAD_OPTIONS)
def test_a_bad_option_is_one_sentence_and_exit_code_4(
    pytester: pytest.Pytester, option: str
) -> None:
    more = () if "provider" in option else ("--ipv6k8s-provider=kind",)

    result = pytester.runpytest_subprocess(option, *more)

    said = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, said
    assert BAD_OPTIONS[option] in said
    assert "Traceback" not in said


def test_kubeconfig_and_a_maker_exclude_each_other(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--ipv6k8s-kubeconfig=x", "--ipv6k8s-provider=kind")

    assert result.ret == 4
    result.stderr.fnmatch_lines(["*Give one of the two*"])


def test_plain_pytest_is_untouched(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_mine(): pass")

    result = pytester.runpytest_subprocess()

    result.assert_outcomes(passed=1)
    assert "ipv6k8s" not in result.stdout.str().replace("plugins: ipv6k8s", "")


def test_an_environment_variable_does_not_add_the_suite(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_mine(): pass")

    result = pytester.runpytest_subprocess("--collect-only", "-q")
    alone = result.stdout.str()
    os.environ["IPV6K8S_PROVIDER"] = "kind"
    try:
        result = pytester.runpytest_subprocess("--collect-only", "-q")
    finally:
        del os.environ["IPV6K8S_PROVIDER"]

    assert "test_mine" in alone
    assert "conformance" not in result.stdout.str()
    assert "test_mine" in result.stdout.str()


def test_the_option_runs_the_suite_only_without_tests(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_mine(): pass")
    asked = ("--ipv6k8s-provider=kind", "--collect-only", "-q")

    suite = pytester.runpytest_subprocess(*asked).stdout.str()
    mine = pytester.runpytest_subprocess(*asked, "test_the_option_runs*.py").stdout.str()
    pytester.makeini("[pytest]\ntestpaths = .")
    paths = pytester.runpytest_subprocess(*asked).stdout.str()

    assert "test_svc_cluster_ip" in suite
    assert "test_mine" not in suite
    assert "test_svc_cluster_ip" not in mine
    assert "test_svc_cluster_ip" not in paths


def test_the_suite_is_collected_under_an_odd_ini_file(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\npython_files = check_*.py\naddopts = -q")

    result = pytester.runpytest_subprocess("--ipv6k8s-provider=kind", "--collect-only")

    assert "test_cluster_ip_answers_over_tcp[IPv6]" in result.stdout.str()


@pytest.mark.parametrize(
    "words",
    [
        ("--ipv6k8s-provider=kind",),
        ("--ipv6k8s-provider", "kind", "--pyargs", "pytest_ipv6k8s.conformance"),
        ("--ipv6k8s-provider=kind", "-n", "2"),
    ],
)
@pytest.mark.parametrize("folder", [".", "tests", "test_more"])
def test_the_suite_runs_in_a_project_whose_own_tests_cannot_be_loaded(
    pytester: pytest.Pytester, folder: str, words: tuple[str, ...]
) -> None:
    place = pytester.path / folder
    place.mkdir(exist_ok=True)
    (place / "conftest.py").write_text("import a_package_that_is_not_there")

    suite = pytester.runpytest_subprocess("--collect-only", *words)
    own = pytester.runpytest_subprocess("--collect-only", *words, folder)

    assert suite.ret == 0
    assert "test_cluster_ip_answers_over_tcp[IPv6]" in suite.stdout.str()
    assert "a_package_that_is_not_there" in own.stderr.str()


@pytest.mark.parametrize("words", [(), ("-n", "2")])
def test_run_takes_no_module_of_the_folder_for_a_package(
    pytester: pytest.Pytester, words: tuple[str, ...]
) -> None:
    for name in ("yaml", "dns", "kubernetes", "conftest"):
        (pytester.path / f"{name}.py").write_text("raise SystemExit('this is mine')")
    program = Path(sys.executable).parent / "ipv6k8s"

    result = pytester.run(program, "run", "--kind=dual", "--collect-only", *words)

    assert result.ret == 0, result.stderr.str()
    assert "test_cluster_ip_answers_over_tcp[IPv6]" in result.stdout.str()


def test_checks_without_a_cluster_are_refused(pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_subprocess("--pyargs", "pytest_ipv6k8s.conformance")

    assert result.ret == 4
    result.stderr.fnmatch_lines(["*no cluster to test: give --ipv6k8s-kubeconfig=FILE*"])


def test_own_tests_without_a_cluster_are_skipped(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_mine(ipv6k8s_probes): pass")

    result = pytester.runpytest_subprocess("-rs")

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*no cluster to test*"])


def test_help_lists_every_option(pytester: pytest.Pytester) -> None:
    from pytest_ipv6k8s.settings import OPTIONS

    result = pytester.runpytest_subprocess("--help")

    assert result.ret == 0
    for option in OPTIONS:
        assert option.flag in result.stdout.str()


def test_help_does_not_list_what_was_renamed(pytester: pytest.Pytester) -> None:
    assert "--ipv6k8s-outside" not in pytester.runpytest_subprocess("--help").stdout.str()


@pytest.mark.parametrize("source", ["environment", "ini"])
def test_an_old_name_is_one_sentence_and_exit_code_4_wherever_it_stands(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    if source == "ini":
        pytester.makeini("[pytest]\nipv6k8s_outside = hermetic\n")
    else:
        monkeypatch.setenv("IPV6K8S_OUTSIDE", "hermetic")

    result = pytester.runpytest_subprocess("--ipv6k8s-provider=kind")

    assert result.ret == 4
    output = result.stderr.str()
    assert "outside is now" in output.lower()
    assert "external" in output.lower()
    assert "Traceback" not in output


def _engine(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


ENGINE_TROUBLE = {
    "missing": (None, "there is no container engine"),
    "denied": (
        "echo 'permission denied while trying to connect to the docker API' >&2; exit 1",
        "may not talk to the container engine. Add the user to the group docker",
    ),
    "down": (
        "echo 'Cannot connect to the Docker daemon. Is it running?' >&2; exit 1",
        "the container engine does not answer",
    ),
}


@pytest.mark.parametrize("case", ENGINE_TROUBLE)
def test_trouble_with_the_engine_is_one_sentence_and_exit_code_4(
    pytester: pytest.Pytester, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    script, words = ENGINE_TROUBLE[case]
    programs = pytester.mkdir("programs")
    _engine(programs, "kind", "echo kind v0.33.0 go1.26 linux/amd64")
    if script:
        _engine(programs, "docker", script)
    monkeypatch.setenv("PATH", f"{programs}:{'/nowhere' if script is None else '/bin:/usr/bin'}")
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.path / "state"))

    result = pytester.runpytest_subprocess("--ipv6k8s-provider=kind")

    said = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, said
    assert words in said
    assert "Traceback" not in said
    assert not list((pytester.path / "state").glob("**/state.json"))


def test_a_state_folder_that_cannot_be_written_is_exit_code_4(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _kubeconfig()(pytester.path / "kubeconfig")
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.makefile(".txt", "no folder")))

    result = pytester.runpytest_subprocess(f"--ipv6k8s-kubeconfig={path}")

    assert result.ret == 4
    result.stderr.fnmatch_lines(["*state cannot be written*"])
