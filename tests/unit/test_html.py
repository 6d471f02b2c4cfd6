"""The report as HTML: whole, closed, in order for every reader, and deaf to hostile texts."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import re
from collections import Counter
from html.parser import HTMLParser

import dns.message
import dns.rrset
import pytest

from pytest_ipv6k8s.reports.formats import html
from pytest_ipv6k8s.reports.model import Implementation, Report, Reproduce
from pytest_ipv6k8s.results import Evidence, Failure
from tests.documents import report, result, sample
from tests.golden.write import GOLDEN

VOID = {"meta", "br", "link", "img", "input", "hr"}


def _written(report: Report) -> str:
    out = io.StringIO()
    html.write(report, out)
    return out.getvalue()


class _Page(HTMLParser):
    """Notes elements, attributes and texts, and insists that every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def all(self, *tags: str) -> list[dict[str, str]]:
        """Return the attributes of all elements with one of these tags."""
        return [attributes for tag, attributes in self.elements if tag in tags]


@pytest.fixture(scope="module")
def page() -> _Page:
    """The sample, parsed."""
    return _Page(_written(sample()))


def test_it_looks_as_it_looked() -> None:
    assert _written(sample()) == (GOLDEN / "report.html").read_text("utf-8"), (
        "if this is meant: python -m tests.golden.write"
    )


def test_nothing_is_fetched_and_only_our_own_script_runs(page: _Page) -> None:
    text = _written(sample())
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()

    assert page.all("script") == [{}]
    assert not page.all("link", "img", "iframe", "object", "embed", "base", "form")
    assert not [a for _, a in page.elements if {"src", "srcset", "style"} & set(a) - {"style"}]
    assert "@import" not in text
    assert "url(" not in text
    policy = page.all("meta")[2]
    assert policy["content"] == (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )


def test_ids_are_unique_and_every_link_inside_leads_somewhere(page: _Page) -> None:
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    inside = [a["href"][1:] for a in page.all("a") if a["href"].startswith("#")]
    named = [a["aria-labelledby"] for _, a in page.elements if "aria-labelledby" in a]

    assert set(ids.values()) == {1}
    assert set(inside) | set(named) <= set(ids)


def test_headings_never_leave_out_a_level(page: _Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]

    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels


def test_readers_by_ear_and_keyboard_find_their_way(page: _Page) -> None:
    assert page.all("html")[0]["lang"] == "en"
    assert page.all("a")[0] == {"class": "skip", "href": "#content"}
    assert {"header", "main", "nav", "footer"} <= {tag for tag, _ in page.elements}
    assert all("scope" in attributes for attributes in page.all("th"))
    scrolling = [a for _, a in page.elements if a.get("class") == "scroll"]
    assert all(a["tabindex"] == "0" and a["role"] == "region" for a in scrolling)
    assert not [a for _, a in page.elements if int(a.get("tabindex", 0)) > 0]
    halves = [a["aria-label"] for _, a in page.elements if a.get("role") == "img"]
    assert "IPv6 to n2 not reached" in halves


def test_a_verdict_is_never_told_by_colour_alone(page: _Page) -> None:
    text = " ".join(" ".join(page.texts).split())

    for verdict in ("fail", "inconclusive", "pass", "informational", "skip", "not applicable"):
        assert verdict in text


def test_failures_stand_before_all_checks(page: _Page) -> None:
    order = [a["id"] for a in page.all("h2")]

    assert order[:5] == ["diagnosis", "summary", "fail", "inconclusive", "profiles"]
    assert order.index("checks") > order.index("connectivity")


HOSTILE = "</style><script>alert('x')</script>\"' onload=\"x\" {{ 7 * 7 }}"


