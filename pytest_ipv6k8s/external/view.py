"""External targets as checks see them, and whether they are themselves in order."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence

from pytest_ipv6k8s.addresses import Family, embed
from pytest_ipv6k8s.agent.ops import tcp_connect
from pytest_ipv6k8s.errors import ControlChannelError, Inconclusive
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.external.model import ExternalNetwork, Nat64, Role, Target
from pytest_ipv6k8s.probe.probes import Probe, ProbePod, Probes
from pytest_ipv6k8s.probe.session import Session
from pytest_ipv6k8s.timeouts import Timeouts


class ExternalTargets:
    """What a check may know of, and ask of, external targets.

    Args:
        network: what there is.
        hosts: those targets that can be asked, by role.
    """

    def __init__(self, network: ExternalNetwork, hosts: Mapping[Role, Probe]) -> None:
        self.network = network
        self._hosts = dict(hosts)

    def target(self, role: Role | str) -> Target:
        """Return the target for a role.

        Raises:
            Inconclusive: there is none; a check names the need for it.
        """
        found = self.network.find(Role(role))
        if found is None:
            raise Inconclusive(f"there is no target for the role {Role(role).value}")
        return found

    @property
    def ipv6_target(self) -> Target:
        """A target with IPv6, the dual-stack one where there is one.

        Raises:
            Inconclusive: there is none; a check names the need for it.
        """
        if self.network.ipv6_target is None:
            raise Inconclusive("there is no target with IPv6")
        return self.network.ipv6_target

    def address(self, role: Role | str, family: Family) -> str:
        """Return a target's address of a family.

        Raises:
            Inconclusive: it has none.
        """
        address = self.target(role).address(family)
        if not address:
            raise Inconclusive(f"target {Role(role).value} has no {family.value} address")
        return address

    def host(self, role: Role | str) -> Probe:
        """Return a target that can be asked, as a probe.

        Raises:
            Inconclusive: it cannot be asked.
        """
        found = self._hosts.get(Role(role))
        if found is None:
            raise Inconclusive(f"target {Role(role).value} cannot be asked")
        return found

    @property
    def nat64(self) -> Nat64:
        """The NAT64 gateway.

        Raises:
            Inconclusive: there is none.
        """
        if self.network.nat64 is None:
            raise Inconclusive("there is no NAT64 gateway")
        return self.network.nat64

    def synthetic(self, ipv4: str) -> str:
        """Return the IPv6 address under which the gateway's first prefix reaches an IPv4 one."""
        return embed(self.nat64.prefixes[0], ipv4)

    def control(self) -> list[str]:
        """Ask the targets of each other, without the cluster; return what is wrong with them.

        Raises:
            ControlChannelError: a target cannot be asked.
        """
        source = self._hosts.get(Role.DUAL)
        if source is None:
            return []
        reachable = [t for t in self.network.targets if t.tcp and t.role in self._hosts]
        wanted = [(a, t.tcp) for t in reachable for a in t.addresses]
        if self.network.nat64 and self.network.find(Role.V4):
            ipv4, port = self.address(Role.V4, Family.V4), self.target(Role.V4).tcp
            wanted += [(embed(p, ipv4), port) for p in self.network.nat64.prefixes]
        records = source.ask_all([tcp_connect.Request(a, port) for a, port in wanted])
        return [str(record) for record in records if not record.answer.connected]

    def out_of_order(self, probes: Probes) -> str:
        """Say what is wrong with the targets themselves; empty when they answer.

        A target that cannot be asked is taken to be alive when some probe of some node reaches it.
        """
        try:
            wrong = self.control()
        except ControlChannelError as error:
            return f"the targets cannot be asked: {error}"
        if wrong:
            return f"targets do not work: {'; '.join(wrong[:3])}"
        for target in self.network.targets:
            if target.tcp and target.role not in self._hosts and not _reached(target, probes):
                where = f"{target.role.value} at {', '.join(target.addresses)}"
                return f"no probe reaches target {where}, nor can it be asked: declare `ask`"
        return ""


def _reached(target: Target, probes: Probes) -> bool:
    records = probes.ask_each(
        lambda probe: [tcp_connect.Request(address, target.tcp) for address in target.addresses]
    )
    return any(record.answer.connected for record in records)


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
