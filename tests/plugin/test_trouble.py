"""A bad world outside, as a user meets it: exit code 4, one sentence, a remedy, nothing left."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import trustme

from tests.unit.api_server import TOKEN, ApiServer, Reply, kubeconfig, serving

WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
YESTERDAY = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def runs(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where runs are written down: nothing of a run that cannot begin stays there."""
    monkeypatch.setenv("XDG_STATE_HOME", str(pytester.path / "state"))
    return pytester.path / "state" / "ipv6k8s" / "runs"


def _refused(pytester: pytest.Pytester, *words: str, runs: Path) -> str:
    """Run, see that the run is refused as it should be, and return what was said."""
    result = pytester.runpytest_subprocess(*words)
    said = result.stdout.str() + result.stderr.str()
    assert result.ret == 4, said
    assert "Traceback" not in said
    assert "INTERNALERROR" not in said
    assert TOKEN not in said
    (error,) = [line for line in result.stderr.lines if line.startswith("ERROR: ")]
    assert error.endswith((".", "?"))
    assert not list(runs.glob("*"))
    return error


def _issue(ca: trustme.CA, **more: Any) -> Any:
    return ca.issue_cert("::1", **more)


CERTIFICATES: dict[str, tuple[Callable[[trustme.CA], Any], str]] = {
    "expired": (lambda ca: _issue(ca, not_after=YESTERDAY), "expired"),
    "foreign": (lambda ca: _issue(trustme.CA()), "certificate verify failed"),
}


@WORKERS
@pytest.mark.parametrize("case", CERTIFICATES)
def test_a_certificate_that_does_not_verify(
    pytester: pytest.Pytester, case: str, workers: tuple[str, ...], runs: Path
) -> None:
    certificate, words = CERTIFICATES[case]
    ca = trustme.CA()
    with serving(certificate(ca)) as server:
        found = kubeconfig(pytester.path, server.url, ca)
        error = _refused(pytester, f"--ipv6k8s-kubeconfig={found.path}", *workers, runs=runs)

    assert "has a certificate that does not verify" in error
    assert words in error
    assert "Check certificate-authority-data" in error


REPLIES = {
    "unknown user": (Reply(code=401, body={"message": "Unauthorized"}), "does not know the user"),
    "forbidden": (Reply(code=403, body={"message": "pods is forbidden"}), "pods is forbidden"),
    "no API server": (
        Reply(body=b"<html>hello</html>"),
        "sent a response that is not an API server's",
    ),
    "broken": (Reply(code=500, body={"message": "etcd is gone"}), "etcd is gone"),
}


@contextmanager
def _cluster(folder: Path, *replies: Reply) -> Iterator[tuple[ApiServer, str]]:
    ca = trustme.CA()
    with serving(_issue(ca)) as server:
        server.replies = [*replies]
        yield server, f"--ipv6k8s-kubeconfig={kubeconfig(folder, server.url, ca).path}"


@WORKERS
@pytest.mark.parametrize("case", REPLIES)
def test_a_server_that_does_not_let_us_in(
    pytester: pytest.Pytester, case: str, workers: tuple[str, ...], runs: Path
) -> None:
    reply, words = REPLIES[case]
    with _cluster(pytester.path, reply) as (_, option):
        error = _refused(pytester, option, *workers, runs=runs)

    assert words in error


@WORKERS
def test_a_user_without_rights_is_told_every_verb_and_resource(
    pytester: pytest.Pytester, workers: tuple[str, ...], runs: Path
) -> None:
    refused = Reply(code=201, body={"status": {"allowed": False}})
    with _cluster(pytester.path, refused) as (_, option):
        error = _refused(pytester, option, *workers, runs=runs)

    assert "the user of context 'one' may not: get nodes, list nodes" in error
    assert "create pods/exec" in error
    assert "Grant what `ipv6k8s rbac` prints" in error


def test_a_context_that_is_not_there_is_told_with_those_that_are(
    pytester: pytest.Pytester, runs: Path
) -> None:
    found = kubeconfig(pytester.path, "https://[::1]:9", trustme.CA())
    options = (f"--ipv6k8s-kubeconfig={found.path}", "--ipv6k8s-context=two")

    assert "has no context 'two'. It has: one." in _refused(pytester, *options, runs=runs)


