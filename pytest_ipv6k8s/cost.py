"""What a run asks of a cluster, counted where it is asked."""

from __future__ import annotations

import threading


class Cost:
    """Counts API requests and exec sessions. Safe to use from threads."""

    def __init__(self, *, api_requests: int = 0, exec_sessions: int = 0) -> None:
        self._lock = threading.Lock()
        self.api_requests = api_requests
        self.exec_sessions = exec_sessions

    def add(self, *, api_requests: int = 0, exec_sessions: int = 0) -> None:
        """Count some more."""
        with self._lock:
            self.api_requests += api_requests
            self.exec_sessions += exec_sessions

    def plain(self) -> dict[str, int]:
        """Return plain data: the arguments of :meth:`add`."""
        return {"api_requests": self.api_requests, "exec_sessions": self.exec_sessions}
