"""External targets as checks see them, and whether they are themselves in order."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Callable, Collection, Mapping, Sequence

from pytest_ipv6k8s.addresses import Family, embed
from pytest_ipv6k8s.agent.ops import tcp_connect
from pytest_ipv6k8s.errors import ControlChannelError, Inconclusive
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.external.model import SILENT, TESTBED, ExternalNetwork, Nat64, Role, Target
from pytest_ipv6k8s.probe.probes import Probe, ProbePod, Probes
from pytest_ipv6k8s.probe.session import Session
from pytest_ipv6k8s.timeouts import Timeouts


class ExternalTargets:
    """What a check may know of, and ask of, external targets.

    It remembers which targets were used, and whether NAT64 was, until :meth:`forget_used`: when a
    check fails, these are looked at, and no others.

    Args:
        network: what there is.
        hosts: those targets that can be asked, by role.
    """

    def __init__(self, network: ExternalNetwork, hosts: Mapping[Role, Probe]) -> None:
        self.network = network
        self._hosts = dict(hosts)
        self._used: set[Role] = set()
        self._nat64_used = False

    def forget_used(self) -> None:
        """Forget which targets were used: another check begins."""
        self._used.clear()
        self._nat64_used = False

    def target(self, role: Role | str) -> Target:
        """Return the target for a role.

        Raises:
            Inconclusive: there is none; a check names the need for it.
        """
        found = self.network.find(Role(role))
        if found is None:
            raise Inconclusive(f"there is no target for the role {Role(role).value}")
        self._used.add(found.role)
        return found

    def ipv6_target_with(self, *parts: str) -> Target:
        """Return a target with IPv6, the dual-stack one if it will do.

        Args:
            parts: attributes of it that must be declared.

        Raises:
            Inconclusive: there is none; a check names the need for it.
        """
        found = self.network.ipv6_target_with(*parts)
        if found is None:
            raise Inconclusive(f"there is no target with IPv6 and {', '.join(parts)}")
        self._used.add(found.role)
        return found

    def address(self, role: Role | str, family: Family) -> str:
        """Return a target's address of a family.

        Raises:
            Inconclusive: it has none.
        """
        address = self.target(role).address(family)
        if not address:
            raise Inconclusive(f"target {Role(role).value} has no {family.value} address")
        return address

    def others(self, role: Role | str, family: Family = Family.V6) -> list[Probe]:
        """Return the targets of a family that can be asked, without a certain one.

        What one sees of another came from elsewhere, and passed the filters before that one.
        """
        found = (self.network.find(other) for other in Role if other is not Role(role))
        return [self._hosts[t.role] for t in found if t and t.ask and t.address(family)]

    def host(self, role: Role | str) -> Probe:
        """Return a target that can be asked, as a probe.

        Raises:
            Inconclusive: it cannot be asked.
        """
        found = self._hosts.get(Role(role))
        if found is None:
            raise Inconclusive(f"target {Role(role).value} cannot be asked")
        self._used.add(Role(role))
        return found

    @property
    def nat64(self) -> Nat64:
        """The NAT64 gateway.

        Raises:
            Inconclusive: there is none.
        """
        if self.network.nat64 is None:
            raise Inconclusive("there is no NAT64 gateway")
        self._nat64_used = True
        return self.network.nat64

    def synthetic(self, ipv4: str) -> str:
        """Return the IPv6 address under which the gateway's first prefix reaches an IPv4 one."""
        return embed(self.nat64.prefixes[0], ipv4)

    def control(self, roles: Collection[Role] = tuple(Role), *, nat64: bool = True) -> list[str]:
        """Ask the targets of each other, without the cluster; return what is wrong with them.

        The testbed's NAT64 gateways are targets, too. An operator's belongs to what is tested, and
        targets need not have a way to it.

        Args:
            roles: those to ask of.
            nat64: whether to ask by NAT64, too.

        Raises:
            ControlChannelError: a target cannot be asked.
        """
        source = self._hosts.get(Role.DUAL)
        if source is None:
            return []
        there = [target for target in self.network.targets if _port(target)]
        asked = [target for target in there if target.role in roles]
        wanted = [(a, _port(t)) for t in asked if t.role in self._hosts for a in t.addresses]
        if self.network.source == TESTBED and self.network.nat64 and nat64:
            wanted += [
                (embed(prefix, target.address(Family.V4)), _port(target))
                for target in there
                if target.role is Role.V4
                for prefix in self.network.nat64.prefixes
            ]
        records = source.ask_all([tcp_connect.Request(a, port) for a, port in wanted])
        return [str(record) for record in records if not record.answer.connected]

    def out_of_order(self, probes: Probes) -> str:
        """Say what is wrong with the targets that were used; empty when they answer.

        A target that cannot be asked is taken to be alive when some probe of some node reaches it.
        """
        try:
            wrong = self.control(self._used, nat64=self._nat64_used)
        except ControlChannelError as error:
            return f"the targets cannot be asked: {error}"
        if wrong:
            return f"targets do not work: {'; '.join(wrong[:3])}"
        for target in self.network.targets:
            unasked = target.role in self._used and target.role not in self._hosts
            if unasked and not self._is_reached(target, probes):
                where = f"{target.role.value} at {', '.join(target.addresses)}"
                return f"no probe reaches target {where}, nor can it be asked: declare `ask`"
        return ""

    def _is_reached(self, target: Target, probes: Probes) -> bool:
        """Tell whether any probe gets a connection; also where there is no way to try."""
        if target.role in SILENT or not _port(target):
            return True
        records = probes.ask_each(
            lambda probe: [
                tcp_connect.Request(address, _port(target))
                for address in self._ways_to(target, probe)
            ]
        )
        return not records or any(record.answer.connected for record in records)

    def _ways_to(self, target: Target, probe: Probe) -> list[str]:
        """Return the addresses by which a probe can reach a target, as checks try them."""
        families = {Family.of(ip) for ip in probe.pod.ips}
        if self.network.clat:
            families.add(Family.V4)
        found = [address for address in target.addresses if Family.of(address) in families]
        ipv4 = target.address(Family.V4)
        if ipv4 and self.network.nat64 and Family.V6 in families:
            found += [embed(prefix, ipv4) for prefix in self.network.nat64.prefixes]
        return found


