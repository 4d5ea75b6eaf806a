"""The page on OpenLineage names every rule of conformance."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
SOURCES = ("openlineage/wire.py", "log/sqlite/writing.py")
RULES = sorted(
    {
        rule
        for source in SOURCES
        for rule in re.findall(
            r'Finding\(\s*f?"([\w{}-]+)"', (ROOT / "server/headwater_server" / source).read_text()
        )
    }
)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_explained(rule: str) -> None:
    page = (ROOT / "docs" / "openlineage.md").read_text()
    for name in (rule.replace("{missing}", m) for m in ("_producer", "_schemaURL")):
        assert f"`{name}`" in page


def test_there_are_rules() -> None:
    assert len(RULES) > 8
