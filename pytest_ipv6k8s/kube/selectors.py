"""Whether a selector of somebody's policy may select a pod; what we cannot tell, it may."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

NAMESPACE_NAME = "kubernetes.io/metadata.name"
_CILIUM_NAMESPACE = "io.kubernetes.pod.namespace"
_CILIUM_NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels."
_CALICO_TERM = re.compile(
    r"(!?)\s*has\(\s*([^)\s]+)\s*\)|([^\s=!]+)\s*(==|!=)\s*['\"]([^'\"]*)['\"]"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pod:
    """What selectors ask of a pod: its labels, its namespace, and the labels of that."""

    namespace: str
    labels: Mapping[str, str]
    namespace_labels: Mapping[str, str]


def by_labels(selector: Mapping[str, Any] | None, labels: Mapping[str, str]) -> bool:
    """Tell whether a LabelSelector selects; an empty one selects all."""
    wanted = (selector or {}).get("matchLabels") or {}
    expressions = (selector or {}).get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(one.get("operator"), labels.get(one.get("key")), one.get("values") or ())
        for one in expressions
    )


def _holds(operator: str | None, value: str | None, values: Sequence[str | None]) -> bool:
    if operator == "In":
        return value in values
    if operator == "NotIn":
        return value not in values
    if operator == "Exists":
        return value is not None
    return operator != "DoesNotExist" or value is None


def by_cilium(selector: Mapping[str, Any] | None, pod: Pod) -> bool:
    """Tell whether an endpointSelector selects: its keys have a source, and tell the namespace."""
    labels = {
        **pod.labels,
        _CILIUM_NAMESPACE: pod.namespace,
        **{f"{_CILIUM_NAMESPACE_LABELS}{key}": v for key, v in pod.namespace_labels.items()},
    }
    wanted = (selector or {}).get("matchLabels") or {}
    expressions = (selector or {}).get("matchExpressions") or []
    plain = {
        "matchLabels": {_without_source(k): v for k, v in wanted.items() if _is_known(k)},
        "matchExpressions": [
            {**one, "key": _without_source(one["key"])}
            for one in expressions
            if _is_known(one["key"])
        ],
    }
    return by_labels(plain, labels)


def _is_known(key: str) -> bool:
    """Tell whether a label is not one that only Cilium gives: of the cluster, of the account."""
    return not _without_source(key).startswith("io.cilium.k8s.policy.")


def _without_source(key: str) -> str:
    return re.sub(r"^(k8s|any)[:.]", "", key)


def by_calico(text: str | None, labels: Mapping[str, str]) -> bool:
    """Tell whether a selector of Calico selects; only plain terms, joined by &&, rule one out."""
    terms = (text or "").strip()
    if "||" in terms:
        return True
    return all(_calico_term(term.strip(), labels) for term in terms.split("&&"))


def _calico_term(term: str, labels: Mapping[str, str]) -> bool:
    found = _CALICO_TERM.fullmatch(term)
    if found is None:
        return True
    negated, asked, key, operator, value = found.groups()
    if (asked or key).startswith(("projectcalico.org/", "pcns.", "pcsa.")):
        return True
    if asked:
        return (asked in labels) is not bool(negated)
    return (labels.get(key) == value) is (operator == "==")
