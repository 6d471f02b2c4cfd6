"""The commands ``ipv6k8s init`` and ``ipv6k8s target``: what a cluster is, and a peer for it."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from typing import TYPE_CHECKING, Any

from pytest_ipv6k8s.cli import connection
from pytest_ipv6k8s.external.model import Role
from pytest_ipv6k8s.masking import one_line

if TYPE_CHECKING:
    from pytest_ipv6k8s.settings import Settings

OK = 0


def add(commands: Any) -> None:
    """Add the commands and their options."""
    command = commands.add_parser("init", help="print a declaration of a cluster, to be completed")
    connection.add(command)
    command.add_argument(
        "--probe",
        action="store_true",
        help="start a pod for a moment, and find NAT64, DNS64 and, with --target, egress",
    )
    command.add_argument(
        "--target", metavar="[ADDRESS]:agent", help="our agent outside, which `target` starts"
    )
    command.set_defaults(run=_init)

    command = commands.add_parser(
        "target", help="print the command that starts our agent on a host, as a target outside"
    )
    command.add_argument("host", nargs="?", default="HOST", help="where, as ssh knows it")
    roles = [role.value for role in (Role.DUAL, Role.V6, Role.V4)]
    command.add_argument("--role", choices=roles, default=roles[0], help="what it is for (dual)")
    command.add_argument("--docker", action="store_true", help="where the host has no Python 3.9")
    command.add_argument("--agent", action="store_true", help="write the agent itself")
    command.set_defaults(run=_target)


def _init(chosen: argparse.Namespace) -> int:
    from pytest_ipv6k8s import wanted
    from pytest_ipv6k8s.clusters import ownership
    from pytest_ipv6k8s.external import observed
    from pytest_ipv6k8s.external.declaration import draft
    from pytest_ipv6k8s.kube import inventory

    api = connection.api(chosen)
    facts = inventory.read(api)
    about = one_line(f"{facts.version}, CNI {facts.cni}, {facts.proxy}")
    text = draft(facts.stack, about=about, policy_engine=facts.policy_engine)
    if chosen.probe:
        how = wanted.manner(_settings())
        run_id, target = ownership.new_run_id(), chosen.target or ""
        found = observed.observe(api, facts, run_id=run_id, manner=how, target=target)
        text = observed.written(text, found, policy_engine=facts.policy_engine)
    print(text, end="")
    return OK


def _target(chosen: argparse.Namespace) -> int:
    """Print one command for a shell, and the option that names what it starts."""
    from pytest_ipv6k8s.probe.zipapp import zipapp

    if chosen.agent:
        sys.stdout.flush()
        os.write(1, zipapp())
        return OK
    names = {"POD_NAME": f"target-{chosen.role}", "NODE_NAME": "external"}
    there = " ".join(f"{key}={value}" for key, value in names.items())
    serve = f"exec env {there} python3 -I agent.pyz serve"
    if chosen.docker:
        variables = " ".join(f"-e {key}={value}" for key, value in names.items())
        serve = (
            f"exec docker run --rm --init --network host {variables} "
            f'-v "$PWD/agent.pyz:/agent.pyz:ro" {shlex.quote(_settings().cluster.probe_image)} '
            "python3 -I /agent.pyz serve"
        )
    remote = shlex.quote(f"cat > agent.pyz && {serve}")
    addresses = {"dual": ("[IPV6]", "IPV4"), "v6": ("[IPV6]",), "v4": ("IPV4",)}[chosen.role]
    options = " ".join(f"--ipv6k8s-target '{chosen.role}={a}:agent'" for a in addresses)
    print(f"ipv6k8s target --agent | ssh {shlex.quote(chosen.host)} {remote}")
    print("# It serves until you press Ctrl-C, on TCP 8080, 8081, 8083, 8084 and UDP 8082, and")
    print("# answers everybody: open these ports to your cluster only. Then, with its addresses:")
    print(f"# ipv6k8s run {options}")
    return OK


def _settings() -> Settings:
    from pytest_ipv6k8s.settings import resolve

    return resolve({}, os.environ, {})