def _port(target: Target) -> int:
    """Return a port at which connections are taken; 0 when there is none."""
    return target.tcp or target.http


def hosts(
    network: ExternalNetwork, recorder: Recorder, *, timeouts: Timeouts
) -> tuple[dict[Role, Probe], list[Session]]:
    """Return the targets that can be asked, by role, and their sessions; nothing is opened yet."""
    found, sessions = {}, []
    for target in network.targets:
        if target.ask:
            session = Session(_opener(target.ask), timeouts=timeouts)
            sessions.append(session)
            pod = ProbePod(
                name=f"target-{target.role.value}",
                namespace="",
                node="external",
                ips=target.addresses,
                host_ips=(),
            )
            found[target.role] = Probe(pod, session, recorder)
    return found, sessions


def _opener(command: Sequence[str]) -> Callable[[], ProcessStream]:
    return lambda: ProcessStream(command)


class ProcessStream:
    """An agent's standard input and output, over a program of this machine such as ssh.

    Raises:
        ControlChannelError: it cannot be started.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._name = " ".join(command[:4])
        self._rest = b""
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise ControlChannelError(f"{self._name}: {error.strerror}") from None

    def write(self, data: bytes) -> None:
        """Send bytes to the agent.

        Raises:
            ControlChannelError: it is gone.
        """
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(data)
        except OSError as error:
            raise ControlChannelError(f"{self._name}: {error.strerror}") from None

    def read_line(self, deadline: float) -> bytes:
        """Return the agent's next line.

        Args:
            deadline: by ``time.monotonic()``, in seconds.

        Raises:
            ControlChannelError: it ended, or the time was up.
        """
        assert self._process.stdout is not None
        while b"\n" not in self._rest:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._process.stdout], [], [], left)[0]:
                raise ControlChannelError(f"{self._name}: no answer in time")
            data = os.read(self._process.stdout.fileno(), 65536)
            if not data:
                raise ControlChannelError(f"{self._name}: ended")
            self._rest += data
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def close(self) -> None:
        """End the program."""
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        try:
            self._process.wait(timeout=2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
