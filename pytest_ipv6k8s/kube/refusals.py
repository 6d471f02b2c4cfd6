"""Whether an answer of the API server says something of the object that it was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DENIED = " denied the request"
"""In what a webhook refuses, with any code: apiserver, plugin/webhook/errors/statuserror.go."""

_NO_ADDRESS_LEFT = "failed to allocate"  # 500: pkg/registry/core/service/storage/alloc.go
_NO_RIGHT = " cannot create resource "  # 403: apiserver, endpoints/handlers/responsewriters


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
        return _NO_ADDRESS_LEFT in message or DENIED in message
    return code in (400, 422) or DENIED in message or (code == 403 and _NO_RIGHT not in message)
