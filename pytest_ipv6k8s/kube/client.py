"""Talking REST to the API server: plain data in, plain data out, every trouble explained."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from pytest_ipv6k8s.addresses import endpoint
from pytest_ipv6k8s.cost import Cost
from pytest_ipv6k8s.errors import ClusterError, ControlChannelError
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.kube import credentials, pool
from pytest_ipv6k8s.kube.config import Kubeconfig
from pytest_ipv6k8s.kube.refusals import DENIED, is_verdict, remedy_of
from pytest_ipv6k8s.timeouts import Timeouts

Object = dict[str, Any]
_PASSES, _MOST_PAGES, _GONE = 3, 10_000, 410
_ANSWER = 4
"""So many times the time to read something may pass until an answer is whole."""
_OF_SYSTEM = re.compile(r"\[Errno -?\d+\] ([^()'\"]+)")
_PEER = re.compile(r"\w*Connection\(host='([^']*)', port=(\d+)\):? *")
"""What urllib3 has before its words, and we say in ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One reason why the API server refused an object (metav1.StatusCause)."""

    field: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The API server's answer to a request that changes something.

    ``object`` is what it made of the request; when it refused, ``code``, ``message`` and
    ``causes`` say why.
    """

    code: int
    object: Mapping[str, Any]
    message: str = ""
    causes: tuple[Cause, ...] = ()

    @property
    def accepted(self) -> bool:
        """Whether the request was carried out, or would have been (dry run)."""
        return self.code < 300

    @property
    def denied(self) -> bool:
        """Whether admission refused it: a webhook, a policy, a quota.

        The API server's own validation names a field in each cause (metav1.StatusCause). A denial
        has no cause, or as that of a ValidatingAdmissionPolicy one without a field; whatever causes
        a webhook gives, the message names it.
        """
        unexplained = self.code < 500 and not any(cause.field for cause in self.causes)
        return not self.accepted and (unexplained or bool(DENIED.search(self.message)))


class ApiError(ClusterError):
    """The API server answered with an error. ``code`` is the HTTP status."""

    def __init__(self, problem: str, *, code: int, remedy: str = "") -> None:
        super().__init__(problem, remedy=remedy)
        self.code = code


class Api:
    """One API server. May be used from several threads.

    Args:
        kubeconfig: where the server and the credentials are.
        recorder: keeps what the server says to checks.
        timeouts: of connecting and reading, and of whoever waits for what the server tells.
        cost: counts every request, and the exec sessions of this server's pods.
    """

    def __init__(
        self,
        kubeconfig: Kubeconfig,
        *,
        recorder: Recorder | None = None,
        timeouts: Timeouts | None = None,
        cost: Cost | None = None,
    ) -> None:
        self.kubeconfig = kubeconfig
        self.recorder = recorder or Recorder()
        self.timeouts = timeouts or Timeouts()
        self.cost = cost or Cost()
        self.configuration = credentials.load(kubeconfig)
        self._pool = pool.pool_of(self.configuration)

    @property
    def server(self) -> str:
        """The server's URL."""
        return str(self.configuration.host).rstrip("/")

    def headers(self) -> dict[str, str]:
        """Return the header that says who we are; empty with a client certificate."""
        return credentials.bearer_header(self.configuration)

    def get(self, path: str, **query: str) -> Object:
        """Return an object or a list.

        Raises:
            ApiError: the server refused; 404 when there is none.
            ControlChannelError: the server could not be reached.
        """
        return self._must("GET", path, query=query)

    def find(self, path: str, **query: str) -> Object | None:
        """Return an object, or None when there is none."""
        try:
            return self.get(path, **query)
        except ApiError as error:
            if error.code == 404:
                return None
            raise

    def text(self, path: str, **query: str) -> str:
        """Return what is no object: the log of a pod.

        Raises:
            ApiError: the server refused.
            ControlChannelError: the server could not be reached.
        """
        response = self._send("GET", path, query, None, accept="*/*")
        body: str = response.data.decode(errors="replace")
        if response.status < 300:
            return body
        raise ApiError(f"GET {path}: {response.status} {_short(body)}", code=response.status)

    def items(self, path: str, **query: str) -> list[Object]:
        """Return the items of a list, all pages."""
        for _ in range(_PASSES):
            found = self._all_pages(path, {"limit": "500", **query})
            if found is not None:
                return found
        raise ControlChannelError(f"GET {path}: the list changed faster than it could be read")

    def _all_pages(self, path: str, query: dict[str, str]) -> list[Object] | None:
        """Return the items of a list, None when the server forgot it on the way (410)."""
        found: list[Object] = []
        for number in range(_MOST_PAGES):
            try:
                page = self.get(path, **query)
            except ApiError as error:
                if error.code == _GONE and number:
                    return None
                raise
            found += page.get("items") or []
            query["continue"] = (page.get("metadata") or {}).get("continue") or ""
            if not query["continue"]:
                return found
        raise ControlChannelError(f"GET {path}: the list has no end")

    def create(self, path: str, body: Mapping[str, Any], **query: str) -> Object:
        """Create an object and return what the server made of it."""
        return self._must("POST", path, body=body, query=query)

    def patch(self, path: str, body: Mapping[str, Any]) -> Object:
        """Merge a change into an object (RFC 7396) and return the result."""
        return self._must("PATCH", path, body=body)

    def delete(self, path: str, *, grace: int | None = None) -> None:
        """Delete an object; it is fine when there is none."""
        body = {} if grace is None else {"gracePeriodSeconds": grace}
        try:
            self._must("DELETE", path, body=body)
        except ApiError as error:
            if error.code != 404:
                raise

    def try_create(self, path: str, body: Mapping[str, Any], *, dry_run: bool = True) -> Outcome:
        """Put an object to the API server and return what it says; a refusal is an answer.

        Raises:
            ControlChannelError: no verdict on the object itself was to be had.
        """
        query = {"dryRun": "All"} if dry_run else {}
        code, answer = self._exchange("POST", path, query, body)
        if not is_verdict(code, answer):
            message = _short(str(answer.get("message", "")))
            raise ControlChannelError(f"no verdict on the object: POST {path}: {code} {message}")
        return _outcome(code, answer)

    def _must(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Object:
        code, answer = self._exchange(method, path, query or {}, body)
        if code < 300:
            return answer
        raise _api_error(code, method, path, answer, self.kubeconfig)

    def _exchange(
        self, method: str, path: str, query: Mapping[str, str], body: Mapping[str, Any] | None
    ) -> tuple[int, Object]:
        response = self._send(method, path, query, body)
        try:
            answer = json.loads(response.data or b"{}")
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict):
            return response.status, answer
        page = response.data[:200].decode(errors="replace")
        if response.status < 300:
            raise ControlChannelError(
                f"{self.server} sent a response that is not an API server's: {_short(page)}",
                remedy="check the server's URL: does something stand before it?",
            )
        return response.status, {"message": page}

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None,
        *,
        accept: str = "application/json",
    ) -> pool.Whole:
        import urllib3

        self.cost.add(api_requests=1)
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        try:
            response = self._pool.request(
                method,
                f"{self.server}{path}" + (f"?{urlencode(query)}" if query else ""),
                body=None if body is None else json.dumps(body),
                headers={"Accept": accept, "Content-Type": kind, **self.headers()},
                timeout=urllib3.Timeout(
                    connect=self.timeouts.api_connect, read=self.timeouts.api_read
                ),
                retries=pool.retries(),
                preload_content=False,
            )
            return pool.whole(response, within=_ANSWER * self.timeouts.api_read)
        except urllib3.exceptions.HTTPError as error:
            raise explain_connection(self.server, error) from None


