"""The command that uses a kept cluster again."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_ipv6k8s.plugin.again import again
from pytest_ipv6k8s.settings import resolve

PLAIN = "ipv6k8s run --kubeconfig /k"


@pytest.mark.parametrize(
    ("given", "environment", "used", "more"),
    [
        ({}, {}, (), ""),
        ({}, {}, ("hosts",), " --ipv6k8s-allow=privileged"),
        ({}, {}, ("hosts", "testbed"), " --ipv6k8s-allow=privileged --ipv6k8s-external=testbed"),
        ({"external": "none"}, {}, (), " --ipv6k8s-external=none"),
        ({"external": "testbed"}, {}, ("testbed",), " --ipv6k8s-external=testbed"),
        ({}, {"external": "none"}, (), ""),
        ({}, {"provider": "kind"}, (), " --ipv6k8s-provider=existing"),
        ({"provider": "kind", "cni": "cilium", "keep": True, "check": ["SVC"]}, {}, (), ""),
        (
            {
                "stack": "dual",
                "probe_image": "mirror.example/p:1",
                "target": ["v6=[2001:db8::1]:443", "v4=192.0.2.1:443"],
                "enforces_policy": True,
                "label": ["token=s3cr3t-of-a-team"],
            },
            {},
            (),
            " --ipv6k8s-stack=dual --ipv6k8s-probe-image=mirror.example/p:1"
            " '--ipv6k8s-label=token=[redacted]' '--ipv6k8s-target=v6=[2001:db8::1]:443'"
            " --ipv6k8s-target=v4=192.0.2.1:443 --ipv6k8s-enforces-policy",
        ),
    ],
)
def test_a_kept_cluster_is_used_with_what_the_run_had_that_kept_it(
    given: dict[str, object], environment: dict[str, str], used: tuple[str, ...], more: str
) -> None:
    settings = resolve(
        {f"ipv6k8s_{key}": value for key, value in given.items()},
        {f"IPV6K8S_{key.upper()}": value for key, value in environment.items()},
        {},
    )

    command = again(settings, Path("/k"), hosts="hosts" in used, testbed="testbed" in used)

    assert command == PLAIN + more
