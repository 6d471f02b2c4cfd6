"""Which of the settings that were made a run uses: those are shown, and reproduce it."""

from __future__ import annotations

from pytest_ipv6k8s.options import Option
from pytest_ipv6k8s.settings import COMMAND_LINE, OPTIONS, External, Settings

_MAKING = {
    *("workers", "keep", "node_image", "pod_cidr", "service_cidr", "kube_proxy", "k3s_disable"),
    *("cni", "cni_command", "cni_chart", "cni_values"),
}
"""Options for a cluster that is made."""
_TESTBED = {"testbed_image", "dns64"}
_OTHERS = {"kind": {"k3s_disable"}, "existing": _MAKING}
"""Options that a provider does not use."""
_OF_CHARTS = {"cni_chart", "cni_values"}
_WITHOUT_CHART = ("default", "none")


def in_use(settings: Settings) -> list[Option]:
    """Return the options that were given and count in this run.

    What was typed is among them: whoever typed it looks for it. Environment and ini file are for
    other runs, too.
    """
    unused = _unused(settings)
    return [
        option
        for option in OPTIONS
        if option.key in settings.sources
        and (option.key not in unused or settings.sources[option.key] == COMMAND_LINE)
    ]


def _unused(settings: Settings) -> set[str]:
    unused = set(_OTHERS.get(settings.provider_name, ()))
    if settings.cluster.cni in _WITHOUT_CHART:
        unused |= _OF_CHARTS
    source = settings.external.source
    beside = settings.provider_name != "existing" and source is External.AUTO
    if not (beside or source is External.TESTBED):
        unused |= _TESTBED
    return unused
