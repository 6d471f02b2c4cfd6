"""The kinds of trouble there are.

::

    Ipv6k8sError              anything we can explain; carries a remedy
    ├── ConfigError           an option, a file or a name is wrong            exit 4
    ├── HostProblem           this machine cannot do what was asked           exit 4
    ├── ClusterError          the cluster cannot be reached, used or made     exit 4
    └── ControlChannelError   the API server or an exec session broke off     inconclusive
    Inconclusive              a check could not find out                      inconclusive
    NothingToJudge            a check looked: it is about nothing here        not applicable
"""

from __future__ import annotations

from collections.abc import Iterable

from pytest_ipv6k8s.masking import cleaned, masked

_LONGEST = 1000


class Ipv6k8sError(Exception):
    """A known trouble: one sentence that says what is wrong, one that says what to do.

    Args:
        problem: what is wrong, with names and values, without a final stop; secrets that we hold
            and control characters are taken out.
        remedy: what the reader can do about it, as an imperative; may be empty.
    """

    def __init__(self, problem: str, *, remedy: str = "") -> None:
        self.problem = "\n".join(map(_cut, cleaned(masked(problem)).split("\n")))
        self.remedy = remedy
        super().__init__(self.problem)

    def __str__(self) -> str:
        if not self.remedy:
            return self.problem
        stop = "" if self.remedy.endswith("?") else "."
        return f"{self.problem}. {self.remedy[0].upper()}{self.remedy[1:]}{stop}"


def _cut(line: str) -> str:
    """Return a line that can be read: what a user gave may be of any length."""
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"


class ConfigError(Ipv6k8sError):
    """An option, a file or a name that was given is wrong."""


class HostProblem(Ipv6k8sError):
    """This machine lacks something that the run needs."""


class ClusterError(Ipv6k8sError):
    """The cluster cannot be reached, used or made."""


class ControlChannelError(Ipv6k8sError):
    """The way to the API server or to a probe broke; says nothing about the network under test."""


class Inconclusive(Exception):
    """Raised by a check, a fixture or a probe that could not find out; never a failure."""


class NothingToJudge(Exception):
    """Raised by a check that looked and found nothing here that its requirement is about."""


def by_reason(troubles: Iterable[tuple[str, str]], *, at_most: int = 3) -> str:
    """Return who is in trouble in one line, by reason: ``a, b and 4 more (NotReady)``.

    Args:
        troubles: pairs of a name and the reason.
        at_most: so many are named for a reason.
    """
    names: dict[str, list[str]] = {}
    for name, reason in troubles:
        names.setdefault(reason, []).append(name)
    parts = []
    for reason, some in names.items():
        more = f" and {len(some) - at_most} more" if len(some) > at_most else ""
        parts.append(f"{', '.join(some[:at_most])}{more} ({reason})")
    return ", ".join(parts)
