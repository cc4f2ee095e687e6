"""The pages of reference say what the code says now."""

import re
import runpy
from pathlib import Path

import pytest

from hedgerow.settings import Settings

ROOT = Path(__file__).parents[2]
PAGES = runpy.run_path(str(ROOT / "docs/generate.py"))
GENERATED = PAGES["PAGES"]


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_page_is_what_the_code_says_now(name):
    assert (ROOT / "docs" / name).read_text() == GENERATED[name](), "run make docs"


@pytest.mark.parametrize("name", Settings.__struct_fields__)
def test_every_setting_is_documented(name):
    assert f"HEDGEROW_{name.upper()}" in (ROOT / "docs/settings.md").read_text()


def test_every_capture_code_is_documented():
    sources = "".join(path.read_text() for path in (ROOT / "hedgerow/capture").glob("*.py"))
    used = {code for code in PAGES["CAPTURE"] if f'"{code}"' in sources}

    assert used == set(PAGES["CAPTURE"])


def test_every_warning_type_is_documented():
    sources = "".join(path.read_text() for path in (ROOT / "hedgerow/ingest").glob("*.py"))
    used = {name for name in PAGES["WARNINGS"] if name in sources}

    assert used == set(PAGES["WARNINGS"])


LINKS = [
    pytest.param(page, link, id=f"{page.name} → {link}")
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text())
]


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_a_link_between_pages_leads_somewhere(page, link):
    assert (page.parent / link).exists()
