"""The outside world of a run: declared or made, asked whether it is in order, taken away again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.errors import ControlChannelError, HostProblem, Inconclusive, Ipv6k8sError
from pytest_ipv6k8s.external.declaration import Declaration, read, with_targets
from pytest_ipv6k8s.external.model import World
from pytest_ipv6k8s.external.view import Outside, hosts
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.inventory import Inventory
from pytest_ipv6k8s.options import Outside as Wanted
from pytest_ipv6k8s.probe.zipapp import zipapp
from pytest_ipv6k8s.reports import HarnessFact
from pytest_ipv6k8s.settings import Settings
from pytest_ipv6k8s.testbed import testbed
from pytest_ipv6k8s.waiting import wait_until

_START = 20.0


class WorldLease:
    """Leads a cluster to its outside world.

    Args:
        settings: what was asked for.
        tell: told one line for each step.

    Raises:
        ConfigError: the declaration is no good.
    """

    def __init__(self, settings: Settings, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._built: testbed.Built | None = None
        path = settings.declaration
        by_file = read(path) if path else Declaration(stack=None, world=None)
        self.declared = with_targets(by_file, settings.target)

    def begin(
        self, api: Api, facts: Inventory, *, made: bool, run_id: str, home: Path
    ) -> World | None:
        """Return the world, None when there is none.

        Raises:
            HostProblem: one was asked for and cannot be made here.
        """
        wanted = self._settings.outside
        if wanted is Wanted.NONE:
            return None
        if wanted is Wanted.AUTO:
            if self.declared.world is not None:
                return self.declared.world
            if not made or Family.V6 not in facts.stack.families:
                return None
        try:
            return self._make(api, facts, run_id, home)
        except HostProblem as error:
            if wanted is Wanted.HERMETIC:
                raise
            self._tell(f"no outside world: {error}")
            return None

    def _make(self, api: Api, facts: Inventory, run_id: str, home: Path) -> World:
        settings = self._settings
        self._tell(f"making the outside world: egress {settings.egress.value}, NAT64, DNS64")
        plan = testbed.Plan(
            run_id=run_id,
            image=settings.outside_image,
            stack=facts.stack,
            nodes=facts.nodes,
            egress=settings.egress,
            dns64=settings.dns64.value,
        )
        self._built = testbed.build(plan, api, zipapp(), home, self._tell)
        return self._built.world

    def control(self, world: World, api: Api) -> HarnessFact:
        """Ask the targets of each other until they answer, and say whether they do (META-03)."""
        found, sessions = hosts(world, api.recorder, timeout_factor=self._settings.timeout_factor)
        outside = Outside(world, found)
        wrong: list[str] = []

        def in_order() -> bool:
            wrong[:] = outside.control()
            return not wrong

        try:
            wait_until("the targets answer", in_order, within=_START)
            seen, holds = f"{len(found)} of {len(world.targets)} targets can be asked", True
        except (ControlChannelError, Inconclusive) as error:
            seen, holds = "; ".join(wrong[:3]) or str(error), False
        finally:
            for session in sessions:
                session.close()
        return HarnessFact(id="META-03", title="target control", holds=holds, seen=seen)

    def end(self, api: Api | None) -> str:
        """Take a world away that was made here; return what went wrong, empty when nothing did.

        Args:
            api: the cluster's API server, None when the cluster goes as well.
        """
        built, self._built = self._built, None
        if built is None:
            return ""
        try:
            testbed.remove(built, api)
        except (Ipv6k8sError, Inconclusive) as error:
            return str(error)
        return ""
