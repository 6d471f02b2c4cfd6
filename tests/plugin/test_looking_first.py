"""What is wanted is settled before a cluster is touched: here none could be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.test_usage import KUBECONFIG

TOUCHED = "cannot be reached"
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])

SELECTIONS = {
    "-k=nope": (5, "nothing matches -k nope; no cluster was touched. `ipv6k8s list` has all"),
    "--ipv6k8s-check=SVC-77": (4, "there is no check SVC-77"),
    "--ipv6k8s-waive=SVC-99=x": (4, "there is no check SVC-99. See `ipv6k8s list`. Did you mean"),
    "-k=SVC-04 and not": (4, "Wrong expression passed to '-k'"),
    "nofolder/": (4, "file or directory not found: nofolder/"),
    "test_broken.py": (2, "No module named 'nowhere'"),
}


@pytest.fixture
def kubeconfig(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The kubeconfig of a cluster that nobody can reach."""
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.path / "state"))
    path = pytester.path / "kubeconfig"
    path.write_text(KUBECONFIG.format(server="https://[::1]:9", current="one"))
    return path


@WORKERS
@pytest.mark.parametrize("selection", SELECTIONS)
def test_a_selection_that_is_no_good_touches_no_cluster(
    pytester: pytest.Pytester, kubeconfig: Path, selection: str, workers: tuple[str, ...]
) -> None:
    code, words = SELECTIONS[selection]
    pytester.makepyfile(test_broken="import nowhere")

    result = pytester.runpytest_subprocess(
        f"--ipv6k8s-kubeconfig={kubeconfig}", selection, *workers
    )

    said = result.stdout.str() + result.stderr.str()
    assert result.ret == code, said
    assert words in said
    assert TOUCHED not in said
    assert "INTERNALERROR" not in said
    assert not list((pytester.path / "state").glob("**/state.json"))


@WORKERS
def test_what_is_selected_is_asked_for(
    pytester: pytest.Pytester, kubeconfig: Path, workers: tuple[str, ...]
) -> None:
    result = pytester.runpytest_subprocess(
        f"--ipv6k8s-kubeconfig={kubeconfig}", "-k", "SVC-01", *workers
    )

    assert result.ret == 4
    assert TOUCHED in result.stderr.str()


@WORKERS
def test_items_of_families_that_the_cluster_lacks_are_dropped(
    project: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    asked = ("--ipv6k8s-provider=kind", "test_checks.py", *workers)

    both = project.runpytest_subprocess(*asked, "-k", "T-08 or T-01")
    none = project.runpytest_subprocess(*asked, "-k", "T-08 and IPv4")

    both.assert_outcomes(passed=2, deselected=9)
    assert none.ret == 5


@pytest.mark.parametrize("option", ["--ipv6k8s-stack=dual", "--ipv6k8s-report=r.yaml"])
def test_an_option_without_a_cluster_is_refused_when_it_was_typed(
    pytester: pytest.Pytester, option: str
) -> None:
    pytester.makepyfile("def test_mine(): pass")

    typed = pytester.runpytest_subprocess(option)
    pytester.makeini(f"[pytest]\naddopts = {option}")
    waiting = pytester.runpytest_subprocess()

    assert typed.ret == 4
    named = option.partition("=")[0]
    told = f"*{named} is given, and no cluster. Give --ipv6k8s-kubeconfig*usual kubeconfig."
    typed.stderr.fnmatch_lines([told])
    waiting.assert_outcomes(passed=1)


def test_a_context_means_the_usual_kubeconfig(
    pytester: pytest.Pytester, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kubeconfig))

    result = pytester.runpytest_subprocess("--ipv6k8s-context=one", "-k", "SVC-01")

    assert result.ret == 4
    assert TOUCHED in result.stderr.str()
