"""Write the golden files anew: python -m tests.golden.write."""

from __future__ import annotations

from pathlib import Path

from pytest_ipv6k8s.reports import save
from tests.documents import sample

GOLDEN = Path(__file__).parent
NAMES = ("report.md", "report.html")


def main() -> None:
    """Write each format of the sample."""
    for name in NAMES:
        save(sample(), GOLDEN / name)


if __name__ == "__main__":
    main()
