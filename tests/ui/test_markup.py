"""Our own pieces of HTML: nothing from outside becomes markup, and nothing is told by colour alone."""

import pytest

from dashboard.ui import markup
from dashboard.ui.markup import Markup, Step
from dashboard.ui.tones import LOOKS, Tone, label

EVIL = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    "made",
    [
        markup.badge("done", EVIL, EVIL),
        markup.facts({EVIL: EVIL}),
        markup.log([EVIL], EVIL, EVIL),
        markup.timeline([Step(EVIL, "done", 1.0, EVIL)], EVIL),
        markup.bars([(EVIL, 0.5)], EVIL),
        markup.note(EVIL),
        markup.problem(EVIL, EVIL, EVIL, EVIL),
    ],
)
def test_text_from_outside_is_escaped(made: str) -> None:
    assert "<script" not in made
    assert "&lt;script" in made


def test_only_our_own_markup_is_kept() -> None:
    assert "<b>sum</b>" in markup.facts({"Sum": Markup("<b>sum</b>")})


def test_every_tone_has_its_own_shape() -> None:
    assert len({look.shape for look in LOOKS.values()}) == len(Tone)
    assert label("failed", "failed") == "✕ failed"


@pytest.mark.parametrize(
    ("line", "clean"),
    [
        ("\x1b[1;31merror\x1b[0m: no", "error: no"),
        ("10 %\r20 %\r30 %\n", "30 %"),
        ("a\x00b\x07c", "abc"),
        ("tab\tstays", "tab\tstays"),
        ("half \ud83d of one", "half  of one"),  # JSON may hold it, no page can be sent it
    ],
)
def test_a_log_line_is_shown_without_control_characters(line: str, clean: str) -> None:
    assert markup.clean(line) == clean


def test_the_line_that_matters_stands_out() -> None:
    made = markup.log(["fine", "error: disk full"], "Log", "error: disk full")
    assert made.count("<mark>") == 1
    assert "<mark>error: disk full</mark>" in made


def test_what_was_searched_for_is_marked_however_it_is_written() -> None:
    made = markup.log(["Epoch=1 epoch=2", "<b>epoch</b>"], "Log", found="EPOCH")
    assert made.count('<mark class="kn-found">') == 3
    assert "&lt;b&gt;<mark" in made
    assert "<mark" not in markup.log(["a.c"], "Log", found="a+c")  # no pattern, only letters


def test_a_timeline_shows_how_the_stages_share_the_time() -> None:
    made = markup.timeline(
        [Step("Starting", "done", 3), Step("Training", "running", 9), Step("End", "ahead", None)], "S"
    )
    assert "flex-grow:3.00" in made
    assert "flex-grow:9.00" in made
    assert made.count("flex-grow") == 2
    assert "kn-share-bar" not in markup.timeline([Step("Starting", "done", 3)], "S")


def test_a_badge_may_bring_its_own_shape() -> None:
    assert "aria-hidden" not in markup.badge("stopped", "◈ SageMaker", shape="")


def test_bars_are_a_table_with_names_and_percents() -> None:
    made = markup.bars([("Beagle", 0.93), ("Boxer", 0.021), ("Pug", 1.2)], "Breeds")
    assert made.count("<tr") == 3
    assert "93 %" in made
    assert "2.1 %" in made
    assert "width:100.0%" in made  # never wider than its place


def test_a_step_without_a_length_says_so() -> None:
    made = markup.timeline([Step("Training", "running", None), Step("Starting", "done", 3)], "Stages")
    assert "–" in made
    assert "3 s" in made


def test_a_problem_without_a_reason_has_no_empty_line() -> None:
    assert "Why" not in markup.problem("failed", "it failed", "", "try again")


@pytest.mark.parametrize("text", ["$5 to $9", "*bold*", "[link](http://x)", ":red[x]", "a_b_c", "`code`", "1 < 2"])
def test_literal_text_survives_markdown(text: str) -> None:
    escaped = markup.literal(text)
    assert escaped.replace("\\", "") == text
    for special in "$*[]_`<":
        assert escaped.count(special) == escaped.count(f"\\{special}")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("it failed", "It failed"),
        ("model.pth is cut off", "model.pth is cut off"),
        ("s3:GetObject is missing", "s3:GetObject is missing"),
        ("ml.m5.large is not free", "ml.m5.large is not free"),
        ("two: one and one", "Two: one and one"),
        ("", ""),
    ],
)
def test_a_sentence_begins_large_and_a_name_as_it_is(text: str, said: str) -> None:
    assert markup.sentence(text) == said
