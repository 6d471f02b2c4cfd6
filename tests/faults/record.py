"""What a fault turned red, written down where FAULTS_RECORD names a folder (`make faults`)."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tests.real import ROOT, SuiteRun

RECORD = "FAULTS_RECORD"
PACKAGE = ROOT / "pytest_ipv6k8s"
JUDGES = (
    ROOT / "conformance",
    *(PACKAGE / room for room in ("agent", "netpol", "probe", "suite")),
    *(PACKAGE / f"{file}.py" for file in ("expectations", "resting", "verdicts")),
)
"""What a record is true of: checks, probes, what they share, and what makes verdicts."""


@cache
def code() -> str:
    """Return a digest over all that asks and judges."""
    files = sorted(file for place in JUDGES for file in (place, *place.rglob("*.py")))
    files = [file for file in files if file.suffix == ".py"]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]


def file_of(test: str) -> Path | None:
    """Return where what a test saw belongs; None where nothing is recorded.

    Args:
        test: its node id.
    """
    folder = os.environ.get(RECORD)
    path, _, name = test.partition("::")
    _, _, which = name.partition("[")
    parts = (Path(path).stem.removeprefix("test_"), which.rstrip("]"))
    return Path(folder, "-".join(filter(None, parts)) + ".json") if folder else None


def is_recorded(test: str) -> bool:
    """Tell whether what a test saw is recorded already, of the same code."""
    file = file_of(test)
    return bool(file and file.exists() and json.loads(file.read_text("utf-8"))["code"] == code())


def record(
    must: Collection[str],
    causes: Mapping[str, str],
    run: SuiteRun,
    asked: SuiteRun,
    seconds: float,
) -> None:
    """Write down what the test that runs saw, whether or not it is what it wants to see.

    Args:
        must: the checks that have to see the fault.
        causes: what the first causes of a failed check have to say, by check id.
        run: the suite on the broken cluster.
        asked: the same, when what rests on a red check was asked all the same.
        seconds: how long ``run`` took.
    """
    file = file_of(os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0])
    if file is None:
        return
    failed, held = run.ids("fail"), run.ids("not judged")
    told = {id: any(words in cause for cause in run.causes(id)) for id, words in causes.items()}
    seen: dict[str, Any] = {
        "code": code(),
        "stack": run.report["cluster"]["stack"],
        "caughtBy": sorted(failed & set(must)),
        "missedBy": sorted(set(must) - failed - held),
        "alsoRed": sorted(run.red - set(must)),
        "causeTold": sorted(id for id in failed & set(causes) if told[id]),
        "causeMissing": sorted(id for id in failed & set(causes) if not told[id]),
        "died": sorted({trace["died"] for id in failed for trace in run.traces(id)}),
        "notJudged": sorted(held),
        "passWhenAsked": sorted(held & asked.ids("pass")),
        "failWhenAsked": sorted(held & asked.ids("fail")),
        "seconds": round(seconds),
    }
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(seen, indent=2) + "\n", "utf-8")
