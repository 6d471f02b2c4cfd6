"""The report's schema is strict, and says what the code says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import resources
from typing import Any

import jsonschema
import pytest

from pytest_ipv6k8s import results, settings
from pytest_ipv6k8s.addresses import Family, Stack
from pytest_ipv6k8s.checks import Level
from pytest_ipv6k8s.evidence import Record, digest
from pytest_ipv6k8s.plain import keys
from pytest_ipv6k8s.reports import API_VERSION, model
from pytest_ipv6k8s.reports.claims import NOT_RUN
from pytest_ipv6k8s.reports.model import Report
from pytest_ipv6k8s.settings import IMPLEMENTATION
from pytest_ipv6k8s.verdicts import Result, Verdict
from tests.documents import report, sample

SCHEMA = json.loads(resources.files("pytest_ipv6k8s").joinpath("reports/schema.json").read_text())
DEFS, TOP = SCHEMA["$defs"], SCHEMA["properties"]
TRACE = DEFS["item"]["properties"]["failure"]["properties"]["traces"]["items"]
HOME = "https://raw.githubusercontent.com/pytest-ipv6k8s/pytest-ipv6k8s/main/"
OPEN = {"request", "answer"}


def _objects(schema: Any, name: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every schema of an object, under the name of its property."""
    if isinstance(schema, dict):
        if schema.get("type") == "object" and name not in OPEN:
            yield name, schema
        for key, value in schema.items():
            yield from _objects(value, key)


def test_it_is_a_schema_with_a_name_and_an_address() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$id"] == f"{HOME}pytest_ipv6k8s/reports/schema.json"
    assert SCHEMA["title"]


def test_no_object_takes_unknown_keys() -> None:
    for name, schema in _objects(SCHEMA):
        more = schema.get("additionalProperties")
        assert more is False or (isinstance(more, dict) and "properties" not in schema), name


TYPES: dict[type, Any] = {
    Report: SCHEMA,
    model.Suite: TOP["suite"],
    model.Selection: TOP["selection"],
    model.Implementation: TOP["implementation"],
    model.Claim: TOP["profiles"]["items"],
    model.ClaimedPart: DEFS["part"],
    model.Features: TOP["features"],
    model.Cluster: TOP["cluster"],
    model.Node: TOP["cluster"]["properties"]["nodes"]["items"],
    model.Connectivity: TOP["connectivity"],
    model.Setting: TOP["settings"]["additionalProperties"],
    model.Reproduce: TOP["reproduce"],
    model.Waived: TOP["waivers"]["items"],
    model.RunCost: TOP["cost"],
    model.CheckResult: DEFS["check"],
    model.HarnessFact: TOP["harness"]["items"],
    results.Outcome: DEFS["item"],
    results.Evidence: DEFS["item"]["properties"]["evidence"]["items"],
    results.Failure: DEFS["item"]["properties"]["failure"],
    results.Trace: TRACE,
    results.Hop: TRACE["properties"]["hops"]["items"],
}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.__name__)
def test_an_object_has_the_fields_of_its_type(kind: type) -> None:
    known, schema = keys(kind, camel=True), TYPES[kind]
    of_the_file = {"apiVersion", "kind"} if kind is Report else set()

    assert set(schema["properties"]) == set(known) | of_the_file
    required = {name for name, has_default in known.items() if not has_default}
    assert set(schema["required"]) == required | of_the_file


def test_every_object_with_keys_of_its_own_has_a_type() -> None:
    named = [id(schema) for _, schema in _objects(SCHEMA) if "properties" in schema]
    counts = {id(DEFS["counts"]), id(DEFS["part"]["properties"]["statistics"])}

    assert set(named) - counts == {id(schema) for schema in TYPES.values()}


def test_words_are_those_of_the_code() -> None:
    verdicts = {verdict.value for verdict in Verdict}
    item = DEFS["item"]["properties"]
    option = SCHEMA["properties"]["settings"]["additionalProperties"]["properties"]

    assert set(DEFS["verdict"]["enum"]) == verdicts
    assert set(DEFS["counts"]["properties"]) == verdicts
    assert set(DEFS["check"]["properties"]["level"]["enum"]) == {level.value for level in Level}
    assert set(item["family"]["enum"]) == {family.value for family in Family}
    verdict = TOP["waivers"]["items"]["properties"]["verdict"]
    assert set(verdict["enum"]) == verdicts
    stacks = SCHEMA["properties"]["cluster"]["properties"]["stack"]["enum"]
    assert set(stacks) == {stack.value for stack in Stack}
    sources = {settings.COMMAND_LINE, settings.ENVIRONMENT, settings.INI}
    assert set(option["source"]["enum"]) == sources
    assert TOP["apiVersion"]["const"] == API_VERSION


def test_evidence_has_the_keys_of_a_record() -> None:
    record: Record[Any] = Record(source="probe-00", request={"op": "x"}, answer={"y": 1})
    evidence = DEFS["item"]["properties"]["evidence"]["items"]

    assert set(evidence["properties"]) == set(record.plain())
    jsonschema.validate(record.plain(), evidence)
    jsonschema.validate(digest([record]), DEFS["item"]["properties"]["digest"])


@pytest.mark.parametrize("plain", [report().plain(), sample().plain()], ids=["empty", "full"])
def test_a_report_keeps_to_it(plain: dict[str, Any]) -> None:
    assert list(plain) == list(SCHEMA["properties"])
    jsonschema.validate(plain, SCHEMA)


def test_names_are_those_of_the_code() -> None:
    assert set(SCHEMA["properties"]["implementation"]["properties"]) == set(IMPLEMENTATION)
    assert DEFS["part"]["properties"]["statistics"]["required"] == [
        *(verdict.value for verdict in Verdict),
        NOT_RUN,
    ]
    assert DEFS["result"]["enum"] == [result.value for result in Result]
