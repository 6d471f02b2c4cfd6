"""What a probe can do: one operation a file, each with ``Request``, ``Answer`` and ``perform``.

The same file is used on both sides: here for its types, in the pod for its action. So it imports
the standard library only and keeps to the syntax of Python 3.9.
"""

from __future__ import annotations

from typing import Generic, TypeVar

A = TypeVar("A")


class Request(Generic[A]):
    """A request whose answer is an ``A``. Every request has ``timeout``, in seconds.

    ``awaits_one`` tells that it waits for one peer to answer, so that it can be given up sooner.
    """

    awaits_one = False
    timeout: float
