"""Programs that are recorded, not run: a container engine and what makes clusters in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from pytest_ipv6k8s.clusters import lifecycle, rollout
from pytest_ipv6k8s.clusters.preflight import HostFacts
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.process import CommandFailed, Finished, Progress

READY = HostFacts(
    has_engine=True,
    engine_error="",
    engine_is_here=True,
    free_bytes=10 << 30,
    ipv6_disabled=0,
    ipv6_forwarding=1,
    ipv4_forwarding=1,
    inotify_instances=512,
    inotify_watches=65536,
)


def network(*guests: str, ipv6: bool = True, ipv4: bool = True, subnets: Sequence[str] = ()) -> str:
    """Return what the engine tells of a network on which these containers are."""
    told = {
        "Name": "network",
        "EnableIPv6": ipv6,
        "EnableIPv4": ipv4,
        "IPAM": {"Config": [{"Subnet": subnet} for subnet in subnets]},
        "Containers": {guest: {} for guest in guests},
    }
    return json.dumps([told])


@dataclass(frozen=True)
class Ran:
    """A program that was run."""

    line: str
    stdin: str
    environment: Mapping[str, str]


class Engine:
    """Programs that do what is asked of them, but for those that a test lets fail.

    ``say`` holds, by the beginning of a command line, what a program does instead.
    """

    def __init__(self, usual: Mapping[str, str]) -> None:
        self.ran: list[Ran] = []
        self.say: dict[str, Finished | BaseException] = {}
        self.usual = dict(usual)
        self._breaks: tuple[int, BaseException] | None = None

    def breaks_off(self, *, after: int, how: BaseException) -> None:
        """Let the program break off that runs when so many have run."""
        self._breaks = (after, how)

    def stand_in(self, monkeypatch: pytest.MonkeyPatch, *modules: ModuleType) -> None:
        """Let these modules run our programs in place of the machine's."""
        for module in modules:
            for name in ("run", "must_run"):
                if hasattr(module, name):
                    monkeypatch.setattr(module, name, getattr(self, name))

    def waits(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let what waits for a cluster be a program as well."""

        def nodes_ready(api: Kubeconfig, *, timeout: float) -> None:
            self.must_run(["wait for nodes of", api.context], timeout=timeout)

        def workloads_ready(api: Kubeconfig, what: str, selector: str, *, timeout: float) -> None:
            self.must_run(["wait for", what], timeout=timeout)

        monkeypatch.setattr(lifecycle, "Api", lambda kubeconfig, timeouts: kubeconfig)
        monkeypatch.setattr(rollout, "nodes_ready", nodes_ready)
        monkeypatch.setattr(rollout, "workloads_ready", workloads_ready)

    def fails(self, beginning: str, err: str = "no") -> None:
        self.say[beginning] = Finished(command=(), code=1, out="", err=err)

    def run(
        self,
        command: Sequence[str | Path],
        *,
        timeout: float,
        stdin: str = "",
        environment: Mapping[str, str] | None = None,
        progress: Progress | None = None,
    ) -> Finished:
        line = " ".join(str(word) for word in command)
        self.ran.append(Ran(line, stdin, environment or {}))
        if self._breaks and len(self.ran) == self._breaks[0] + 1:
            raise self._breaks[1]
        for beginning, said in self.say.items():
            if line.startswith(beginning):
                if isinstance(said, BaseException):
                    raise said
                return replace(said, command=tuple(line.split()))
        fitting = [start for start in self.usual if line.startswith(start)]
        out = self.usual[max(fitting, key=len)] if fitting else ""
        return Finished(command=tuple(line.split()), code=0, out=out, err="")

    def must_run(self, command: Sequence[str | Path], **more: Any) -> str:
        finished = self.run(command, **more)
        if not finished.ok:
            raise CommandFailed(f"`{finished.command}` failed", finished=finished)
        return finished.out

    def lines(self, beginning: str = "") -> list[str]:
        return [ran.line for ran in self.ran if ran.line.startswith(beginning)]
