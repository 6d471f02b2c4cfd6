"""Providers are found by their names, and each keeps the contract."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_ipv6k8s.cli import main as cli
from pytest_ipv6k8s.clusters import ownership
from pytest_ipv6k8s.clusters.contract import ClusterProvider, provider, provider_names
from pytest_ipv6k8s.docker import Docker
from pytest_ipv6k8s.errors import ConfigError
from tests.packages import install

CONTRACT = ["create", "delete", "on_nodes", "problems"]


def test_the_contract_has_four_methods() -> None:
    assert [name for name in sorted(vars(ClusterProvider)) if not name.startswith("_")] == CONTRACT


def test_providers_are_listed_by_name() -> None:
    names = provider_names()

    assert names == sorted(names)
    assert {"existing", "k3s", "kind"} <= set(names)


@pytest.mark.parametrize("method", CONTRACT)
@pytest.mark.parametrize("name", provider_names())
def test_every_provider_keeps_the_contract(name: str, method: str) -> None:
    wanted = list(inspect.signature(getattr(ClusterProvider, method)).parameters)[1:]

    found = inspect.signature(getattr(provider(name), method))

    assert list(found.parameters) == wanted
    assert inspect.getdoc(getattr(provider(name), method))


def test_a_provider_that_is_misspelt_is_hinted_at() -> None:
    with pytest.raises(ConfigError) as caught:
        provider("knid")

    assert "unknown provider 'knid': available are existing, k3s, kind" in str(caught.value)
    assert "Did you mean 'kind'?" in str(caught.value)


@pytest.mark.parametrize("name", ["minikube", "", "../kind", "__init__"])
def test_an_unknown_provider_names_those_that_there_are(name: str) -> None:
    with pytest.raises(ConfigError, match="available are existing, k3s, kind"):
        provider(name)


SOURCE = """
class Ours:
    def problems(self, spec):
        return []
    def delete(self, name):
        (HERE / name).touch()

from pathlib import Path
HERE = Path(__file__).parent
PROVIDER = Ours()
"""
VALUE = {"ours": "our_clusters:PROVIDER"}


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of packages of other people, and an empty state folder."""
    folder = tmp_path / "site"
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    yield folder
    sys.modules.pop("our_clusters", None)


def test_a_provider_of_a_package_is_found(site: Path) -> None:
    install(site, "our_clusters", providers=VALUE, source=SOURCE)

    assert type(provider("ours")).__name__ == "Ours"
    assert set(provider_names()) == {"existing", "k3s", "kind", "ours"}


@pytest.mark.parametrize(
    ("providers", "name", "words"),
    [
        ({"kind": "our_clusters:PROVIDER"}, "kind", "from our_clusters and pytest-ipv6k8s"),
        ({"ours": "our_clusters:NOTHING"}, "ours", "of our_clusters cannot be loaded"),
        ({"ours": "our_cluster:PROVIDER"}, "ours", "of our_clusters cannot be loaded"),
    ],
)
def test_a_provider_of_a_package_that_is_no_good_is_refused(
    site: Path, providers: dict[str, str], name: str, words: str
) -> None:
    install(site, "our_clusters", providers=providers, source=SOURCE)

    with pytest.raises(ConfigError, match=words):
        provider(name)


def test_two_packages_with_one_name_are_refused(site: Path) -> None:
    install(site, "our_clusters", providers=VALUE, source=SOURCE)
    install(site, "their_clusters", providers=VALUE, source=SOURCE)

    with pytest.raises(ConfigError, match=r"more than once: from .*our_clusters"):
        provider("ours")


def test_the_doctor_and_the_reaper_know_the_provider_of_a_package(
    site: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(site, "our_clusters", providers=VALUE, source=SOURCE)
    ownership.save_state("abc", provider="ours", name="ipv6k8s-abc", kept=False)
    monkeypatch.setattr(ownership.Remembered, "is_running", False)
    monkeypatch.setattr(Docker, "has_image", lambda docker, image: True)

    assert cli.main(["doctor", "--provider", "ours"]) == 0
    assert cli.main(["reap"]) == 0

    output = capsys.readouterr().out
    assert "This machine is ready for provider ours." in output
    assert "removed  ipv6k8s-abc" in output
    assert (site / "ipv6k8s-abc").exists()
