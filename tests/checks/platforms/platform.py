"""What is declared of a platform."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pytest_ipv6k8s.features import Feature
from tests.checks.shape import Shape
from tests.checks.world import World

NO_DNS_SERVICE = {Feature.CLUSTER_DNS: "no Service has the address of the pods' nameserver"}
POOL = {Feature.NODE_POD_CIDRS: "the CNI has an IP pool of its own"}


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A healthy cluster as a platform makes it.

    Attributes:
        name: the platform's.
        sources: where its facts are from.
        told: in a phrase, what of it others have not.
        shape: the facts.
        lacks: features that are not there, each with the reason; their checks are skipped.
        areas: those whose checks are run; all, where it is empty.
        leaves_out: checks that find nothing there which they are about, each with the reason.
        prepare: what else is different in its world.
    """

    name: str
    sources: tuple[str, ...]
    told: str
    shape: Shape
    lacks: Mapping[Feature, str] = field(default_factory=dict)
    areas: tuple[str, ...] = ()
    leaves_out: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[World], None] = lambda world: None

    def world(self) -> World:
        """Return a world of its shape."""
        made = World(self.shape.stack, self.shape)
        self.prepare(made)
        return made
