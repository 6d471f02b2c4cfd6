"""A resolver answers for ipv4only.arpa with what somebody wrote by hand (RFC 8880)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import EXTERNAL_AREAS, Fault, before_kubernetes, expect_red
from tests.real import RealTestbed

pytestmark = pytest.mark.real_cluster
ANSWER = """
template IN {type} ipv4only.arpa {{
{answers}
}}
"""


@contextmanager
def answered(cluster: Cluster, kind: str, addresses: tuple[str, ...]) -> Iterator[None]:
    """Let CoreDNS answer for the well-known name itself."""
    answers = "\n".join(
        f'    answer "{{{{ .Name }}}} 60 IN {kind} {address}"' for address in addresses
    )
    with before_kubernetes(cluster, ANSWER.format(type=kind, answers=answers)):
        yield


FAULTS = {
    "two prefixes": Fault(
        broken=partial(
            answered, kind="AAAA", addresses=("2001:db8:64::192.0.0.170", "64:ff9b::192.0.0.171")
        ),
        must=frozenset({"N64-02"}),
        cause={"N64-02": "answered from a zone or a cache without DNS64"},
    ),
    "another address": Fault(
        broken=partial(answered, kind="A", addresses=("192.0.2.1",)),
        must=frozenset({"N64-04"}),
        cause={"N64-04": "rewrites or invents answers"},
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_well_known_name_is_answered(
    ipv6_cluster: Cluster, ipv6_testbed: RealTestbed, tmp_path: Path, fault: Fault
) -> None:
    expect_red(fault, ipv6_cluster, tmp_path, ipv6_testbed.option, *EXTERNAL_AREAS)
