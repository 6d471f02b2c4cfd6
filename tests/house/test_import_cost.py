"""In a project that does not ask for us, the plugin loads next to nothing."""

from __future__ import annotations

import pytest

HEAVY = ("kubernetes", "dns", "yaml", "tenacity", "filelock", "urllib3", "websocket", "jsonschema")


def test_an_unrelated_project_does_not_pay(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        import sys

        def test_nothing_heavy_is_loaded():
            assert not set({HEAVY!r}) & set(sys.modules)
            ours = [name for name in sys.modules if name.startswith("pytest_ipv6k8s")]
            assert "pytest_ipv6k8s.plugin" in ours
            assert "pytest_ipv6k8s.plugin.run" not in ours
        """
    )
    result = pytester.runpytest_subprocess("-p", "no:hypothesispytest", "-p", "no:xdist")
    result.assert_outcomes(passed=1)
