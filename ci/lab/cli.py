"""The commands of the lab: up, status, down and env."""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence

from ci.lab import engine, plan, settings
from ci.lab.engine import Engine
from ci.lab.plan import Plan
from ci.lab.settings import Layout
from ci.lab.steps import LabProblem, Step, run_steps

DESCRIPTION = """\
Builds what real kind clusters need on a machine that reaches nothing but package registries:
a container engine, kind, a node image with Kubernetes, and a probe image."""

# Where an engine is left alone, so are the machine's packages.
BUILD_PROGRAMS = ("debootstrap", "gcc", "tar")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = _parser().parse_args(arguments)
    settings.widen_path()
    commands = {"up": _up, "status": _status, "down": _down, "env": _env}
    try:
        return commands[options.command](plan.make(settings.default_layout(), options.kubernetes))
    except LabProblem as problem:
        print(f"lab: {problem}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab", description=DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True)
    helps = {
        "up": "make and start what is missing (as root; can be run again at any time)",
        "status": "tell what is there and what is missing",
        "down": "stop what the lab started; the cache stays",
        "env": "print shell export lines for eval",
    }
    for name, text in helps.items():
        command = commands.add_parser(name, help=text, description=text)
        command.add_argument(
            "--kubernetes",
            metavar="VERSION",
            type=_version,
            default=settings.DEFAULT_KUBERNETES,
            help="which Kubernetes the node image is for (default: %(default)s)",
        )
    return parser


def _version(text: str) -> str:
    known = re.fullmatch(r"v1\.\d+\.\d+", text) and settings.minor(text) in settings.COREDNS
    if not known:
        minors = " or ".join(f"{minor}.x" for minor in settings.COREDNS)
        raise argparse.ArgumentTypeError(f"{text!r} is not a version like {minors}")
    return text


def _up(wanted: Plan) -> int:
    started = time.monotonic()
    with _lock(wanted.layout):
        host_steps = _host_steps(wanted.layout)
        if not wanted.built():
            _need_programs([settings.go_program(), *([] if host_steps else BUILD_PROGRAMS)])
        run_steps([*host_steps, *wanted.steps()], wanted.layout)
        wanted.link_programs()
    print(f"the lab is up after {time.monotonic() - started:.1f} s")
    print('use it: eval "$(ci/lab/lab env)"')
    return 0


def _host_steps(layout: Layout) -> list[Step]:
    """Nothing for a machine with an engine of its own; else as root only."""
    if engine.whose_engine(layout) is Engine.FOREIGN:
        print("a container engine that the lab did not start answers: it is left alone")
        return []
    if os.geteuid() != 0:
        raise LabProblem("no container engine answers, and only root can install and start one")
    missing = engine.missing_packages()
    if missing:
        print(f"to be installed with apt-get: {' '.join(missing)}")
    return engine.steps(layout)


def _need_programs(names: Sequence[str]) -> None:
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise LabProblem(f"to be installed first, and not by the lab: {', '.join(missing)}")


def _status(wanted: Plan) -> int:
    whose = engine.whose_engine(wanted.layout)
    print(f"{'cache':<34}{wanted.layout.cache}")
    print(f"{'engine':<34}{whose.value}")
    print(f"{'fence':<34}{'stands' if engine.fence_stands() else 'missing'}")
    print("in the cache:")
    for artefact in wanted.artefacts():
        print(f"  {artefact.name:<32}{_megabytes(artefact.size())}")
    print("images in the engine:")
    for tag in wanted.tags():
        print(f"  {tag:<48}{_megabytes(plan.image_size(tag))}")
    return 0 if whose is not Engine.NONE and wanted.complete() else 1


def _megabytes(size: int | None) -> str:
    return "missing" if size is None else f"{size / 1e6:6.0f} MB"


def _down(wanted: Plan) -> int:
    with _lock(wanted.layout):
        done = engine.stop(wanted.layout)
    print("\n".join(done) if done else "nothing of the lab runs")
    return 0


def _env(wanted: Plan) -> int:
    print(f'export PATH="{wanted.layout.programs}:$PATH"')
    if not wanted.complete():
        print("lab: not complete, run ci/lab/lab up", file=sys.stderr)
        return 1
    print(f"export IPV6K8S_NODE_IMAGE={wanted.parts.tag}")
    print(f"export IPV6K8S_PROBE_IMAGE={wanted.probe_tag}")
    print(f"export IPV6K8S_TESTBED_IMAGE={wanted.testbed_tag}")
    print(f"export IPV6K8S_CNI_CHART={wanted.cilium.chart}")
    print(f"export IPV6K8S_CNI_VALUES={wanted.cilium.values}")
    print(f"export IPV6K8S_LAB_CILIUM_NODE_IMAGE={wanted.cilium_node_tag}")
    return 0


@contextlib.contextmanager
def _lock(layout: Layout) -> Iterator[None]:
    """One `lab up` or `lab down` at a time."""
    layout.cache.mkdir(parents=True, exist_ok=True)
    with layout.lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another lab command runs: waiting for it", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
