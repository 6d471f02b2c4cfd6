"""What stands when the checks may begin, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_ipv6k8s.kube import inventory
from pytest_ipv6k8s.probe import control
from pytest_ipv6k8s.probe.deploy import Deployed
from pytest_ipv6k8s.probe.placing import LeftOut, Placed, named
from pytest_ipv6k8s.reports import HarnessFact


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Probes that run on a cluster and are in order.

    Attributes:
        facts: what is known of the cluster.
        placed: where probes were wanted.
        deployed: what stands.
        controlled: what the control questions showed.
        upon: what others put upon the probes; empty when nothing.
    """

    facts: inventory.Inventory
    placed: Placed
    deployed: Deployed
    controlled: control.Controlled
    upon: str = ""

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The nodes without a probe."""
        return (*self.placed.left_out, *self.deployed.left_out)

    @property
    def lacking(self) -> list[str]:
        """What is in the way, a line for each kind: nodes without a probe, what was refused."""
        left_out = [f"left out: {named(self.left_out)}"] if self.left_out else []
        return [*left_out, *self.deployed.lacking, *filter(None, [self.upon])]

    def harness(self) -> list[HarnessFact]:
        """Return the facts about the probes."""
        total = len(self.facts.nodes)
        where = f"{total - len(self.left_out)} of {total} nodes have a probe"
        words = {
            ("META-04", "negative control"): self.controlled.negative,
            ("META-05", "probe servers and clocks"): self.controlled.servers,
            ("META-08", "probes"): "; ".join([where, *self.lacking]),
        }
        return [
            HarnessFact(id=id, title=title, ok=True, actual=actual)
            for (id, title), actual in words.items()
        ]