class _Proxy(BaseHTTPRequestHandler):
    def do_CONNECT(self) -> None:
        self.send_response(407)
        self.send_header("Proxy-Authenticate", 'Basic realm="office"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@WORKERS
@pytest.mark.parametrize("where", ["environment", "kubeconfig"])
def test_a_proxy_that_wants_credentials_is_told(
    pytester: pytest.Pytester,
    where: str,
    workers: tuple[str, ...],
    runs: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = HTTPServer(("127.0.0.1", 0), _Proxy)
    threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
    url = f"http://127.0.0.1:{proxy.server_address[1]}"
    entry = {"proxy-url": url} if where == "kubeconfig" else {}
    if where == "environment":
        monkeypatch.setenv("HTTPS_PROXY", url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
    found = kubeconfig(pytester.path, "https://api.example:6443", trustme.CA(), **entry)
    try:
        error = _refused(pytester, f"--ipv6k8s-kubeconfig={found.path}", *workers, runs=runs)
    finally:
        proxy.shutdown()
        proxy.server_close()

    assert "the proxy before API server https://api.example:6443 wants credentials" in error
    assert "NO_PROXY" in error


HEAD = "apiVersion: ipv6k8s.io/v1alpha1\nkind: ClusterDeclaration\n"
DECLARATIONS = {
    "missing": (None, "ipv6k8s.yaml"),
    "older form": (
        "nat64: {prefixes: ['64:ff9b::/96'], local_use: true}",
        "Change local_use to localUse",
    ),
    "illegal length": ("nat64: {prefixes: ['2001:db8::/95']}", "2001:db8::/95 has an illegal"),
    "u-octet": ("nat64: {prefixes: ['2001:db8:0:0:100::/96']}", "u-octet (bits 64 to 71)"),
    "overlap": (
        "targets: [{role: v6, addresses: ['::1'], tcp: 1}, "
        "{role: narrow, addresses: ['::1'], tcp: 1}]",
        "::1 is v6's already",
    ),
}


@WORKERS
@pytest.mark.parametrize("case", DECLARATIONS)
def test_a_declaration_that_cannot_be(
    pytester: pytest.Pytester, case: str, workers: tuple[str, ...], runs: Path
) -> None:
    body, words = DECLARATIONS[case]
    file = pytester.path / "ipv6k8s.yaml"
    if body is not None:
        file.write_text(HEAD + body)
    options = ("--ipv6k8s-provider=kind", f"--ipv6k8s-declaration={file}")

    error = _refused(pytester, *options, *workers, runs=runs)

    assert words in error
    assert str(file) in error


def test_a_target_that_overlaps_with_a_declared_one(pytester: pytest.Pytester, runs: Path) -> None:
    file = pytester.path / "ipv6k8s.yaml"
    file.write_text(HEAD + "targets: [{role: v6, addresses: ['2001:db8::1'], tcp: 1}]")
    options = ("--ipv6k8s-provider=kind", f"--ipv6k8s-declaration={file}")

    error = _refused(pytester, *options, "--ipv6k8s-target=narrow=[2001:db8::1]:80", runs=runs)

    assert "--ipv6k8s-target: " in error
    assert "2001:db8::1 is v6's already" in error


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_a_report_on_a_full_disk_is_told_and_turns_the_run_red(
    project: pytest.Pytester, workers: tuple[str, ...]
) -> None:
    (project.path / "full.json.tmp").symlink_to("/dev/full")
    reports = ("--ipv6k8s-report=full.json", "--ipv6k8s-report=good.json")

    result = project.runpytest_subprocess(
        "test_checks.py", "-k", "T-01", "--ipv6k8s-provider=kind", *reports, *workers
    )

    assert result.ret == 1
    result.stdout.fnmatch_lines(["report*full.json cannot be written: No space left*Free some*"])
    result.stdout.no_fnmatch_line("*INTERNALERROR*")
    assert (project.path / "good.json").exists()
    assert not (project.path / "full.json").exists()
