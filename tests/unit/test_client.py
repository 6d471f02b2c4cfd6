"""The REST client before a real HTTPS server on [::1]."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from pytest_ipv6k8s.errors import ControlChannelError, Ipv6k8sError
from pytest_ipv6k8s.kube.client import Api, ApiError, Cause
from tests.unit.api_server import TOKEN, ApiServer, Reply

NODES = "/api/v1/nodes"
SERVICES = "/api/v1/namespaces/n/services"


@pytest.fixture(autouse=True)
def paused(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client was asked to wait; it does not."""
    asked: list[float] = []
    monkeypatch.setattr(time, "sleep", asked.append)
    return asked


def _lay(server: ApiServer, *manifests: Any, code: int = 200) -> None:
    server.replies = [Reply(code=code, body=body) for body in manifests]


def _refusal(code: int, message: str = "no") -> Reply:
    return Reply(code=code, body={"kind": "Status", "code": code, "message": message})


def test_an_object_comes_back_as_plain_data(api: Api, server: ApiServer) -> None:
    _lay(server, {"kind": "Node", "metadata": {"name": "nœud"}})

    assert api.get(f"{NODES}/x", pretty="a b&c")["metadata"]["name"] == "nœud"
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("GET", f"{NODES}/x?pretty=a+b%26c")
    assert asked.headers["Accept"] == "application/json"
    assert asked.body is None


def test_the_bearer_token_is_sent(api: Api, server: ApiServer) -> None:
    _lay(server, {})

    api.get("/version")

    headers = {name.lower(): value for name, value in server.asked[0].headers.items()}
    assert headers["authorization"] == f"Bearer {TOKEN}"


