"""The documents stay true: what is made from the code is as the code says, and links lead somewhere."""

import re
from pathlib import Path

import pytest

from dashboard.core.configuration import SETTINGS
from tools import docs

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")])
CODE = [
    path
    for part in ("dashboard", "training", "local_aws", "lambda_fn", "tools")
    for path in (ROOT / part).rglob("*.py")
    if path.stem != "configuration"
]


def test_what_is_made_from_the_code_is_as_the_code_says():
    assert docs.stale() == {}, "run python -m tools.docs"


def test_a_document_without_a_place_for_what_is_made_is_told():
    with pytest.raises(ValueError, match="no place for settings"):
        docs.with_made("settings", "<!-- made: settings -->", "")


def test_every_setting_of_the_code_is_listed_and_every_listed_one_is_read():
    read = {name for path in CODE for name in re.findall(r"\"(KENNEL_[A-Z_]+)\"", path.read_text())}
    listed = {one.name for one in SETTINGS}
    assert read <= listed
    elsewhere = " ".join(
        path.read_text() for path in (*CODE, *(ROOT / "tests").rglob("*.py"), *ROOT.glob("training/**/*.sh"))
    )
    assert [name for name in sorted(listed) if not re.search(rf"{name}\b", elsewhere)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        if not target.startswith(("http://", "https://")):
            assert (document.parent / target).exists(), target


TROUBLE = ROOT / "docs" / "troubleshooting.md"


def test_troubleshooting_quotes_what_the_code_says():
    quoted = re.findall(r"^\| `([^`]+)`", TROUBLE.read_text(), re.MULTILINE)
    assert len(quoted) >= 10
    said = " ".join(re.sub(r"\"\s*\n\s*f?\"", "", path.read_text()) for path in CODE)
    for words in quoted:
        for part in words.split("…"):  # what stands for a name or a number
            assert part.strip() in said, words