def explain_connection(server: str, error: BaseException) -> ControlChannelError:
    """Return the trouble of reaching the API server in one sentence with a remedy."""
    cause = getattr(error, "reason", None) or error
    text = str(cause).split(": ", 1)[-1] if "object at 0x" in str(cause) else str(cause)
    if "CERTIFICATE_VERIFY_FAILED" in text or "certificate verify failed" in text:
        return ControlChannelError(
            f"API server {server} has a certificate that does not verify: {_short(text)}",
            remedy="check certificate-authority-data, and tls-server-name for another name",
        )
    if "certificate" in text.lower() and "alert" in text.lower():
        return ControlChannelError(
            f"API server {server} refused our client certificate: {_short(text)}",
            remedy="renew the credentials in the kubeconfig",
        )
    host = urlsplit(server).hostname or server
    if "407" in text and "proxy" in text.lower():
        return ControlChannelError(
            f"the proxy before API server {server} wants credentials",
            remedy=f"give them in HTTPS_PROXY or proxy-url as http://USER:PASSWORD@HOST:PORT, or "
            f"name {host} in NO_PROXY",
        )
    if "connect to proxy" in text:
        return ControlChannelError(
            f"the proxy before API server {server} cannot be used: "
            f"{_proxy_in(text)}{_in_words(text)}",
            remedy=f"check HTTPS_PROXY and proxy-url, or name {host} in NO_PROXY",
        )
    return ControlChannelError(
        f"API server {server} cannot be reached: {_in_words(text)}",
        remedy=f"check that this machine has a route to {host} and that the server runs",
    )


def _in_words(text: str) -> str:
    """Return why a connection failed: what the system says, or what is left beside the library."""
    found = _OF_SYSTEM.search(text)
    if found is None:
        return _short(_PEER.sub("", text))
    said = _short(found[1])
    return said[:1].lower() + said[1:]


def _proxy_in(text: str) -> str:
    """Return the address of a proxy that could not be reached; nothing where it is not told."""
    found = _PEER.search(text)
    return f"{endpoint(found[1], int(found[2]))}: " if found else ""


def _short(text: str) -> str:
    return " ".join(text.split())[:200].strip("()'\" ")


def readable(api: Api, path: str, **query: str) -> list[Object]:
    """Return a list that we may do without: not every version has it, not every user may see it."""
    try:
        return api.items(path, **query)
    except ApiError as error:
        if error.code in (403, 404):
            return []
        raise


def _outcome(code: int, answer: Object) -> Outcome:
    if code < 300:
        return Outcome(code=code, object=answer)
    causes = tuple(
        Cause(
            field=cause.get("field", ""),
            reason=cause.get("reason", ""),
            message=cause.get("message", ""),
        )
        for cause in (answer.get("details") or {}).get("causes") or []
    )
    return Outcome(code=code, object={}, message=answer.get("message", ""), causes=causes)


def _api_error(
    code: int, method: str, path: str, answer: Object, kubeconfig: Kubeconfig
) -> ApiError:
    whole = str(answer.get("message", ""))
    message, remedy = _short(whole), remedy_of(code, whole, writes=method != "GET")
    if code == 401:
        return ApiError(
            f"the API server does not know the user of context {kubeconfig.context!r}: {message}",
            code=code,
            remedy="renew the credentials in the kubeconfig",
        )
    if code == 403:
        return ApiError(message or f"{method} {path}: forbidden", code=code, remedy=remedy)
    return ApiError(f"{method} {path}: {code} {message}", code=code, remedy=remedy)
