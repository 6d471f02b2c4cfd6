"""Give what reads files and peers to atheris: ``ci/fuzz.py SECONDS [NAME …]``.

atheris is no dependency, for it builds on few machines: ``pip install atheris``.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))
ONE = "--one"


def _one(name: str, seconds: str, corpus: str) -> None:
    """Let atheris try one reader; it ends the process itself."""
    import atheris  # type: ignore[import-untyped]

    with atheris.instrument_imports(include=["pytest_ipv6k8s"]):
        from tests.unit.inputs import READERS

        read, right, _ = READERS[name]
    for number, data in enumerate(right):
        (Path(corpus) / str(number)).write_bytes(data)
    options = [f"-max_total_time={seconds}", "-timeout=5", "-rss_limit_mb=1024", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, "-print_final_stats=1", corpus], read)
    atheris.Fuzz()


def main(seconds: str, *names: str) -> int:
    """Try readers one after the other, all where none is named; return how many broke."""
    from tests.unit.inputs import READERS

    broke = 0
    for name in names or READERS:
        print(name, flush=True)
        with TemporaryDirectory() as corpus:
            words = [sys.executable, __file__, ONE, name, seconds, corpus]
            broke += subprocess.run(words, cwd=corpus, check=False).returncode != 0
    return broke


if __name__ == "__main__":
    if sys.argv[1] == ONE:
        _one(*sys.argv[2:])
    sys.exit(main(*sys.argv[1:]))
