"""The command ``ipv6k8s``: run the suite, and what there is to know without it."""

from __future__ import annotations

import argparse
import difflib
import os
import sys
import textwrap
import traceback
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, TextIO, cast

from pytest_ipv6k8s import __version__, catalogue
from pytest_ipv6k8s.addresses import Stack
from pytest_ipv6k8s.checks import Area, Check
from pytest_ipv6k8s.cli import cluster, report, run
from pytest_ipv6k8s.errors import ConfigError, Ipv6k8sError
from pytest_ipv6k8s.fixes import NETWORKS, fixes_of
from pytest_ipv6k8s.masking import MaskedStream, hold_environment
from pytest_ipv6k8s.profiles import PROFILES

OK, PROBLEM, BROKEN, USAGE = 0, 1, 3, 4


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one sub-command; whatever it says is without the secrets that we hold.

    Returns:
        0 when all is well, 1 when something was found, 3 when we broke, 4 for wrong usage or
        environment.
    """
    parser = _parser()
    own, handed = _parted(sys.argv[1:] if arguments is None else arguments)
    chosen, more = parser.parse_known_args(own)
    more += handed
    if more and not hasattr(chosen, "more"):
        parser.error(f"unrecognized arguments: {' '.join(more)}")
    chosen.more = more
    hold_environment()
    out, err = (cast("TextIO", MaskedStream(stream)) for stream in (sys.stdout, sys.stderr))
    with redirect_stdout(out), redirect_stderr(err):
        return _run(chosen)


def _run(chosen: argparse.Namespace) -> int:
    try:
        code: int = chosen.run(chosen)
        sys.stdout.flush()
    except Ipv6k8sError as error:
        print(f"ipv6k8s: {error}", file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except Exception:
        traceback.print_exc()
        return BROKEN
    return code


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ipv6k8s", description="IPv6 conformance of Kubernetes clusters.")
    version = f"ipv6k8s {__version__}"
    parser.add_argument("-V", "--version", action="version", version=version)
    parser.set_defaults(run=lambda chosen: _help(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    run.add(commands)
    _add_catalogue(commands)
    report.add(commands)

    command = commands.add_parser("doctor", help="say what keeps this machine from making clusters")
    command.add_argument("--provider", default="kind", help="for this provider (kind)")
    command.set_defaults(run=_doctor)

    cluster.add(commands)

    command = commands.add_parser("rbac", help="print the least rights that a run needs, as YAML")
    command.add_argument(
        "--pull-secret", action="store_true", help="also what --ipv6k8s-pull-secret needs"
    )
    command.add_argument(
        "--namespace", action="store_true", help="also what --ipv6k8s-namespace needs"
    )
    command.set_defaults(run=_rbac)

    command = commands.add_parser("reap", help="remove what killed runs left behind")
    command.add_argument(
        "--kept", nargs="?", const="", metavar="NAME", help="also clusters that were kept, or one"
    )
    command.add_argument("--kubeconfig", type=Path, help="remove left namespaces from this cluster")
    command.add_argument("--context", help="the kubeconfig's context to use")
    command.set_defaults(run=_reap)
    return parser


def _parted(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Return our own arguments, and what stands behind ``--`` for somebody else."""
    at = list(arguments).index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _help(parser: argparse.ArgumentParser) -> int:
    parser.print_help()
    return OK


def _add_catalogue(commands: Any) -> None:
    command = commands.add_parser("list", help="list the checks")
    command.add_argument("--stack", choices=[s.value for s in Stack], help="those for this stack")
    command.add_argument("--area", help="those of this area, such as SVC")
    command.add_argument("--profile", help="those of this profile, such as nat64")
    command.set_defaults(run=_list)

    command = commands.add_parser("explain", help="say what a check requires, and why it fails")
    command.add_argument("id", help="such as SVC-01")
    known = [network.value.lower() for network in NETWORKS]
    command.add_argument("--cni", choices=known, help="how to fix this network first")
    command.set_defaults(run=_explain)