def test_every_request_is_counted_from_any_thread(api: Api, server: ApiServer) -> None:
    _lay(server, {})

    threads = [threading.Thread(target=api.get, args=("/version",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert api.cost.api_requests == 8 == len(server.asked)


def test_a_change_is_sent_as_a_merge_patch(api: Api, server: ApiServer) -> None:
    _lay(server, {"spec": {"a": 1}})

    assert api.patch(f"{NODES}/x", {"spec": {"a": 1, "b": None}}) == {"spec": {"a": 1}}
    (asked,) = server.asked
    assert asked.method == "PATCH"
    assert asked.headers["Content-Type"] == "application/merge-patch+json"
    assert asked.body == {"spec": {"a": 1, "b": None}}


def test_a_new_object_is_posted(api: Api, server: ApiServer) -> None:
    _lay(server, {"kind": "Service", "made": True}, code=201)

    assert api.create(SERVICES, {"kind": "Service"}, dryRun="All")["made"]
    (asked,) = server.asked
    assert (asked.method, asked.path) == ("POST", f"{SERVICES}?dryRun=All")
    assert asked.headers["Content-Type"] == "application/json"


def test_a_list_is_read_page_by_page(api: Api, server: ApiServer) -> None:
    _lay(
        server,
        {"items": [{"n": 1}, {"n": 2}], "metadata": {"continue": "t/1="}},
        {"items": None, "metadata": {"continue": "t2"}},
        {"items": [{"n": 3}], "metadata": {}},
    )

    assert api.items(NODES, labelSelector="a=b") == [{"n": 1}, {"n": 2}, {"n": 3}]
    base = f"{NODES}?limit=500&labelSelector=a%3Db"
    assert [asked.path for asked in server.asked] == [
        base,
        f"{base}&continue=t%2F1%3D",
        f"{base}&continue=t2",
    ]


def test_nothing_there_is_none_to_find_and_an_error_to_get(api: Api, server: ApiServer) -> None:
    server.replies = [_refusal(404, 'nodes "x" not found')]

    assert api.find(f"{NODES}/x") is None
    with pytest.raises(ApiError, match='GET /api/v1/nodes/x: 404 nodes "x" not found') as caught:
        api.get(f"{NODES}/x")
    assert caught.value.code == 404


@pytest.mark.parametrize("code", [400, 401, 403, 409, 410, 500, 503])
def test_find_takes_no_other_refusal_for_nothing(api: Api, server: ApiServer, code: int) -> None:
    server.replies = [_refusal(code)]

    with pytest.raises(ApiError) as caught:
        api.find(f"{NODES}/x")
    assert caught.value.code == code


def test_an_unknown_user_is_told_to_renew_the_credentials(api: Api, server: ApiServer) -> None:
    server.replies = [_refusal(401, "Unauthorized")]

    with pytest.raises(ApiError) as caught:
        api.get(NODES)

    assert "does not know the user of context 'one': Unauthorized" in str(caught.value)
    assert caught.value.remedy == "renew the credentials in the kubeconfig"


def test_a_missing_right_is_told_in_the_servers_words(api: Api, server: ApiServer) -> None:
    server.replies = [_refusal(403, "nodes is forbidden")]

    with pytest.raises(ApiError, match=r"^nodes is forbidden\. Grant what `ipv6k8s rbac` prints"):
        api.get(NODES)


@pytest.mark.parametrize(
    ("code", "message", "remedy"),
    [
        (403, 'User "u" cannot create resource "namespaces" in API group ""', "ipv6k8s rbac"),
        (403, 'admission webhook "v.k.svc" denied the request: no owner', "--ipv6k8s-label"),
        (
            403,
            "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: x",
            "--ipv6k8s-label",
        ),
        (
            422,
            "ValidatingAdmissionPolicy 'p' with binding 'b' denied request: x",
            "--ipv6k8s-label",
        ),
        (403, 'violates PodSecurity "restricted:latest"', "our namespaces exempted"),
        (403, "exceeded quota: q, requested: pods=1", "room in the quota"),
    ],
)
def test_what_admission_refuses_is_no_missing_right(
    api: Api, server: ApiServer, code: int, message: str, remedy: str
) -> None:
    server.replies = [_refusal(code, message)]

    with pytest.raises(ApiError) as caught:
        api.create("/api/v1/namespaces", {"metadata": {"name": "n"}})

    assert remedy in caught.value.remedy


def test_a_refusal_without_words_names_the_request(api: Api, server: ApiServer) -> None:
    server.replies = [Reply(code=403, body=b"")]

    with pytest.raises(ApiError, match="/api/v1/nodes"):
        api.get(NODES)


@pytest.mark.parametrize(("given", "waited"), [("7", 7.0), ("600", 10.0), (None, 1.0)])
def test_a_busy_server_is_asked_again_when_it_says(
    api: Api, server: ApiServer, paused: list[float], given: str | None, waited: float
) -> None:
    headers = {"Retry-After": given} if given else {}
    server.replies = [Reply(code=429, headers=headers), Reply(body={"ok": True})]

    assert api.get(NODES) == {"ok": True}
    assert paused == [waited]
    assert len(server.asked) == 2


def test_a_busy_server_may_name_a_date(api: Api, server: ApiServer) -> None:
    date = {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.replies = [Reply(code=429, headers=date), Reply(body={"ok": True})]

    assert api.get(NODES) == {"ok": True}


def test_a_server_that_stays_busy_is_given_up(
    api: Api, server: ApiServer, paused: list[float]
) -> None:
    server.replies = [_refusal(429, "slow down")]

    with pytest.raises(ApiError, match="429 slow down"):
        api.get(NODES)
    assert len(paused) == 2
    assert len(server.asked) == 3


@pytest.mark.parametrize("code", [502, 503, 504])
def test_a_server_that_was_away_is_asked_again_for_what_is_only_read(
    api: Api, server: ApiServer, paused: list[float], code: int
) -> None:
    server.replies = [_refusal(code, "starting"), Reply(body={"ok": True})]

    assert api.get(NODES) == {"ok": True}
    assert paused == [1.0]


@pytest.mark.parametrize("code", [502, 503, 504])
def test_what_may_have_been_done_is_not_done_twice(
    api: Api, server: ApiServer, paused: list[float], code: int
) -> None:
    server.replies = [_refusal(code, "starting"), Reply(body={"ok": True})]

    with pytest.raises(ApiError, match="starting"):
        api.create(NODES, {})
    assert not paused


def test_a_deletion_may_find_nothing(api: Api, server: ApiServer) -> None:
    server.replies = [_refusal(404)]

    api.delete(f"{SERVICES}/x", grace=1)
    api.delete(f"{SERVICES}/x")

    assert [asked.body for asked in server.asked] == [{"gracePeriodSeconds": 1}, {}]


def test_a_deletion_that_is_refused_is_an_error(api: Api, server: ApiServer) -> None:
    server.replies = [_refusal(403, "forbidden")]

    with pytest.raises(ApiError, match="forbidden"):
        api.delete(f"{SERVICES}/x")


def test_an_accepted_proposal_is_what_the_server_makes_of_it(api: Api, server: ApiServer) -> None:
    _lay(server, {"spec": {"clusterIP": "fd00::1"}}, code=201)

    outcome = api.try_create(SERVICES, {"spec": {}})

    assert outcome.accepted
    assert outcome.object == {"spec": {"clusterIP": "fd00::1"}}
    assert server.asked[0].path == f"{SERVICES}?dryRun=All"


def test_a_proposal_may_be_meant(api: Api, server: ApiServer) -> None:
    _lay(server, {}, code=201)

    api.try_create(SERVICES, {}, dry_run=False)

    assert server.asked[0].path == SERVICES


@pytest.mark.parametrize("code", [400, 422])
def test_a_refused_proposal_says_why(api: Api, server: ApiServer, code: int) -> None:
    cause = {"field": "spec.clusterIPs[0]", "reason": "FieldValueInvalid", "message": "taken"}
    status = {"kind": "Status", "message": "is invalid", "details": {"causes": [cause, {}]}}
    _lay(server, status, code=code)

    outcome = api.try_create(SERVICES, {})

    assert not outcome.accepted
    assert not outcome.denied
    assert (outcome.code, outcome.message, outcome.object) == (code, "is invalid", {})
    assert outcome.causes == (Cause(**cause), Cause(field="", reason="", message=""))


FIELD = {"field": "metadata.labels", "message": "team is missing"}
POLICY = {"message": "ValidatingAdmissionPolicy 'ports' with binding 'all' denied request: no"}


@pytest.mark.parametrize(
    ("code", "message", "causes"),
    [
        (400, 'admission webhook "validate.kyverno.svc-fail" denied the request: no', []),
        (403, 'admission webhook "validation.gatekeeper.sh" denied the request: no', []),
        (422, 'admission webhook "labels.example.com" denied the request: is invalid', [FIELD]),
        (406, 'admission webhook "odd.example.com" denied the request: no', []),
        (422, f'services "x" is forbidden: {POLICY["message"]}', [POLICY]),
        (403, 'services "x" is forbidden: exceeded quota: q, requested: services.nodeports=1', []),
    ],
)
def test_what_admission_denies_is_told_apart_from_what_is_invalid(
    api: Api, server: ApiServer, code: int, message: str, causes: list[dict[str, str]]
) -> None:
    _lay(server, {"kind": "Status", "message": message, "details": {"causes": causes}}, code=code)

    outcome = api.try_create(SERVICES, {})

    assert (outcome.denied, outcome.message) == (True, message)


def test_a_full_range_is_an_answer(api: Api, server: ApiServer) -> None:
    full = "Internal error occurred: failed to allocate a serviceIP: range is full"
    _lay(server, {"kind": "Status", "message": full}, code=500)

    outcome = api.try_create(SERVICES, {})

    assert (outcome.accepted, outcome.denied, outcome.message) == (False, False, full)


NO_VERDICT = {
    "a webhook that cannot be called": (500, 'failed calling webhook "x": connection refused'),
    "etcd": (500, "etcdserver: request timed out"),
    "a missing right": (403, 'services is forbidden: User "u" cannot create resource "services"'),
}


@pytest.mark.parametrize("case", NO_VERDICT)
def test_whoever_keeps_a_proposal_from_being_judged_gives_no_verdict(
    api: Api, server: ApiServer, case: str
) -> None:
    code, message = NO_VERDICT[case]
    _lay(server, {"kind": "Status", "message": message}, code=code)

    with pytest.raises(ControlChannelError, match="no verdict on the object"):
        api.try_create(SERVICES, {})


@pytest.mark.parametrize("code", [400, 403, 422, 500])
def test_the_page_of_a_load_balancer_gives_no_verdict(
    api: Api, server: ApiServer, code: int
) -> None:
    server.replies = [Reply(code=code, body=b"<html>failed to allocate</html>")]

    with pytest.raises(ControlChannelError, match="no verdict on the object"):
        api.try_create(SERVICES, {})


@pytest.mark.parametrize("code", [401, 404, 409, 429, 502, 503, 504])
def test_no_verdict_on_a_proposal_is_trouble_of_the_channel(
    api: Api, server: ApiServer, code: int
) -> None:
    server.replies = [_refusal(code, "later")]

    with pytest.raises(ControlChannelError, match=f"POST {SERVICES}: {code} later"):
        api.try_create(SERVICES, {})


def test_a_webhook_that_knows_no_dry_run_gives_no_verdict(api: Api, server: ApiServer) -> None:
    server.replies = [_refusal(400, 'webhook "x" does not support dry run')]

    with pytest.raises(ControlChannelError, match="does not support dry run"):
        api.try_create(SERVICES, {})


def test_an_error_page_of_a_proxy_is_quoted(api: Api, server: ApiServer) -> None:
    server.replies = [Reply(code=502, body=b"<html>Bad\n  Gateway</html>\xff")]

    with pytest.raises(ApiError, match="502 <html>Bad Gateway</html>"):
        api.get(NODES)


@pytest.mark.parametrize("page", [b"<html>Log in</html>", b'"text"', b"[]"])
def test_a_page_that_is_no_object_is_not_taken_for_one(
    api: Api, server: ApiServer, page: bytes
) -> None:
    server.replies = [Reply(body=page)]

    with pytest.raises(Ipv6k8sError):
        api.get(NODES)


def test_no_error_shows_the_token(api: Api, server: ApiServer) -> None:
    for code in (400, 401, 403, 500):
        server.replies = [_refusal(code)]
        with pytest.raises(ApiError) as caught:
            api.get(NODES)
        assert TOKEN not in str(caught.value) + repr(caught.value)
