"""The house keeps its shape: sizes, names, directions, words."""

import ast
import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path
    for package in ("hedgerow", "app")
    for path in (ROOT / package).rglob("*.py")
    if "versions" not in path.parts
)
NAMES = [path.relative_to(ROOT).as_posix() for path in SOURCES]
DRAWERS = {
    "utils",
    "util",
    "helpers",
    "common",
    "misc",
    "base",
    "manager",
    "service",
    "core",
}
READS_ENVIRONMENT = {"hedgerow/settings.py", "app/config.py"}
EVERYTHING = pytest.mark.parametrize("path", SOURCES, ids=NAMES)


def functions(path):
    return [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


@EVERYTHING
def test_a_file_has_a_real_name_and_fits_in_the_head(path):
    assert path.stem not in DRAWERS
    assert len(path.read_text().splitlines()) <= 400


@EVERYTHING
def test_a_function_fits_a_screen(path):
    long = [n.name for n in functions(path) if n.end_lineno - n.lineno >= 60]

    assert not long


@EVERYTHING
def test_imports_stand_at_the_top(path):
    hidden = [
        inner.lineno
        for node in functions(path)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    ]

    assert not hidden


@EVERYTHING
def test_the_environment_is_read_in_one_place_of_each_program(path):
    if path.relative_to(ROOT).as_posix() in READS_ENVIRONMENT:
        return
    reads = [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in {"environ", "getenv"}
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
    ]

    assert not reads


@EVERYTHING
def test_an_exemption_gives_its_reason(path):
    code = r"(noqa: [A-Z]+[0-9]+(, [A-Z]+[0-9]+)*|type: ignore\[[a-z, -]+\])"
    reasoned = re.compile(rf"# {code}\W+\w[\w']* \S")  # two words at least
    bare = [
        number
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if re.search(r"#\s*(noqa|type: ignore)", line) and not reasoned.search(line)
    ]

    assert not bare


@EVERYTHING
def test_a_module_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text())) or not path.read_text().strip()


def test_nothing_unfinished_is_left_behind():
    words = re.compile(
        "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "NotImplemented" + "Error"))
    )
    found = [
        name
        for name, path in zip(NAMES, SOURCES, strict=True)
        if words.search(path.read_text())
    ]

    assert not found


def test_lock_files_hold_no_address():
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-node.lock"):
        assert "://" not in (ROOT / name).read_text()
    assert '"resolved"' not in (ROOT / "package-lock.json").read_text()


def test_every_dependency_is_justified():
    page = (ROOT / "docs/dependencies.md").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [
        *project["project"]["dependencies"],
        *chain(*project["project"]["optional-dependencies"].values()),
        *project["dependency-groups"]["dev"],
    ]
    names = [re.match("[a-z0-9-]+", line)[0].removeprefix("types-") for line in wanted]

    assert [name for name in names if not re.search(rf"\b{name}\b", page)] == []
