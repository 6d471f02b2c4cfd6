"""Failure bundles, as somebody meets them who asked for them."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.conftest import FAKE_RUN

REACH = """
from pytest_ipv6k8s.bundle.collect import Access
from pytest_ipv6k8s.plugin.bundles import Bundles
Bundles._access = lambda self: Access(run_id="abc")
"""
MORE_CHECKS = '''
from test_checks import declare, expect, heard

@declare("T-30")
def test_wanders(heard, monkeypatch, tmp_path):
    """It stays where it is."""
    monkeypatch.chdir(tmp_path)
    expect(False, expected="the moon", actual=heard)
'''
INTERRUPTED = '''
from test_checks import declare, expect, heard

@declare("T-31")
def test_red(heard):
    """It is red."""
    expect(False, expected="the moon", actual=heard)

@declare("T-32")
def test_stops():
    """Somebody presses Ctrl-C."""
    raise KeyboardInterrupt
'''
BUNDLE = "bundles/ipv6k8s-bundle-abc.tar.gz"
ASKED = ("--ipv6k8s-provider=kind", "--ipv6k8s-report=out.json")


@pytest.fixture
def bundled(project: pytest.Pytester) -> pytest.Pytester:
    """The project with every outcome, whose bundles look at no cluster."""
    project.makeconftest(FAKE_RUN + REACH)
    return project


def _run(project: pytest.Pytester, *arguments: str) -> tuple[pytest.RunResult, dict[str, Any]]:
    files = () if any(word.startswith("test_") for word in arguments) else ("test_checks.py",)
    result = project.runpytest_subprocess(*files, *ASKED, *arguments)
    report = json.loads((project.path / "out.json").read_text())
    return result, {c["id"]: c["items"][0].get("bundle") for c in report["checks"]}


def _contents(path: Path) -> dict[str, str]:
    with tarfile.open(path) as packed:
        files = {m.name.partition("/")[2]: packed.extractfile(m) for m in packed}
        return {name: file.read().decode() for name, file in files.items() if file}


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_run_leaves_one_bundle_with_a_folder_for_each_red_check(
    bundled: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    result, named = _run(bundled, "--ipv6k8s-bundle=bundles", *workers)

    red = {"T-02", "T-03", "T-04", "T-09", "T-10"}
    assert {id for id, bundle in named.items() if bundle == BUNDLE} == red, result.stdout.str()
    assert [*(bundled.path / "bundles").iterdir()] == [bundled.path / BUNDLE]
    found = _contents(bundled.path / BUNDLE)
    assert next(iter(found)) == "README.md"
    assert {name.split("/")[1] for name in found if name.startswith("checks/")} == red
    result.stdout.fnmatch_lines([f"*bundle    {BUNDLE}*", f"bundle   {BUNDLE}, red items in it: 5"])
    assert not [*bundled.path.glob("tmp*/bundle")]


def test_a_bundle_tells_what_the_terminal_tells_without_secrets(bundled: pytest.Pytester) -> None:
    _run(bundled, "--ipv6k8s-bundle=bundles", "-k", "T-02 or T-10")

    files = _contents(bundled.path / BUNDLE)
    for words in (
        "# Bundle of run abc\n\nKubernetes v1.36.3, ipv6, CNI none, none.\n",
        "* [T-02](checks/T-02/README.md): It holds\n  * actual: ",
        "* [T-10](checks/T-10/README.md): inconclusive, nobody knows",
    ):
        assert words in files["README.md"]
    readme = files["checks/T-02/README.md"]
    for words in ("# T-02: fail", "required  It holds", "expected  the moon", "causes    1. bad"):
        assert words in readme
    assert json.loads(files["checks/T-02/evidence.json"])[0]["path"] == "a to b"
    assert "nobody knows" in files["checks/T-10/README.md"]
    assert "hunter2" not in str(files)


def test_a_check_that_changes_the_folder_leaves_the_bundle_where_it_belongs(
    bundled: pytest.Pytester,
) -> None:
    bundled.makepyfile(test_more=MORE_CHECKS)

    _, named = _run(bundled, "--ipv6k8s-bundle=bundles", "test_more.py")

    assert named["T-30"] == BUNDLE
    assert "checks/T-30/README.md" in _contents(bundled.path / BUNDLE)


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_run_that_is_interrupted_leaves_a_whole_bundle(
    bundled: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    bundled.makepyfile(test_more=INTERRUPTED)

    _run(bundled, "--ipv6k8s-bundle=bundles", "test_more.py", *workers)

    found = _contents(bundled.path / BUNDLE)
    assert "checks/T-31/README.md" in found
    assert "## What is missing or cut" in found["README.md"]


def test_a_green_run_and_a_waived_check_leave_nothing(bundled: pytest.Pytester) -> None:
    waived = "--ipv6k8s-waive=T-02=known"
    result, named = _run(bundled, "--ipv6k8s-bundle=bundles", "-k", "T-01 or T-02", waived)

    assert result.ret == 0
    assert set(named.values()) == {None}
    assert not (bundled.path / "bundles").exists()


def test_nothing_is_written_without_the_option(bundled: pytest.Pytester) -> None:
    result, named = _run(bundled)

    assert set(named.values()) == {None}
    result.stdout.no_fnmatch_line("*bundle*")


def test_a_bundle_that_cannot_be_written_changes_no_verdict(bundled: pytest.Pytester) -> None:
    spoil = "import os\nfrom pathlib import Path\n(Path(os.getcwd()) / 'bundles').write_text('')\n"
    bundled.makeconftest(
        FAKE_RUN + REACH + "def pytest_runtest_setup():\n  " + spoil.replace("\n", "\n  ")
    )

    result, named = _run(bundled, "--ipv6k8s-bundle=bundles", "-k", "T-02")

    assert named == {"T-02": None}
    result.stdout.fnmatch_lines(["bundle   *cannot be written*"])
    assert result.ret == 1


def test_a_broken_collector_changes_no_verdict(bundled: pytest.Pytester) -> None:
    bundled.makeconftest(FAKE_RUN)  # its kubeconfig is missing

    result, named = _run(bundled, "--ipv6k8s-bundle=bundles", "-k", "T-02")

    assert named == {"T-02": None}
    result.stdout.fnmatch_lines(["*failure bundle*", "*kubeconfig*"])
    assert result.ret == 1


def test_a_folder_that_is_a_file_is_exit_code_4(pytester: pytest.Pytester) -> None:
    file = pytester.makefile(".txt", "no folder")

    result = pytester.runpytest_subprocess("--ipv6k8s-provider=kind", f"--ipv6k8s-bundle={file}")

    assert result.ret == 4
    result.stderr.fnmatch_lines(["*--ipv6k8s-bundle: *is no folder*"])
