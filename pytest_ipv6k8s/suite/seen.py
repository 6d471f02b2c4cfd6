"""What answers say of why they failed: for causes, see :mod:`pytest_ipv6k8s.causes`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_ipv6k8s.causes import Seen, failing, some
from pytest_ipv6k8s.dns_messages import Reply, reply
from pytest_ipv6k8s.evidence import Record


def error(*names: str) -> Callable[[Record[Any]], bool]:
    """Return whether an answer has one of these errors."""
    return lambda record: getattr(record.answer, "error", "") in names


def asked(record: Record[Any]) -> str:
    """Return the address that was asked."""
    return str(record.request.get("address") or record.request.get("server") or "")


def of_service(record: Record[Any]) -> bool:
    """Tell whether the address that was asked is no probe's own, but a Service's."""
    return " of pod " not in record.path


def replied(record: Record[Any]) -> Reply | None:
    """Return the DNS reply in an answer, None where there is none."""
    return reply(getattr(record.answer, "wire", ""))


def _refuses(record: Record[Any]) -> bool:
    found = replied(record)
    return found is not None and found.rcode not in ("NOERROR", "NXDOMAIN")


def _has_data(record: Record[Any]) -> bool:
    found = replied(record)
    return found is not None and bool(found.records)


def _lacks_data(record: Record[Any]) -> bool:
    return replied(record) is not None and not _refuses(record) and not _has_data(record)


silent = failing(error("ETIMEDOUT"))
"""Nobody answered, and nobody told why."""
refused = failing(error("ECONNREFUSED"))
"""Somebody is there, and refuses."""
unroutable = some(error("ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL"))
"""A kernel knows no way, the pod's own or one on the way."""

some_reply = some(replied)
"""A DNS server replied, and not as it should."""
all_errors = failing(_refuses)
"""DNS servers replied that something is wrong with them, such as SERVFAIL."""
other_data = failing(_has_data)
"""DNS servers replied with other records than they should."""
no_data = failing(_lacks_data)
"""DNS servers replied without any record."""

only_services = failing(of_service)
"""Only what was asked through Services failed."""
only_pods = failing(lambda record: not of_service(record))
"""Only what was asked of pods themselves failed."""


def servers_answer(seen: Seen) -> bool:
    """Hold where the same failed at one address and was answered at another, from the same pods."""
    good = {(record.source, asked(record)) for record in seen.good}
    bad = {(record.source, asked(record)) for record in seen.failed}
    return bool(bad) and not bad & good and {pod for pod, _ in bad} <= {pod for pod, _ in good}


def in_part(seen: Seen) -> bool:
    """Hold where some of those who failed got an answer at the very address, at other times."""
    good = {(record.source, asked(record)) for record in seen.good}
    return any((record.source, asked(record)) in good for record in seen.failed)
