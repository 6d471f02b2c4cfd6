"""What a word may have been meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

_MEANT = {
    **dict.fromkeys(("nat66", "nat", "snat", "masq"), "masquerade"),
    **dict.fromkeys(("npt", "npt66", "nptv6-stateless"), "nptv6"),
    **dict.fromkeys(("routed", "direct", "no-nat"), "native"),
    **dict.fromkeys(("egress-gateway", "egressgateway"), "gateway"),
    **dict.fromkeys(("v6", "ipv6-only", "single-stack-ipv6"), "ipv6"),
    **dict.fromkeys(("v4", "ipv4-only", "single-stack-ipv4"), "ipv4"),
    **dict.fromkeys(("dual-stack", "dualstack", "ipv4-ipv6", "dual-ipv4"), "dual"),
    **dict.fromkeys(("ipv6-ipv4", "dual-stack-ipv6"), "dual-ipv6"),
    **dict.fromkeys(("kubeconfig", "eks", "gke", "aks", "openshift"), "existing"),
    **dict.fromkeys(("yes", "true", "on"), "enforced"),
    **dict.fromkeys(("no", "false", "off"), "none"),
}
"""Other words of the field, by what they are called here."""


def alike(word: str, known: Iterable[str], *, most: int = 3) -> str:
    """Return those of these that are written much like a word: "a or b", empty when none is."""
    return " or ".join(difflib.get_close_matches(word, list(known), n=most))


def meant(word: str, known: Collection[str]) -> str:
    """Return which of these a word may be meant to be: a synonym, one that is alike or part of it.

    Returns:
        Empty when nothing comes near.
    """
    synonym = _MEANT.get(word.lower(), "")
    if synonym in known:
        return synonym
    return alike(word, known, most=1) or next((k for k in known if len(k) > 2 and k in word), "")
