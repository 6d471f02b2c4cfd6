"""On one node the ports of the bridge turn nothing back: no pod reaches itself by a Service."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_ipv6k8s.clusters.contract import Cluster
from tests.faults.fault import Fault, expect_red
from tests.real import on_node

pytestmark = pytest.mark.real_cluster
# Pods come while it is broken, so it is done again and again, until the file is gone.
FILE = "/run/ipv6k8s-fault-hairpin"
SET = "for port in $(ls /sys/class/net/cni0/brif); do bridge link set dev $port hairpin {}; done"
OFF = f"""
touch {FILE}
cat > {FILE}.sh <<'END'
while [ -e {FILE} ]; do
  {SET.format("off")}
  sleep 0.05
done
END
setsid sh {FILE}.sh >/dev/null 2>&1 </dev/null &
"""
ON = f"rm -f {FILE} {FILE}.sh; sleep 0.5; {SET.format('on')} || true"


@contextmanager
def hairpin_off(cluster: Cluster) -> Iterator[None]:
    """Take hairpin mode from each port of the worker's bridge."""
    worker = f"{cluster.name}-worker"
    on_node(worker, OFF)
    try:
        yield
    finally:
        on_node(worker, ON)


FAULT = Fault(
    broken=hairpin_off,
    must=frozenset({"SVC-05"}),
    may=frozenset({"SVC-06"}),
    cause={"SVC-05": "hairpin mode is off on the bridge port"},
)


def test_hairpin_off_on_one_node(ipv6_cluster: Cluster, tmp_path: Path) -> None:
    expect_red(FAULT, ipv6_cluster, tmp_path)
