"""NetworkPolicies of a sandbox: made, validated and deleted through the API, and recorded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pytest_ipv6k8s import words
from pytest_ipv6k8s.errors import Inconclusive
from pytest_ipv6k8s.evidence import Record
from pytest_ipv6k8s.expectations import expect
from pytest_ipv6k8s.kube import objects
from pytest_ipv6k8s.kube.client import Api, Outcome

Policy = dict[str, Any]
Rules = Sequence[Mapping[str, Any]]


class Policies:
    """The policies of one worker's sandbox. A check begins and ends without any.

    Args:
        api: the API server; its recorder keeps the answers.
        run_id: whose they are, for labels.
        worker: whose they are, for names.
        namespace: where they are created.
        elsewhere: the sandbox's other namespace, which stays without any.
    """

    def __init__(
        self, api: Api, *, run_id: str, worker: str, namespace: str, elsewhere: str
    ) -> None:
        self._api = api
        self._run_id = run_id
        self._worker = worker
        self.namespace = namespace
        self.elsewhere = elsewhere

    def new(
        self,
        name: str,
        *,
        pods: Mapping[str, str] | None = None,
        ingress: Rules | None = None,
        egress: Rules | None = None,
    ) -> Policy:
        """Return the object of a policy, named after its check and worker.

        Args:
            name: the check's id, and what it does, as ``POL-01-deny``.
            pods: labels of the pods that it selects, by default all of the namespace.
            ingress, egress: its rules; None leaves a direction alone, no rules deny it.
        """
        name = f"{name.lower()}-{self._worker}"
        return objects.network_policy(
            name, self._run_id, pods=pods or {}, ingress=ingress, egress=egress
        )

    def names(self, namespace: str) -> list[str]:
        """Return the names of the policies in a namespace."""
        path = _path(namespace)
        found = [f"{namespace}/{item['metadata']['name']}" for item in self._api.items(path)]
        return self._api.recorder.api_answer({"verb": "list", "path": path}, found).answer

    def require_none(self) -> None:
        """Make sure that no policy is left of another check, nor put there by somebody else.

        Raises:
            Inconclusive: there is one.
        """
        found = [name for where in (self.namespace, self.elsewhere) for name in self.names(where)]
        if found:
            raise Inconclusive(f"there is a NetworkPolicy already: {', '.join(found)}")

    def create(self, body: Policy) -> Record[Outcome]:
        """Create a policy and return what the API server says."""
        return self._try(body, dry_run=False)

    def validate(self, body: Policy) -> Record[Outcome]:
        """Have a policy validated only (dry run) and return what the API server says."""
        return self._try(body, dry_run=True)

    def delete(self, body: Policy) -> None:
        """Delete a policy; it is fine when there is none."""
        self._api.delete(f"{_path(self.namespace)}/{body['metadata']['name']}")

    @contextmanager
    def applied(self, bodies: Sequence[Policy]) -> Iterator[None]:
        """Let policies stand for a while.

        Raises:
            Unmet: the API server refuses one.
            Inconclusive: admission denies one.
        """
        try:
            for body in bodies:
                record = self.create(body)
                if record.answer.denied:
                    raise Inconclusive(f"admission denied a policy: {record.answer.message}")
                expect(record.answer.accepted, expected="an accepted policy", actual=record)
            yield
        finally:
            for body in bodies:
                self.delete(body)

    def _try(self, body: Policy, *, dry_run: bool) -> Record[Outcome]:
        path, spec = _path(self.namespace), body["spec"]
        outcome = self._api.try_create(path, body, dry_run=dry_run)
        verb = "create (dry run)" if dry_run else "create"
        request = {"verb": verb, "path": path, "spec": spec}
        return self._api.recorder.api_answer(
            request, outcome, path=f"NetworkPolicy {words.answer(spec)}"
        )


def _path(namespace: str) -> str:
    return f"/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies"
