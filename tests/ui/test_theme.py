"""The two themes: legible, complete, and nothing from outside."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.conftest import ROOT

CONFIG = ROOT / "dashboard" / ".streamlit" / "config.toml"
SETTINGS = tomllib.loads(CONFIG.read_text())
THEME = SETTINGS["theme"]
STATIC = ROOT / "dashboard" / "static"
WORDS = ("blue", "green", "orange", "yellow", "red", "violet", "gray")


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.1."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_is_legible_on_every_surface(mode: str) -> None:
    theme = THEME[mode]
    for surface in ("backgroundColor", "secondaryBackgroundColor"):
        for text in ("textColor", "linkColor", *(f"{word}TextColor" for word in WORDS)):
            assert contrast(theme[text], theme[surface]) >= 4.5, f"{text} on {surface}"
    for word in WORDS:
        assert contrast(theme[f"{word}TextColor"], theme[f"{word}BackgroundColor"]) >= 4.5, word
    assert contrast(theme["primaryColor"], "#ffffff") >= 4.5
    assert contrast(theme["dataframeHeaderTextColor"], theme["dataframeHeaderBackgroundColor"]) >= 4.5
    assert contrast(theme["codeTextColor"], theme["codeBackgroundColor"]) >= 4.5
    side = theme["sidebar"]
    assert contrast(side["textColor"], side["backgroundColor"]) >= 4.5


def test_both_appearances_set_the_same_colours() -> None:
    assert set(THEME["light"]) == set(THEME["dark"])
    assert set(THEME["light"]["sidebar"]) == set(THEME["dark"]["sidebar"])


def test_the_style_sheet_uses_the_themes_text_colours_on_the_themes_grounds() -> None:
    css = (STATIC / "kennel.css").read_text()
    for tone, word in (
        ("running", "blue"),
        ("done", "green"),
        ("waiting", "orange"),
        ("failed", "red"),
        ("simulated", "violet"),
    ):
        rule = re.search(rf"\.kn-badge\.kn-{tone} {{([^}}]*)}}", css)
        assert rule
        for mode in ("light", "dark"):
            assert THEME[mode][f"{word}TextColor"].lower() in rule[1]
            assert THEME[mode][f"{word}BackgroundColor"].lower() in rule[1]


@pytest.mark.parametrize(
    "file", [CONFIG, *sorted(STATIC.glob("*.css")), *sorted(STATIC.glob("*.svg"))], ids=lambda f: f.name
)
def test_nothing_is_fetched_from_outside(file: Path) -> None:
    addresses = re.findall(r"(?:https?:)?//[\w.-]+", re.sub(r"xmlns(:\w+)?=\S+", "", file.read_text()))
    assert addresses == []


def test_the_font_is_there_with_its_licence() -> None:
    for face in THEME["fontFaces"]:
        assert (STATIC / face["url"].removeprefix("app/static/")).is_file()
    assert "SIL Open Font License" in (STATIC / "inter-LICENSE.txt").read_text()


def test_the_server_is_closed_by_default() -> None:
    server = SETTINGS["server"]
    assert server["address"] == "127.0.0.1"
    assert server["allowedHosts"]
    assert server["enableCORS"]
    assert server["enableXsrfProtection"]
    assert not server["enableAgentApi"]
    assert "cookieSecret" not in server
    assert server["maxUploadSize"] == 20
    assert server["fileWatcherType"] == "none"
    assert not SETTINGS["browser"]["gatherUsageStats"]
    assert SETTINGS["client"]["showErrorDetails"] == "none"
