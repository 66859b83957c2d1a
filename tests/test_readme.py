"""README stays true: it names every page and every command that exists. Settings: test_docs."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def pages() -> list[str]:
    return sorted(path.stem for path in (ROOT / "dashboard" / "views").glob("*.py") if path.stem[0] != "_")


def commands() -> list[str]:
    return re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", pages())
def test_every_page_is_described(page):
    assert f"**{page.capitalize()}**" in README


@pytest.mark.parametrize("command", commands())
def test_every_command_is_described(command):
    assert f"`make {command}`" in README


def test_every_picture_exists():
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    for picture in pictures:
        assert (ROOT / picture).is_file(), picture


def test_the_tree_in_the_picture_is_the_tree_on_disk():
    picture = README.split("## Architecture", 1)[1]
    for folder in re.findall(r"^(\w+)/ ", picture, re.MULTILINE):
        assert (ROOT / folder).is_dir(), folder
    for folder in (p.name for p in ROOT.iterdir() if (p / "__init__.py").exists()):
        assert f"{folder}/" in picture, folder
