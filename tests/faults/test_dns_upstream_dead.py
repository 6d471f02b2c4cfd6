"""One of the resolvers that CoreDNS forwards to is dead: look-ups wait for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, expect_red, other_corefile
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster


@contextmanager
def upstream_dead(cluster: Cluster) -> Iterator[None]:
    """Forward to an address where nobody answers, too."""
    with other_corefile(
        cluster, lambda text: re.sub(r"forward \. (\S+)", r"forward . \1 2001:db8:bad::1", text)
    ):
        yield


FAULT = Fault(
    broken=upstream_dead,
    must=frozenset({"DNS-19"}),
    cause={"DNS-19": "one of the resolvers"},
)


def test_dns_upstream_dead(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path
) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
