"""The command that uses a kept cluster as the run did which made it."""

from __future__ import annotations

import shlex
from pathlib import Path

from pytest_ipv6k8s.masking import without_secrets
from pytest_ipv6k8s.options import Option
from pytest_ipv6k8s.settings import COMMAND_LINE, OPTIONS, Allow, External, Settings

_PARTS = ("probes", "external")
_MORE = ("stack", "probe_image", "timeout_factor")


def again(settings: Settings, kubeconfig: Path, *, hosts: bool, testbed: bool) -> str:
    """Return the command; what environment and ini file say is there the next time, too.

    Args:
        settings: of the run.
        kubeconfig: the cluster's.
        hosts: whether the run could make host-network probes.
        testbed: whether it built the testbed.
    """
    typed = [word for option in OPTIONS for word in _typed(settings, option)]
    needed = [
        *([f"--ipv6k8s-allow={Allow.PRIVILEGED.value}"] if hosts else ()),
        *([f"--ipv6k8s-external={External.TESTBED.value}"] if testbed else ()),
    ]
    if settings.sources.get("provider", COMMAND_LINE) != COMMAND_LINE:
        needed.append("--ipv6k8s-provider=existing")
    words = ["ipv6k8s", "run", "--kubeconfig", str(kubeconfig), *dict.fromkeys([*typed, *needed])]
    return shlex.join(words)


def _typed(settings: Settings, option: Option) -> list[str]:
    """Return what was typed for an option that is about the use of a cluster, not its making."""
    is_of_use = option.path[0] in _PARTS or option.key in _MORE
    if not is_of_use or settings.sources.get(option.key) != COMMAND_LINE:
        return []
    if option.is_flag:
        return [option.flag]
    return [f"{option.flag}={without_secrets(text)}" for text in settings.given[option.key]]
