"""Write docs/options.md from the option table."""

from __future__ import annotations

from pathlib import Path

from pytest_ipv6k8s.settings import OPTIONS

HEAD = "| option | meaning |\n|---|---|\n"
PAGE = Path(__file__).resolve().parents[1] / "docs" / "options.md"


def main() -> None:
    """Put one row for each option below the table's head."""
    text, head, _ = PAGE.read_text("utf-8").partition(HEAD)
    rows = [
        f"| `{option.flag}{f' {option.metavar}' if option.metavar else ''}` | {option.help} |\n"
        for option in OPTIONS
    ]
    PAGE.write_text(text + head + "".join(rows), "utf-8")


if __name__ == "__main__":
    main()
