"""The external targets of a run: declared, or the testbed's; checked first, removed at its end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pytest_ipv6k8s import wanted
from pytest_ipv6k8s.addresses import Egress, Family
from pytest_ipv6k8s.docker import Docker
from pytest_ipv6k8s.errors import (
    ClusterError,
    ConfigError,
    ControlChannelError,
    HostProblem,
    Inconclusive,
    Ipv6k8sError,
)
from pytest_ipv6k8s.external.model import NO_TARGETS, ExternalNetwork
from pytest_ipv6k8s.external.view import ExternalTargets, hosts
from pytest_ipv6k8s.kube.client import Api
from pytest_ipv6k8s.kube.coredns import DnsDown
from pytest_ipv6k8s.kube.inventory import Inventory
from pytest_ipv6k8s.probe.zipapp import zipapp
from pytest_ipv6k8s.reports import HarnessFact
from pytest_ipv6k8s.settings import External, Settings
from pytest_ipv6k8s.testbed import testbed
from pytest_ipv6k8s.timeouts import Timeouts
from pytest_ipv6k8s.waiting import wait_until


class ExternalSetup:
    """Gives a cluster its external targets.

    Args:
        settings: what was asked for.
        tell: called with one line for each step.
        timeouts: of all that is waited for.

    Raises:
        ConfigError: the declaration is no good.
    """

    def __init__(self, settings: Settings, tell: Callable[[str], None], timeouts: Timeouts) -> None:
        self._settings = settings
        self._tell = tell
        self._timeouts = timeouts
        self._docker = Docker(timeouts=timeouts)
        self._built: testbed.Testbed | None = None
        self.lacking: tuple[str, ...] = ()
        self.harness: list[HarnessFact] = []
        self.declared = wanted.declaration(settings)
        if settings.external.egress is Egress.GATEWAY and self.declared.external is None:
            raise ConfigError(
                "--ipv6k8s-egress gateway: the testbed makes no egress gateway",
                remedy="give the targets that see yours, with --ipv6k8s-target",
            )

    def begin(
        self,
        api: Api,
        facts: Inventory,
        *,
        owned: bool,
        run_id: str,
        home: Path,
        used: bool = True,
    ) -> ExternalNetwork | None:
        """Return what there is beyond the cluster, None when there is nothing.

        A cluster that is too broken for the testbed is judged without it: ``lacking`` says so, and
        ``harness`` where that is the cluster's own trouble.

        Raises:
            HostProblem: the testbed was asked for and cannot be built here.
        """
        source = self._settings.external.source
        if source is External.NONE:
            return None
        if source is External.AUTO:
            if self.declared.external is not None:
                return self.declared.external
            if not owned or Family.V6 not in facts.stack.families:
                return None
        if not used:
            return None
        try:
            return self._make(api, facts, run_id, home)
        except HostProblem as error:
            if source is External.TESTBED:
                raise
            self._do_without(error)
        except (ClusterError, ControlChannelError, Inconclusive) as error:
            if isinstance(error, DnsDown):
                self.harness.append(_fact(ok=False, actual=str(error)))
            self._do_without(error)
        return None

    def _do_without(self, error: Exception) -> None:
        self.lacking = (f"{NO_TARGETS}: {error}",)
        self._tell(*self.lacking)

    def _make(self, api: Api, facts: Inventory, run_id: str, home: Path) -> ExternalNetwork:
        settings = self._settings.external
        egress = settings.egress or Egress.MASQUERADE
        self._tell(f"building the testbed: egress {egress.value}, NAT64, DNS64")
        plan = testbed.Plan(
            run_id=run_id,
            image=settings.testbed_image,
            stack=facts.stack,
            nodes=facts.nodes,
            egress=egress,
            dns64=settings.dns64.value,
        )
        self._built = testbed.build(plan, api, zipapp(), home, self._tell, self._docker)
        return self._built.external

    def control(self, external: ExternalNetwork, api: Api) -> HarnessFact:
        """Ask the targets of each other until they answer, and say whether they do (META-03)."""
        found, sessions = hosts(external, api.recorder, timeouts=self._timeouts)
        targets = ExternalTargets(external, found)
        wrong: list[str] = []

        def in_order() -> bool:
            wrong[:] = targets.control()
            return not wrong

        try:
            wait_until("the targets answer", in_order, timeout=self._timeouts.targets_answer)
            actual, ok = f"{len(found)} of {len(external.targets)} targets can be asked", True
        except (ControlChannelError, Inconclusive) as error:
            actual, ok = "; ".join(wrong[:3]) or str(error), False
        finally:
            for session in sessions:
                session.close()
        return _fact(ok=ok, actual=actual)

    def end(self, api: Api | None) -> str:
        """Remove the testbed, if this run built one; return what went wrong, or nothing.

        Args:
            api: the cluster's API server, None when the cluster goes as well.
        """
        built, self._built = self._built, None
        if built is None:
            return ""
        try:
            testbed.remove(built, api, self._docker)
        except (Ipv6k8sError, Inconclusive) as error:
            return str(error)
        return ""


def _fact(*, ok: bool, actual: str) -> HarnessFact:
    return HarnessFact(id="META-03", title="target control", ok=ok, actual=actual)
