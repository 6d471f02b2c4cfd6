"""The one door to the container engine: images, networks and containers."""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.addresses import Family, overlaps
from pytest_ipv6k8s.errors import HostProblem
from pytest_ipv6k8s.process import CommandFailed, Finished, Progress, must_run, run
from pytest_ipv6k8s.threads import at_once
from pytest_ipv6k8s.timeouts import Timeouts

LABEL = "ipv6k8s.run"
ENGINE = "docker"
"""The engine's program. Podman and nerdctl tell of networks in other words than it does."""

OTHERS = ("podman", "nerdctl")
"""Engines that kind has beside it (KIND_EXPERIMENTAL_PROVIDER)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineInfo:
    """The engine, as its client tells; ``error`` is why it does not, empty when it does."""

    error: str = ""
    operating_system: str = ""
    data_folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Docker:
    """The engine that the program ``docker`` talks to.

    What changes something, and what has to be known, raises ``HostProblem`` when it fails.
    """

    timeouts: Timeouts = field(default_factory=Timeouts)

    def with_timeouts(self, timeouts: Timeouts) -> Docker:
        """Return the same engine with other timeouts."""
        return replace(self, timeouts=timeouts)

    def info(self) -> EngineInfo:
        """Return what the engine tells of itself; never raises."""
        template = "{{.OperatingSystem}}|{{.DockerRootDir}}"
        try:
            asked = self._ask("info", "--format", template)
        except CommandFailed as error:
            return EngineInfo(error=str(error))
        if not asked.ok:
            return EngineInfo(error=asked.last_words or "docker info failed")
        system, _, folder = asked.out.strip().partition("|")
        return EngineInfo(operating_system=system, data_folder=folder)

    def api_version(self) -> tuple[int, int]:
        """Return the version of the API that the engine and its client agree on."""
        asked = self._must_ask("version", "--format", "{{.Client.APIVersion}}")
        major, _, minor = asked.strip().partition(".")
        return int(major), int(minor)

    # Images

    def has_image(self, image: str) -> bool:
        """Tell whether an image is on this machine."""
        return self._ask("image", "inspect", image).ok

    def can_pull(self, image: str) -> bool:
        """Tell whether a registry has an image; pulls nothing."""
        try:
            return self._ask("manifest", "inspect", image).ok
        except CommandFailed:
            return False

    def require_image(self, image: str, what: str, option: str, progress: Progress) -> None:
        """Make sure that there is an image: it is here, or it can be pulled.

        Args:
            image: its reference.
            what: what it is for, for progress and errors.
            option: the option with which another can be given.
            progress: told when it has to be pulled, and how that goes.
        """
        if self.has_image(image):
            return
        progress(f"pulling {what} {image}")
        timeout = self.timeouts.image_pull
        try:
            must_run([ENGINE, "pull", image], timeout=timeout, progress=progress)
        except CommandFailed as error:
            finished = error.finished
            reason = finished.last_words if finished else f"no image after {timeout:.0f} s"
            raise HostProblem(
                f"{what} {image} is not on this machine and cannot be pulled: {last_line(reason)}",
                remedy=f"pull it beforehand, or give another with {option}",
            ) from None

    def build_image(self, tag: str, folder: Path, progress: Progress) -> None:
        """Build an image from the Dockerfile in a folder."""
        must_run(
            [ENGINE, "build", "--tag", tag, folder],
            timeout=self.timeouts.testbed_build,
            progress=progress,
        )

    def save_image(self, image: str, archive: Path) -> None:
        """Write an image to a file."""
        must_run([ENGINE, "save", "--output", archive, image], timeout=self.timeouts.image_copy)

    def entrypoint(self, image: str) -> list[str]:
        """Return the command line with which an image starts."""
        template = "{{json .Config.Entrypoint}}"
        found = self._must_ask("image", "inspect", "--format", template, image)
        return list(json.loads(found) or [])

    # Networks

    def subnets(self) -> dict[str, tuple[str, ...]]:
        """Return the subnets of all networks, by the network's name."""
        ids = self._must_ask("network", "ls", "--quiet").split()
        if not ids:
            return {}
        found = json.loads(self._must_ask("network", "inspect", *ids))
        return {network["Name"]: _subnets(network) for network in found}

    def make_network(
        self,
        name: str,
        run_id: str,
        families: Collection[Family],
        *,
        avoid: Sequence[str] = (),
        fixed: bool = False,
    ) -> tuple[str, ...]:
        """Make a bridge network of just these families; IPv6 is a unique local /64 (RFC 4193).

        Args:
            name: of the network.
            run_id: goes into its label.
            families: without IPv4 it is IPv6-only, which an engine may not know.
            avoid: ranges that it must not overlap.
            fixed: containers are to choose their own addresses, which the engine allows only in
                subnets that were given.

        Returns:
            Its subnets.
        """
        chosen = [_unique_local_subnet(avoid)] if Family.V6 in families else []
        made = self._create_network(name, run_id, families, chosen)
        if fixed and Family.V4 in families:  # the engine knows best which IPv4 subnets are free
            chosen = list(made)
            self._change("network", "rm", name)
            made = self._create_network(name, run_id, families, chosen)
        overlapping = [pair for pair in overlaps([*made, *avoid]) if pair[0] in made]
        if overlapping:
            subnet, cidr = overlapping[0]
            raise HostProblem(
                f"the container engine chose {subnet} for its network, which overlaps {cidr}",
                remedy="give other ranges with --ipv6k8s-pod-cidr and --ipv6k8s-service-cidr",
            )
        return made

    def _create_network(
        self, name: str, run_id: str, families: Collection[Family], chosen: Sequence[str]
    ) -> tuple[str, ...]:
        options = ["--driver", "bridge", "--label", f"{LABEL}={run_id}"]
        if Family.V4 not in families:
            options += ["--ipv4=false"]
        if Family.V6 in families:
            options += ["--ipv6"]
        for subnet in chosen:
            options += ["--subnet", subnet]
        self._change("network", "create", *options, name)
        (found,) = json.loads(self._must_ask("network", "inspect", name))
        _require_families(found, families)
        return _subnets(found)

    def remove_network(self, name: str) -> None:
        """Remove a network and all containers on it; it is fine when there is none."""
        network = self._ask("network", "inspect", name)
        if not network.ok:
            return
        self.remove_containers([*json.loads(network.out)[0]["Containers"]])
        self._change("network", "rm", name)

    # Containers

    def start(self, arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start a container in the background.

        Args:
            arguments: of ``docker run --detach``: options, image, command.
            environment: variables that ``--env NAME`` hands on without writing them down.
        """
        command = [ENGINE, "run", "--detach", *arguments]
        must_run(command, timeout=self.timeouts.docker_change, environment=environment)

    def exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        timeout: float | None = None,
        stdin: str = "",
        options: Sequence[str] = (),
    ) -> Finished:
        """Run a program in a container; a non-zero exit code is no error here.

        Args:
            container: its name.
            command: program and arguments.
            timeout: seconds; by default those of a query.
            stdin: what it may read.
            options: of ``docker exec``, such as ``--env NAME=VALUE``.

        Raises:
            CommandFailed: the time was up.
        """
        return run(
            _exec(container, command, stdin, options),
            timeout=timeout or self.timeouts.docker_query,
            stdin=stdin,
        )

    def must_exec(
        self,
        container: str,
        command: Sequence[str],
        *,
        timeout: float | None = None,
        stdin: str = "",
        options: Sequence[str] = (),
    ) -> str:
        """Run a program in a container that has to succeed and return its standard output.

        Raises:
            CommandFailed: as :meth:`exec`, and for any exit code but 0.
        """
        return must_run(
            _exec(container, command, stdin, options),
            timeout=timeout or self.timeouts.docker_query,
            stdin=stdin,
        )

    def exec_all(self, containers: Sequence[str], script: str, *, timeout: float) -> dict[str, str]:
        """Run a shell script in containers, side by side.

        Args:
            containers: their names.
            script: for sh.
            timeout: seconds for each of them.

        Returns:
            The output by the container's name; why, of one in which it did not run.
        """

        def ask(container: str) -> str:
            try:
                done = self.exec(container, ["sh", "-c", script], timeout=timeout)
            except CommandFailed as error:
                return str(error)
            return done.out or done.last_words

        return dict(zip(containers, at_once(ask, containers), strict=True))

    def copy_into(self, container: str, source: str | Path, target: str) -> None:
        """Copy a file, or with ``/.`` what is in a folder, into a container."""
        command = [ENGINE, "cp", source, f"{container}:{target}"]
        must_run(command, timeout=self.timeouts.image_copy)

    def containers(self, run_id: str) -> list[str]:
        """Return the names of all containers of a run, also of those that ended."""
        label = f"label={LABEL}={run_id}"
        found = self._must_ask("ps", "--all", "--filter", label, "--format", "{{.Names}}")
        return sorted(found.split())

    def exists(self, container: str) -> bool:
        """Tell whether there is a container, running or not."""
        return self._ask("container", "inspect", container).ok

    def is_running(self, container: str) -> bool:
        """Tell whether a container runs."""
        found = self._ask("inspect", "--format", "{{.State.Running}}", container)
        return found.out.strip() == "true"

    def networks_of(self, container: str) -> dict[str, Any]:
        """Return a container's networks by name, as the engine tells them."""
        template = "{{json .NetworkSettings.Networks}}"
        found: dict[str, Any] = json.loads(
            self._must_ask("inspect", "--format", template, container)
        )
        return found

    def published_port(self, container: str, port: int) -> int:
        """Return the port of this machine that leads to a TCP port of a container."""
        published = self._must_ask("port", container, f"{port}/tcp")
        return int(published.split()[0].rpartition(":")[2])

    def logs(self, container: str, *, lines: int) -> list[str]:
        """Return the last lines of a container's output."""
        found = self._ask("logs", "--tail", str(lines), container)
        return (found.out + found.err).strip().splitlines()

    def remove_containers(self, names: Sequence[str]) -> None:
        """Remove containers and their volumes; it is fine when there are none."""
        if names:
            self._change("rm", "--force", "--volumes", *names)

    def _ask(self, *arguments: str) -> Finished:
        return run([ENGINE, *arguments], timeout=self.timeouts.docker_query)

    def _must_ask(self, *arguments: str) -> str:
        return must_run([ENGINE, *arguments], timeout=self.timeouts.docker_query)

    def _change(self, *arguments: str) -> None:
        must_run([ENGINE, *arguments], timeout=self.timeouts.docker_change)


def is_installed() -> bool:
    """Tell whether the engine's client is on PATH."""
    return shutil.which(ENGINE) is not None


def other_engines() -> list[str]:
    """Return which engines that we cannot use are on PATH."""
    return [name for name in OTHERS if shutil.which(name)]


def _exec(container: str, command: Sequence[str], stdin: str, options: Sequence[str]) -> list[str]:
    interactive = ["-i"] if stdin else []
    return [ENGINE, "exec", *interactive, *options, container, *command]


def _require_families(network: Mapping[str, Any], families: Collection[Family]) -> None:
    if Family.V6 in families and not network.get("EnableIPv6"):
        raise HostProblem(
            "the container engine makes no networks with IPv6",
            remedy='put "ipv6": true and "ip6tables": true into /etc/docker/daemon.json',
        )
    if Family.V4 not in families and network.get("EnableIPv4", True):
        raise HostProblem(
            "the container engine makes no networks without IPv4",
            remedy="install Docker Engine 28 or newer",
        )


def _unique_local_subnet(avoid: Sequence[str]) -> str:
    for _ in range(100):
        subnet = f"fd{secrets.token_hex(1)}:{secrets.token_hex(2)}:{secrets.token_hex(2)}::/64"
        if not any(subnet in pair for pair in overlaps([subnet, *avoid])):
            return subnet
    raise HostProblem(
        "the ranges of pods and Services leave no room in fd00::/8 for a network",
        remedy="give a smaller range with --ipv6k8s-pod-cidr",
    )


def _subnets(network: Mapping[str, Any]) -> tuple[str, ...]:
    configured = (network.get("IPAM") or {}).get("Config") or []
    return tuple(entry["Subnet"] for entry in configured if entry.get("Subnet"))


def last_line(text: str) -> str:
    """Return the last line of a program's output, short enough for an error message."""
    return (text.strip().splitlines() or [""])[-1][:300]


def reason(error: CommandFailed) -> str:
    """Return the last line of a program's output, or why there is none."""
    return last_line(error.finished.last_words if error.finished else str(error))
