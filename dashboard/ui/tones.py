"""What a colour means, always with a word and a shape beside it (look.md's table)."""

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    RUNNING = "running"
    DONE = "done"
    WAITING = "waiting"
    FAILED = "failed"
    STOPPED = "stopped"
    AHEAD = "ahead"
    SIMULATED = "simulated"


@dataclass(frozen=True)
class Look:
    """A tone's shape, and its colour by Streamlit's name (the theme says what that is, light and dark)."""

    shape: str
    colour: str
    icon: str


LOOKS = {
    Tone.RUNNING: Look("▶", "blue", ":material/play_circle:"),
    Tone.DONE: Look("✓", "green", ":material/check_circle:"),
    Tone.WAITING: Look("◷", "orange", ":material/schedule:"),
    Tone.FAILED: Look("✕", "red", ":material/error:"),
    Tone.STOPPED: Look("■", "gray", ":material/stop_circle:"),
    Tone.AHEAD: Look("○", "gray", ":material/circle:"),
    Tone.SIMULATED: Look("◇", "violet", ":material/science:"),
}


def label(tone: str, word: str) -> str:
    """A status as plain text, for tables and titles: "✓ completed"."""
    return f"{LOOKS[Tone(tone)].shape} {word}"