def test_a_hostile_text_stays_text() -> None:
    failed = result(
        "A-01",
        "fail",
        "IPv6",
        evidence=(
            Evidence(source=HOSTILE, request={HOSTILE: HOSTILE}, answer=[HOSTILE], seconds=1),
        ),
        reason=HOSTILE,
        bundle=HOSTILE,
        teardown=HOSTILE,
        failure=Failure(
            expected=HOSTILE, actual=(HOSTILE,), paths=(HOSTILE,), causes=(HOSTILE,), look=HOSTILE
        ),
        reachability=[(HOSTILE, HOSTILE, False)],
    )
    names = ("organization", "project", "version", "contact", "url")
    text = _written(
        report(
            failed,
            implementation=Implementation(**dict.fromkeys(names, HOSTILE)),
            waivers={"A-01": HOSTILE},
            reproduce=Reproduce(command=HOSTILE, versions={HOSTILE: HOSTILE}, images={}),
        )
    )

    page = _Page(text)
    assert len(page.all("script")) == 1
    assert not [a for _, a in page.elements if "onload" in a]
    assert "{{ 7 * 7 }}" in text
    assert text.count("<style>") == text.count("</style>") == 1


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil/"])
def test_only_a_web_address_becomes_a_link(url: str) -> None:
    page = _Page(_written(report(implementation=Implementation(url=url))))

    assert not [a for a in page.all("a") if not a["href"].startswith("#")]
    assert url in " ".join(page.texts)


@pytest.mark.parametrize(
    ("path", "link"),
    [
        ("bundles/A-01.tar.gz", "./bundles/A-01.tar.gz"),
        ("javascript:x/a b", "./javascript%3Ax/a%20b"),
        ("//evil/x", "file:////evil/x"),
    ],
)
def test_a_bundle_is_a_file_below_the_report_or_on_this_machine(path: str, link: str) -> None:
    failed = result("A-01", "fail", bundle=path, references=("a book",))
    page = _Page(_written(report(failed)))

    links = {a["href"] for a in page.all("a") if not a["href"].startswith("#")}
    assert links == {link}


def test_a_run_of_ten_nodes_has_a_narrow_matrix() -> None:
    nodes = [f"node-{number}" for number in range(10)]
    cells = [(one, other, True) for one in nodes for other in nodes]
    page = _Page(_written(report(result("ADDR-16", "pass", "IPv6", reachability=cells))))

    assert page.all("table")[1]["class"] == "matrix many"
    assert len([a for _, a in page.elements if a.get("role") == "img"]) == 100


def test_an_empty_report_can_be_read() -> None:
    page = _Page(_written(report(complete=False)))

    assert "The run did not come to its end." in page.texts


def test_colours_have_contrast_enough_in_both_schemes() -> None:
    light, dark = (GOLDEN / "report.html").read_text("utf-8").split("@media (prefers-color-scheme")
    for scheme in (light, dark.split("}")[0]):
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", scheme))
        pairs = [(name, f"{name}-back") for name in colours if f"{name}-back" in colours]
        pairs += [(name, back) for name in ("ink", "soft", "link") for back in ("page", "card")]
        assert len(pairs) == 12
        for ink, back in pairs:
            assert _contrast(colours[ink], colours[back]) >= 4.5, (ink, back)


def _contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours (WCAG 2.2)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_references_lead_to_rfcs_and_keps() -> None:
    said = ("RFC 6724 section 5, RFC 8305", "KEP-563: Services", "a book")
    page = _Page(_written(report(result("A-01", "pass", references=said))))

    assert [a["href"] for a in page.all("a") if a["href"].startswith("https:")] == [
        "https://www.rfc-editor.org/rfc/rfc6724",
        "https://www.rfc-editor.org/rfc/rfc8305",
        "https://kep.k8s.io/563",
    ]


def test_every_check_can_be_filtered_and_linked() -> None:
    page = _Page(_written(sample()))

    found = [a for a in page.all("details") if a.get("class") == "check"]
    assert [a["data-area"] for a in found] == [check.area for check in sample().checks]
    assert {a["data-verdict"] for a in found} == {check.verdict.value for check in sample().checks}
    assert next(a for _, a in page.elements if a.get("id") == "filter").get("hidden") == ""


def test_dns_messages_are_read_out() -> None:
    asked = dns.message.make_query("a.b.", "AAAA")
    answered = dns.message.make_response(asked)
    answered.answer.append(dns.rrset.from_text("a.b.", 5, "IN", "AAAA", "fd00::1"))
    wires = [base64.b64encode(message.to_wire()).decode() for message in (asked, answered)]
    kept = Evidence(
        source="probe-00",
        request={"op": "dns_exchange", "server": "10.0.0.1", "wire": wires[0]},
        answer={"wire": wires[1], "error": ""},
        seconds=0.1,
    )
    text = _written(report(result("A-01", "pass", evidence=(kept,))))

    assert "dns_exchange AAAA a.b. @10.0.0.1" in text
    assert "NOERROR, a.b. 5 IN AAAA fd00::1" in text
    assert wires[1] not in text
