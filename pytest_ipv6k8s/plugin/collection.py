"""What runs: the built-in suite, families as parameters, unique ids, skips by stack and feature."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pytest_ipv6k8s import catalogue
from pytest_ipv6k8s.absences import not_applicable
from pytest_ipv6k8s.addresses import Family
from pytest_ipv6k8s.catalogue import SUITE
from pytest_ipv6k8s.checks import Area, Check, check_of
from pytest_ipv6k8s.evidence import Recorder
from pytest_ipv6k8s.plugin.state import (
    CHECKS,
    FACTS,
    LEDGER,
    RECORDER,
    SETTINGS,
    WHERE,
    is_worker,
)
from pytest_ipv6k8s.profiles import PROFILES
from pytest_ipv6k8s.resting import Ledger, in_order, place_between
from pytest_ipv6k8s.settings import NAME_A_CLUSTER, Settings
from pytest_ipv6k8s.suggestions import alike

NOT_APPLICABLE = pytest.StashKey[str]()
UNMET = pytest.StashKey[str]()
HELD = pytest.StashKey[tuple[str, ...]]()
NO_CLUSTER = "no cluster to test: give --ipv6k8s-kubeconfig=FILE or --ipv6k8s-provider=kind"


def look_only_at_the_suite(config: pytest.Config) -> None:
    """Where the suite alone will run, let pytest load the suite's ``conftest.py`` only.

    Args:
        config: before it is configured; see ``pytest_load_initial_conftests``.
    """
    pytest.register_assert_rewrite(SUITE, "conformance")
    known, folder = config.known_args_namespace, _suite_folder()
    naming = tuple(f"--ipv6k8s-{key}" for key in NAME_A_CLUSTER)
    asked = any(str(word).startswith(naming) for word in config.invocation_params.args)
    in_testpaths = config.getini("testpaths") and config.invocation_params.dir == config.rootpath
    alone = asked and not known.file_or_dir and not in_testpaths
    if folder and (known.file_or_dir == [SUITE] or alone):
        known.file_or_dir = [str(folder)]
        known.confcutdir = str(folder)  # the folder may be below that of another project


def add_suite(config: pytest.Config, settings: Settings) -> None:
    """Run the built-in suite when a cluster was asked for on the command line, and no tests.

    Raises:
        pytest.UsageError: nothing but the suite runs, and it has no check that is waived or chosen.
    """
    alone = config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR
    if settings.asked_on_command_line and alone:
        config.args = [SUITE]
        config.option.pyargs = True
    if config.args == [SUITE]:
        _refuse_unknown(settings)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    """Collect the files of the suite whatever ``python_files`` says."""
    if file_path.parent != _suite_folder() or not file_path.match("test_*.py"):
        return None
    if any(file_path.match(pattern) for pattern in parent.config.getini("python_files")):
        return None
    return pytest.Module.from_parent(parent, path=file_path)


@functools.cache
def _suite_folder() -> Path | None:
    found = importlib.util.find_spec(SUITE)
    return Path(found.origin).parent if found and found.origin else None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one item for each family that the check declares and the cluster has."""
    declared = check_of(metafunc.function)
    if declared is None or not declared.families:
        return
    families = _families(metafunc.config, declared)
    metafunc.parametrize("family", families, ids=[family.value for family in families])


def _families(config: pytest.Config, declared: Check) -> tuple[Family, ...]:
    """Return the families in which a check is asked; one, where the cluster has none of its own.

    Before there is a cluster, these are all.
    """
    facts = config.stash.get(FACTS, None)
    there: Iterable[Family] = Family
    if facts is not None:
        there = facts.stack_of(declared.families_of).families
    elif config.option.collectonly:
        there = config.stash[SETTINGS].cluster.stack.families
    found = tuple(family for family in declared.families if family in tuple(there))
    return found or declared.families[:1]


def keep_families(session: pytest.Session) -> None:
    """Drop, now that the cluster is known, the items of families that it does not have."""
    config = session.config
    take_facts(config)

    def is_kept(item: pytest.Item) -> bool:
        declared, family = declared_by(item), family_of(item)
        return declared is None or family is None or family in _families(config, declared)

    session.items[:] = [item for item in session.items if is_kept(item)]
    session.testscollected = len(session.items)


