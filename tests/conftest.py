"""Fixtures that every test may use. Stores are real; nothing of ours is mocked."""

import os

import pytest

_OURS = ("HEADWATER_", "NEO4J_", "OPENLINEAGE_")
_FOR_TESTS = ("HEADWATER_TEST_",)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a developer has set for a server of their own does not reach a test."""
    for name in os.environ:
        if name.startswith(_OURS) and not name.startswith(_FOR_TESTS):
            monkeypatch.delenv(name)