def _list(chosen: argparse.Namespace) -> int:
    stack = Stack(chosen.stack) if chosen.stack else None
    area, known = (chosen.area or "").upper(), catalogue.checks()
    if area and area not in Area.__members__:
        remedy = f"give one of {', '.join(Area.__members__)}"
        raise ConfigError(f"there is no area {area}", remedy=remedy)
    if chosen.profile not in (None, *PROFILES):
        raise ConfigError(
            f"there is no profile {chosen.profile!r}",
            remedy=f"give one of {', '.join(PROFILES)}",
        )
    profile = PROFILES.get(chosen.profile)
    for id, declared in known.items():
        if (stack and stack not in declared.stacks) or (area and declared.area != area):
            continue
        weight = profile.part_of(declared) if profile else declared.level
        if weight is not None:
            print(f"{id:8} {weight.value:13} {declared.requirement}")
    return OK


def _explain(chosen: argparse.Namespace) -> int:
    known = catalogue.checks()
    id = chosen.id.upper()
    if id not in known:
        close = difflib.get_close_matches(id, known, n=3)
        remedy = f"did you mean {' or '.join(close)}?" if close else "see `ipv6k8s list`"
        raise ConfigError(f"there is no check {chosen.id!r}", remedy=remedy)
    print(_explained(known[id], chosen.cni))
    return OK


def _explained(declared: Check, cni: str | None) -> str:
    stacks = ", ".join(stack.value for stack in Stack if stack in declared.stacks)
    families = " and ".join(family.value for family in declared.families)
    lines = [
        f"{declared.id}  {declared.requirement}",
        "",
        *([textwrap.indent(declared.explanation, "    "), ""] if declared.explanation else []),
        f"level      {declared.level.value}",
        f"stacks     {stacks}" + (f"; once for {families}" if families else ""),
        *[f"needs      {feature.sentence}" for feature in declared.features],
        *[f"source     {reference}" for reference in declared.references],
        "",
        "Likely causes of a failure, in this order:",
        *[f"  {number}. {cause}" for number, cause in enumerate(declared.causes, 1)],
        "",
        *_fixed(declared.id, cni),
        f"Look further:  {declared.look}",
    ]
    return "\n".join(lines)


def _fixed(id: str, cni: str | None) -> list[str]:
    """Return how to fix it, by component, and an empty line; nothing where nothing is known."""
    known = sorted(fixes_of(id), key=lambda fix: fix.component.value.lower() != cni)
    lines = [
        f"  {fix.component.value:24} {fix.text}" + (f" ({fix.source})" if fix.source else "")
        for fix in known
    ]
    return ["How to fix it:", *lines, ""] if lines else []


def _doctor(chosen: argparse.Namespace) -> int:
    from pytest_ipv6k8s.clusters import ownership
    from pytest_ipv6k8s.clusters.contract import ClusterSpec, provider

    spec = ClusterSpec(run_id=ownership.new_run_id())
    problems = provider(chosen.provider).problems(spec)
    for problem in problems:
        print(f"problem  {problem.text}\nremedy   {problem.remedy}")
    if not problems:
        print(f"This machine is ready for provider {chosen.provider}.")
    return PROBLEM if problems else OK


def _rbac(chosen: argparse.Namespace) -> int:
    import yaml

    from pytest_ipv6k8s.kube import rights

    more = [
        *(rights.PULL_SECRET if chosen.pull_secret else ()),
        *(rights.GIVEN_NAMESPACE if chosen.namespace else ()),
    ]
    print(yaml.safe_dump_all(rights.manifest(more), sort_keys=False), end="")
    return OK


def _reap(chosen: argparse.Namespace) -> int:
    from pytest_ipv6k8s.clusters import ownership

    removed = ownership.reap(print, everything=chosen.kept == "", kept=chosen.kept or "")
    if chosen.kubeconfig is not None:
        removed += _reap_namespaces(chosen.kubeconfig, chosen.context)
    for name in removed:
        print(f"removed  {name}")
    if not removed:
        print("Nothing was left behind.")
    return OK


def _reap_namespaces(path: Path, context: str | None) -> list[str]:
    from pytest_ipv6k8s.kube import config
    from pytest_ipv6k8s.kube.client import Api
    from pytest_ipv6k8s.probe.removing import reap

    return reap(Api(config.read(path, context)))
