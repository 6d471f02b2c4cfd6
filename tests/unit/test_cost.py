"""What is asked of a cluster is counted, from whatever thread."""

from __future__ import annotations

import json
import threading

from pytest_ipv6k8s.cost import Cost


def test_threads_count_together() -> None:
    cost = Cost()

    def ask() -> None:
        for _ in range(500):
            cost.add(api_requests=1)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (cost.api_requests, cost.exec_sessions) == (4000, 0)


def test_what_another_process_counted_is_added() -> None:
    cost, other = Cost(api_requests=1), Cost(api_requests=2, exec_sessions=3)

    cost.add(**json.loads(json.dumps(other.plain())))

    assert cost.plain() == {"api_requests": 3, "exec_sessions": 3}
