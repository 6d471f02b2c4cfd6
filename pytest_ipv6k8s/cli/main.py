"""The command ``ipv6k8s``: run the suite, and what there is to know without it."""

from __future__ import annotations

import argparse
import os
import re
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TextIO, cast

from pytest_ipv6k8s import __version__
from pytest_ipv6k8s.cli import (
    asking,
    bundle,
    checks,
    cluster,
    completion,
    doctor,
    images,
    report,
    run,
    tracing,
)
from pytest_ipv6k8s.errors import Ipv6k8sError
from pytest_ipv6k8s.masking import MaskedStream, hold_environment
from pytest_ipv6k8s.suggestions import alike

OK, PROBLEM, BROKEN, USAGE = 0, 1, 3, 4
_VERSION = f"ipv6k8s {__version__}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one sub-command; whatever it says is without the secrets that we hold.

    Returns:
        0 when all is well, 1 when something was found, 3 when we broke, 4 for wrong usage or
        environment.
    """
    parser = _parser()
    words = list(sys.argv[1:] if arguments is None else arguments)
    own, handed = run.parted(words) if words[:1] == ["run"] else (words, [])
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
        wrong = re.search(r"invalid choice: '(.+?)' \(choose from (.+)\)", message)
        close = alike(wrong[1], re.findall(r"[\w-]+", wrong[2])) if wrong else ""
        message += f". Did you mean {close}?" if close else ""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="ipv6k8s", description="IPv6 conformance of Kubernetes clusters.")
    parser.add_argument("-V", "--version", action="version", version=_VERSION)
    parser.set_defaults(run=lambda chosen: _help(parser))
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    run.add(commands)
    checks.add(commands)
    report.add(commands)

    doctor.add(commands)
    cluster.add(commands)
    images.add(commands)
    asking.add(commands)
    tracing.add(commands)
    bundle.add(commands)
    completion.add(commands, parser)

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

    command = commands.add_parser("version", help="print the version, as -V does")
    command.set_defaults(run=lambda chosen: _version())
    return parser


def _help(parser: argparse.ArgumentParser) -> int:
    parser.print_help()
    return OK


def _version() -> int:
    print(_VERSION)
    return OK


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

    told: list[str] = []

    def tell(line: str) -> None:
        told.append(line)
        print(line)

    there = chosen.kubeconfig is not None
    clean, left = _reap_namespaces(chosen.kubeconfig, chosen.context, tell) if there else ([], [])
    removed = ownership.reap(
        tell,
        everything=chosen.kept == "",
        kept=chosen.kept or "",
        forget=there and not left,
    )
    for name in (*removed, *clean):
        print(f"removed  {name}")
    for name in left:
        print(f"still there  {name}: look at its pods and their nodes, and run it again")
    if not (removed or clean or left or told):
        print("Nothing was left behind.")
    return PROBLEM if left else OK


def _reap_namespaces(
    path: Path, context: str | None, tell: Callable[[str], None]
) -> tuple[list[str], list[str]]:
    from pytest_ipv6k8s.clusters import ownership
    from pytest_ipv6k8s.kube import config
    from pytest_ipv6k8s.kube.client import Api
    from pytest_ipv6k8s.probe.removing import reap

    going_on = [state.run_id for state in ownership.remembered() if state.is_running]
    if going_on:
        tell(f"runs of this machine that go on keep what they have: {', '.join(going_on)}")
    return reap(Api(config.read(path, context)), going_on)
