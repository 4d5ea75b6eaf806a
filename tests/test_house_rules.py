"""The rules that no linter knows."""

import ast
import os
import re
import resource
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HOMES = {"server": "headwater_server", "parsers": "headwater_parsers", "integrations": "headwater"}
MODULES = sorted(p for home in HOMES for p in (ROOT / home).rglob("*.py"))
TESTS = sorted(p for p in (ROOT / "tests").rglob("*.py") if "fixtures" not in p.parts)
PLAIN = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".graphql",
    ".sh",
    ".yml",
    ".yaml",
    ".xml",
    ".html",
    ".js",
    ".css",
    "",
}

# Written in pieces, so that this file keeps its own rules.
FORBIDDEN = "|".join(
    ("clau" + "de", "chat" + "gpt", "co" + "pilot", "sub-?" + "agent", "llm " + "agent", r"this " + "session")
)
PLACES = "|".join((r"\.\./" + "shared", "/work/" + "main", "/work/" + "shared", r"\." + "library"))
REGISTRIES = "|".join(
    (
        r"pypi\." + "org",
        r"files\.python" + "hosted",
        r"repo1?\." + r"maven",
        r"registry\." + "npmjs",
        r"(?<!emit-)index" + r"-url\s",
    )
)


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: there is no list of what belongs to the repository")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    return [f for f in files if f.suffix in PLAIN and f.is_file() and "fixtures" not in f.parts]


@pytest.mark.parametrize("home", HOMES)
def test_a_source_root_holds_one_package(home: str) -> None:
    """They are on sys.path in development, so anything else in them would be importable."""
    found = {p.name for p in (ROOT / home).iterdir() if p.is_dir() and not p.name.startswith((".", "_"))}
    assert found == {HOMES[home]}


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_says_what_it_is_and_stays_short(module: Path) -> None:
    text = module.read_text()
    lines = text.count("\n")
    assert lines <= 400, f"{lines} lines: which of its ideas gets a file of its own?"
    assert ast.get_docstring(ast.parse(text)), "say in one line what this file is for"


@pytest.mark.parametrize("module", TESTS, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_file_of_tests_stays_short_and_mocks_nothing_of_ours(module: Path) -> None:
    text = module.read_text()
    lines = text.count("\n")
    assert lines <= 400, f"{lines} lines: which of its ideas gets a file of its own?"
    tree = ast.parse(text)
    imported = {
        name
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [f"{node.module}.{alias.name}" for alias in node.names]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not {name for name in imported if name.startswith("unittest.mock")}
    patched = [
        ast.unparse(node.args[0])
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("monkeypatch.setattr")
    ]
    assert not [target for target in patched if "headwater" in target]


@pytest.mark.parametrize(
    ("what", "pattern"),
    [
        ("words of a workplace", FORBIDDEN),
        ("paths of a workplace", PLACES),
        ("hosts of registries", REGISTRIES),
    ],
)
def test_the_repository_speaks_of_the_product_alone(what: str, pattern: str) -> None:
    found = [
        f"{file.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for file in _tracked()
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1)
        if re.search(pattern, line, re.IGNORECASE)
    ]
    assert not found, what


def test_there_is_one_version() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    code = "import headwater, headwater_server; print(headwater.__version__, headwater_server.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [declared, declared]


def test_the_client_is_light() -> None:
    heavy = {
        "fastapi",
        "requests",
        "sqlglot",
        "httpx",
        "headwater_server",
        "headwater_parsers",
        "asyncio",
        "ssl",
    }
    code = f"import headwater, sys; print(sorted(sys.modules.keys() & {heavy!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_server_is_ready_before_it_imports_graphql() -> None:
    heavy = {"graphql", "strawberry", "sqlglot", "neo4j", "openlineage", "mlflow"}
    code = f"import headwater_server.app, sys; print(sorted(sys.modules.keys() & {heavy!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "arguments",
    [["-c", "import headwater"], ["-m", "headwater_server", "--help"]],
    ids=["import headwater", "headwater --help"],
)
def test_a_start_costs_less_than_three_times_bare_python(arguments: list[str]) -> None:
    bare, ours = (min(_cpu(args) for _ in range(7)) for args in (["-c", "pass"], arguments))
    assert ours < 3 * bare, f"{ours * 1000:.0f} ms of CPU, bare python {bare * 1000:.0f} ms"


def _cpu(arguments: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


PLANTED = {
    "parsers/headwater_parsers/api.py": (
        "headwater_server.errors",
        "the parsers and the client know nothing",
    ),
    "integrations/headwater/__init__.py": (
        "headwater_server.errors",
        "the parsers and the client know nothing",
    ),
    "server/headwater_server/errors.py": ("headwater", "The server never imports the client"),
    "server/headwater_server/graph/keys.py": ("headwater_server.store.port", "only the layers below"),
    "server/headwater_server/lineage/urns.py": (
        "headwater_server.registry.names",
        "features are independent",
    ),
    "server/headwater_server/graph/words.py": (
        "headwater_server.graph.keys",
        "No package has an import cycle",
    ),
    "server/headwater_server/export/events.py": (
        "headwater_server.store.sqlite",
        "Only the composition root",
    ),
    "server/headwater_server/registry/names.py": ("apsw", "Drivers of databases"),
    "server/headwater_server/ingest/receive.py": ("fastapi", "Web frameworks stay at the edge"),
    "server/headwater_server/ingest/reader.py": ("sqlglot", "Only the parsers speak sqlglot"),
}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("copied")
    for home in HOMES:
        shutil.copytree(ROOT / home, folder / home, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.mark.parametrize(("file", "planted"), PLANTED.items(), ids=PLANTED)
def test_a_contract_fails_on_a_planted_violation(copied: Path, file: str, planted: tuple[str, str]) -> None:
    imported, contract = planted
    sound = (copied / file).read_text()
    (copied / file).write_text(f"{sound}\nimport {imported}\n")
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=copied,
        env={**os.environ, "PYTHONPATH": ":".join(HOMES), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    (copied / file).write_text(sound)
    assert done.returncode == 1, done.stdout + done.stderr
    assert re.search(f"{contract}.* BROKEN", done.stdout)
