"""The command ``ipv6k8s bundle``: what a failure would leave, without one."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from pytest_ipv6k8s.bundle.archive import SUFFIX
from pytest_ipv6k8s.cli import connection
from pytest_ipv6k8s.errors import ConfigError

OK = 0


def add(commands: Any) -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "bundle", help="write a bundle of the cluster as it is now, of what the API has"
    )
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path(f"ipv6k8s-bundle{SUFFIX}"),
        metavar="FILE",
        help=f"the archive (ipv6k8s-bundle{SUFFIX})",
    )
    connection.add(command)
    command.set_defaults(run=_bundle)


def _bundle(chosen: argparse.Namespace) -> int:
    from pytest_ipv6k8s.bundle.bundles import write_now
    from pytest_ipv6k8s.bundle.collect import Access
    from pytest_ipv6k8s.kube import inventory

    file: Path = chosen.output
    if not file.name.endswith(SUFFIX):
        raise ConfigError(f"{file} does not end in {SUFFIX}", remedy="give such a name with -o")
    if not file.absolute().parent.is_dir():
        raise ConfigError(f"the folder of {file} does not exist", remedy="make it first")
    api = connection.api(chosen)
    facts = inventory.read(api)
    about = f"# {api.kubeconfig.context}, {api.server}\n\n{facts.in_words}.\n"
    write_now(file.absolute(), Access(run_id="", api=api, dns=facts.dns), about=about)
    print(f"bundle {file}")
    return OK
