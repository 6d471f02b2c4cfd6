"""After a control plane was away, its watchers get the time that they may need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from pytest_ipv6k8s.kube import comeback
from pytest_ipv6k8s.kube.client import ApiError, Object
from tests.unit.fake_api import FakeApi

LEASE = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-controller-manager"


def _lease(age: int, transitions: int | None = 1) -> Object:
    spec = {
        "acquireTime": "2026-01-01T00:00:00.000000Z",
        "renewTime": f"2026-01-01T00:{age // 60:02}:{age % 60:02}.500000Z",
        "leaseTransitions": transitions,
    }
    return {"spec": spec}


class _Renewed(FakeApi):
    """An API server whose leader renews its Lease ten seconds later each time."""

    def __init__(self, ages: Iterator[int]) -> None:
        super().__init__()
        self._ages = ages

    def get(self, path: str, **query: str) -> Object:
        assert path == LEASE
        return _lease(next(self._ages))


def _told(api: FakeApi) -> list[str]:
    told: list[str] = []
    comeback.await_watchers(api, told.append)
    return told


def test_watchers_get_their_time_after_the_control_plane_came_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    ages = iter(range(20, 130, 10))

    (line,) = _told(_Renewed(ages))

    assert line.startswith("the control plane came back 20 s ago; waiting 70 s more")
    assert next(ages) == 100


@pytest.mark.parametrize(
    "lease",
    [
        _lease(91),
        _lease(3, transitions=0),
        _lease(3, transitions=None),
        {"spec": {}},
        {},
        ApiError("no", code=403),
        ApiError("none", code=404),
        ApiError("broken", code=500),
    ],
    ids=["long ago", "first", "untold", "empty", "nothing", "refused", "absent", "broken"],
)
def test_nobody_waits_where_nothing_came_back(lease: Object | Exception) -> None:
    api = FakeApi()
    api.singles[LEASE] = lease

    assert not _told(api)


@pytest.mark.parametrize("key", ["renewTime", "acquireTime"])
@pytest.mark.parametrize("value", [None, "", "yesterday", 7])
def test_a_lease_that_cannot_be_read_is_none(key: str, value: object) -> None:
    api, lease = FakeApi(), _lease(3)
    lease["spec"][key] = value
    api.singles[LEASE] = lease

    assert not _told(api)