def take_facts(config: pytest.Config) -> None:
    """Let the items know what stands, if it does already."""
    facts = config.stash.get(FACTS, None)
    if facts is not None:
        config.stash[WHERE] = facts.where
        if not config.stash[SETTINGS].all:
            config.stash[LEDGER] = Ledger(facts.home, config.stash[CHECKS])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Give items level marks and ids as keywords.

    Raises:
        pytest.UsageError: two checks share an id, or there is no cluster to check.
    """
    seen: dict[str, object] = {}
    checks: dict[str, Check] = {}
    for item in items:
        declared = declared_by(item)
        if declared is None:
            continue
        function = getattr(item, "function")  # noqa: B009
        if seen.setdefault(declared.id, function) is not function:
            raise pytest.UsageError(f"two checks have the id {declared.id}")
        checks[declared.id] = declared
        item.add_marker(declared.level.value)
        item.extra_keyword_matches.add(declared.id)
    _sort(items, checks)
    config.stash[CHECKS] = checks
    take_facts(config)
    _keep_chosen(config, items)
    if seen and not config.option.collectonly and not is_worker(config):
        if not config.stash[SETTINGS].wants_cluster:
            raise pytest.UsageError(NO_CLUSTER)
        _refuse_unknown(config.stash[SETTINGS], seen)


def _sort(items: list[pytest.Item], checks: Mapping[str, Check]) -> None:
    """Put the checks into the order in which they are asked; other tests keep their places."""
    order = in_order(checks)
    places = [n for n, item in enumerate(items) if declared_by(item)]
    ordered = sorted((items[n] for n in places), key=lambda item: order[id_of(item)])
    for place, item in zip(places, ordered, strict=True):
        items[place] = item


def id_of(item: pytest.Item) -> str:
    """Return the id of the check behind an item, empty when it is a test."""
    declared = declared_by(item)
    return declared.id if declared else ""


def _refuse_unknown(settings: Settings, collected: Collection[str] = ()) -> None:
    """Refuse a name of a check that neither the suite has nor was collected.

    Raises:
        pytest.UsageError: there is one.
    """
    waived = {waiver.id for waiver in settings.waive}
    chosen = {word.removeprefix("!") for word in settings.check}
    areas = {*Area.__members__, *(id.split("-")[0] for id in collected)}
    for option, names, more in (("waive", waived, set()), ("check", chosen, areas)):
        left = names - set(collected) - more
        unknown = sorted(left - set(catalogue.checks())) if left else []
        if unknown:
            close = alike(unknown[0], [*catalogue.checks(), *more])
            hint = f" Did you mean {close}?" if close else ""
            names_of = ", ".join(unknown)
            raise pytest.UsageError(
                f"--ipv6k8s-{option}: there is no check {names_of}. See `ipv6k8s list`.{hint}"
            )


def _keep_chosen(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the checks that are not chosen, or belong to none of the profiles asked for."""
    settings = config.stash[SETTINGS]
    asked = [PROFILES[name] for name in settings.profile]

    def is_kept(item: pytest.Item) -> bool:
        declared = declared_by(item)
        if declared is None:
            return True
        part = not asked or any(profile.part_of(declared) for profile in asked)
        return part and catalogue.is_chosen(declared, settings.check)

    others = [item for item in items if not is_kept(item)]
    if others:
        items[:] = [item for item in items if item not in others]
        config.hook.pytest_deselected(items=others)


def declared_by(item: pytest.Item) -> Check | None:
    """Return what the check behind an item declares, or None when it is a test."""
    return check_of(getattr(item, "function", None))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a check that the stack rules out or for which a feature is missing."""
    declared = declared_by(item)
    facts = item.config.stash.get(FACTS, None)
    if declared is None or facts is None:
        return
    absent = not_applicable(declared, facts)
    if absent:
        item.stash[NOT_APPLICABLE] = absent
        pytest.skip(f"{declared.id} not applicable, {absent}")
    for feature in declared.features:
        if not feature.is_met(facts):
            reason = feature.skip_reason(facts)
            item.stash[UNMET] = reason
            pytest.skip(f"{declared.id} {reason}")
    _hold_back(item, declared)


def family_of(item: pytest.Item) -> Family | None:
    """Return the family that an item is about, None for a check that has one item."""
    callspec = getattr(item, "callspec", None)
    return callspec.params.get("family") if callspec else None


def _hold_back(item: pytest.Item, declared: Check) -> None:
    """Skip a check that cannot pass for a red one; else note what is red that it rests on."""
    ledger, family = item.config.stash.get(LEDGER, None), family_of(item)
    held = ledger.holding(declared, family) if ledger else ()
    if held:
        item.stash[HELD] = held
        pytest.skip(f"{declared.id} not judged, rests on {', '.join(held)}")
    red = ledger.doubtful(declared, family) if ledger else ()
    nodes = item.config.stash.setdefault(WHERE, {})

    def doubt(source: str, request: dict[str, Any]) -> bool:
        if not red:  # as on every healthy cluster, for every question
            return False
        place = place_between(source, request, nodes)
        return any(found.covers(place) for found in red)

    item.config.stash.setdefault(RECORDER, Recorder()).doubt(doubt)
