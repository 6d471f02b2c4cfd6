"""Whether an answer of the API server says something of the object that it was given."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

DENIED = re.compile(" denied (the )?request")
"""In what a webhook or an admission policy refuses, with any code: apiserver,
plugin/webhook/errors/statuserror.go and plugin/policy/validating/dispatcher.go."""

WHAT_ADMISSION_WANTS = (
    "give what it asks for with --ipv6k8s-label, --ipv6k8s-annotation, --ipv6k8s-limit or "
    "--ipv6k8s-probe-image (by its digest), or a namespace with --ipv6k8s-namespace, or have our "
    "namespaces exempted"
)
WHAT_RBAC_WANTS = "grant what `ipv6k8s rbac` prints"

_NO_ADDRESS_LEFT = "failed to allocate"  # 500: pkg/registry/core/service/storage/alloc.go
_NO_RIGHT = re.compile(r" cannot \S+ (resource|path) ")  # 403: apiserver, responsewriters/errors.go
_QUOTA = "exceeded quota"  # 403: apiserver, admission/plugin/resourcequota/controller.go


def is_verdict(code: int, answer: Mapping[str, Any]) -> bool:
    """Tell whether this is said of an object, and not by whatever kept it from being judged.

    A page of a load balancer is no verdict, nor is a webhook that cannot be called, a failing etcd,
    a missing right.
    """
    message = str(answer.get("message", ""))
    if code < 300:
        return True
    if answer.get("kind") != "Status" or "dry run" in message:
        return False
    if code >= 500:
        return _NO_ADDRESS_LEFT in message or bool(DENIED.search(message))
    denied = DENIED.search(message) or (code == 403 and not _NO_RIGHT.search(message))
    return code in (400, 422) or bool(denied)


def remedy_of(code: int, message: str, *, writes: bool) -> str:
    """Return what helps against a refusal: rights, what admission asks for, a look into the log.

    Admission judges what is written, and refuses with 403 as well; a missing right says so.
    """
    if _QUOTA in message:
        return "make room in the quota of the namespace"
    admission = writes and code == 403 and message and not _NO_RIGHT.search(message)
    if DENIED.search(message) or admission:
        return WHAT_ADMISSION_WANTS
    if code == 403:
        return WHAT_RBAC_WANTS
    return "look into the API server's log" if code >= 500 else ""
