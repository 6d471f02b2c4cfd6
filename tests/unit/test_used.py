"""Which settings a run shows: what counts for its provider, and what was typed."""

from __future__ import annotations

import pytest

from pytest_ipv6k8s.plugin.used import in_use
from pytest_ipv6k8s.settings import resolve

LAB = {
    "IPV6K8S_CNI_CHART": "/c.tgz",
    "IPV6K8S_CNI_VALUES": "tunnel",
    "IPV6K8S_NODE_IMAGE": "n:1",
    "IPV6K8S_PROBE_IMAGE": "p:1",
    "IPV6K8S_TESTBED_IMAGE": "t:1",
    "IPV6K8S_K3S_DISABLE": "traefik",
}


@pytest.mark.parametrize(
    ("more", "used"),
    [
        ({"PROVIDER": "existing"}, {"probe_image"}),
        ({"PROVIDER": "existing", "EXTERNAL": "testbed"}, {"probe_image", "testbed_image"}),
        ({"PROVIDER": "kind"}, {"probe_image", "node_image", "testbed_image"}),
        ({"PROVIDER": "kind", "EXTERNAL": "none"}, {"probe_image", "node_image"}),
        (
            {"PROVIDER": "k3s", "CNI": "cilium"},
            {
                *("probe_image", "node_image", "testbed_image", "k3s_disable"),
                *("cni_chart", "cni_values"),
            },
        ),
    ],
)
def test_what_the_environment_has_for_other_runs_is_not_used(
    more: dict[str, str], used: set[str]
) -> None:
    given = {f"IPV6K8S_{name}": value for name, value in more.items()}

    found = {option.key for option in in_use(resolve({}, LAB | given, {}))}

    assert found == used | {name.lower() for name in more}


def test_what_was_typed_is_shown_whether_it_is_used_or_not() -> None:
    typed = {"ipv6k8s_provider": "existing", "ipv6k8s_node_image": "n:2"}

    found = [option.key for option in in_use(resolve(typed, LAB, {}))]

    assert found == ["provider", "node_image", "probe_image"]
