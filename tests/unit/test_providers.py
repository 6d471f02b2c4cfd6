"""Providers are found by their names, and each keeps the contract."""

from __future__ import annotations

import inspect

import pytest

from pytest_ipv6k8s.clusters.contract import ClusterProvider, provider, provider_names
from pytest_ipv6k8s.errors import ConfigError

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
