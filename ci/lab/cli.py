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

from ci.lab import engine, plan, progress, runner, settings
from ci.lab.engine import Engine
from ci.lab.plan import Extra, Extras, Plan
from ci.lab.settings import Layout
from ci.lab.steps import LabProblem, Step

DESCRIPTION = """\
Builds what real kind clusters need on a machine that reaches nothing but package registries:
a container engine, kind, a node image with Kubernetes, and a probe image."""

# Where an engine is left alone, so are the machine's packages.
BUILD_PROGRAMS = ("debootstrap", "gcc", "tar")
WITH_CILIUM = "  (--with cilium)"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    options = _parser().parse_args(arguments)
    settings.widen_path()
    commands = {"up": _up, "status": _status, "down": _down, "env": _env}
    wanted = plan.make(settings.default_layout(), options.kubernetes)
    try:
        return commands[options.command](wanted, frozenset(map(Extra, options.extras)))
    except LabProblem as problem:
        print(f"lab: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nlab: interrupted; what is finished is kept, `lab up` goes on", file=sys.stderr)
        return 130


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
        command.add_argument(
            "--with",
            dest="extras",
            metavar="EXTRA",
            action="append",
            choices=[extra.value for extra in Extra],
            default=[],
            help="more than the core: cilium (Helm, Cilium, and a node image with it)",
        )
    return parser


def _version(text: str) -> str:
    known = re.fullmatch(r"v1\.\d+\.\d+", text) and settings.minor(text) in settings.COREDNS
    if not known:
        minors = " or ".join(f"{minor}.x" for minor in settings.COREDNS)
        raise argparse.ArgumentTypeError(f"{text!r} is not a version like {minors}")
    return text


def _up(wanted: Plan, extras: Extras) -> int:
    started = time.monotonic()
    with _lock(wanted.layout):
        host = _host_steps(wanted.layout)
        if not wanted.built(extras):
            _need_python()
            _need_programs([settings.go_program(), *([] if host else BUILD_PROGRAMS)])
            settings.prepare_go()
        runner.run(wanted.stages(extras, host), wanted.layout)
        wanted.link_programs()
    print(f"the lab is up after {progress.exactly(time.monotonic() - started)}")
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


def _need_python() -> None:
    if sys.version_info < (3, 11):
        raise LabProblem("images are packed with Python 3.11 or newer: start the lab with one")


def _need_programs(names: Sequence[str]) -> None:
    missing = [name for name in names if shutil.which(name) is None]
    if missing:
        raise LabProblem(f"to be installed first, and not by the lab: {', '.join(missing)}")


def _status(wanted: Plan, extras: Extras) -> int:
    whose = engine.whose_engine(wanted.layout)
    print(f"{'cache':<34}{wanted.layout.cache}")
    print(f"{'engine':<34}{whose.value}")
    print(f"{'fence':<34}{'stands' if engine.fence_stands() else 'missing'}")
    every = frozenset(Extra)
    core = {artefact.name for artefact in wanted.artefacts(frozenset())}
    print("in the cache:")
    for artefact in wanted.artefacts(every):
        extra = "" if artefact.name in core else WITH_CILIUM
        print(f"  {artefact.name:<32}{_megabytes(artefact.size())}{extra}")
    print("images in the engine:")
    for tag in wanted.tags(every):
        extra = "" if tag in wanted.tags(frozenset()) else WITH_CILIUM
        print(f"  {tag:<62}{_megabytes(plan.image_size(tag))}{extra}")
    return 0 if whose is not Engine.NONE and not wanted.missing(extras) else 1


def _megabytes(size: int | None) -> str:
    return "missing" if size is None else f"{size / 1e6:6.0f} MB"


def _down(wanted: Plan, _extras: Extras) -> int:
    with _lock(wanted.layout):
        done = engine.stop(wanted.layout)
    print("\n".join(done) if done else "nothing of the lab runs")
    return 0


def _env(wanted: Plan, extras: Extras) -> int:
    """Export what exists, and nothing where the lab was never used."""
    if not wanted.layout.programs.is_dir():
        return 0
    print(f'export PATH="{wanted.layout.programs}:$PATH"')
    missing = wanted.missing(extras)
    if missing:
        print(f"lab: run ci/lab/lab up, there is no {', '.join(missing)}", file=sys.stderr)
        return 1
    print(f"export IPV6K8S_NODE_IMAGE={wanted.parts.tag}")
    print(f"export IPV6K8S_PROBE_IMAGE={wanted.probe_tag}")
    print(f"export IPV6K8S_TESTBED_IMAGE={wanted.testbed_tag}")
    if not wanted.missing(frozenset({Extra.CILIUM})):
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
