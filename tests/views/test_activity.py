"""The Activity page: what was done, filtered, in detail, exported and undone."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.core.aws import Account
from dashboard.core.errors import Refused, ServiceFault
from dashboard.core.noting import Answered, Sent
from dashboard.core.trail import scribe
from dashboard.core.trail.book import Book
from dashboard.core.trail.model import Deed
from dashboard.core.trail.read import deeds
from dashboard.ui import activity_words, chart
from tests.views.conftest import Open, links, text
from tests.views.scripted import EMBEDDED, REAL, ScriptedAws


@pytest.fixture(autouse=True)
def book(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Book:
    monkeypatch.setitem(os.environ, "KENNEL_HOME", str(tmp_path))
    return Book.kept()


def tag(aws: ScriptedAws, arn: str, value: str) -> tuple[ScriptedAws, Sent]:
    return aws, Sent("sagemaker", "AddTags", {"ResourceArn": arn, "Tags": [{"Key": "owner", "Value": value}]})


def done(
    book: Book,
    what: str,
    *calls: tuple[ScriptedAws, Sent],
    who: str = "ann@example.com",
    account: Account | None = EMBEDDED,
    problem: Refused | None = None,
) -> str:
    one = scribe.begin(book, what, who, account, plan=["Stop run", "Keeps: the best epoch so far"])
    for aws, sent in calls:
        number = one.sending(aws, sent)
        if sent.operation == "AddTags":
            told = {each["Key"]: each["Value"] for each in sent.parameters["Tags"]}
            aws.tags.setdefault(sent.parameters["ResourceArn"], {}).update(told)
        one.answered(number, Answered(200, "req-1234567890"))
    one.said("" if problem else f"{what}: it is so")
    one.release(problem)
    return one.deed


def shown(test: AppTest) -> list[str]:
    (frame,) = (one.value for one in test.dataframe if "Action" in one.value.columns)
    return list(frame["Action"])


def test_nothing_was_done_yet(visit: Open, aws: ScriptedAws) -> None:
    test = visit(aws, "activity")
    assert not test.exception
    assert "nothing was done with Kennel in this time" in text(test)
    assert "Nothing was done with Kennel yet." in text(test) and "the button that takes it back" in text(test)
    assert not test.text_input and not test.pills and "kn-figure" not in text(test)


def test_what_was_done_is_listed_the_newest_first(visit: Open, aws: ScriptedAws, book: Book) -> None:
    done(book, "Stop run")
    done(book, "Delete endpoint demo", who="bob@example.com", problem=Refused("demo is in use", "by a function"))
    scribe.begin(book, "Launch training", "ann@example.com", EMBEDDED)
    test = visit(aws, "activity")
    assert shown(test) == ["Launch training", "Delete endpoint demo", "Stop run"]
    assert "3 actions in the last 24 hours by 2 people, 1 failed" in text(test)
    (frame,) = (one.value for one in test.dataframe if "Action" in one.value.columns)
    assert [one[0] for one in frame["Result"]] == ["▶ under way", "✕ failed", "✓ done"]
    assert "demo is in use" in list(frame["What came of it"])


def test_the_filter_asks_for_words_people_results_and_accounts(visit: Open, aws: ScriptedAws, book: Book) -> None:
    done(book, "Stop run dogs-1")
    done(book, "Stop run cats-2", who="bob@example.com", account=REAL)
    done(book, "Stop run dogs-3", problem=Refused("no"))
    test = visit(aws, "activity", q="DOGS")
    assert shown(test) == ["Stop run dogs-3", "Stop run dogs-1"]
    test.text_input(key="q").set_value("").run()
    test.pills(key="result").set_value(["failed"]).run()
    assert shown(test) == ["Stop run dogs-3"]
    test.pills(key="result").set_value([]).run()
    test.multiselect(key="activity-who").set_value(["bob@example.com"]).run()
    assert shown(test) == ["Stop run cats-2"]
    test.multiselect(key="activity-who").set_value([]).run()
    test.multiselect(key="activity-account").set_value(["210987654321 in eu-west-1 (work)"]).run()
    assert shown(test) == ["Stop run cats-2"]
    test.text_input(key="q").set_value("zebra").run()
    assert "No action fits the filter" in text(test)


def test_one_action_shows_plan_calls_code_and_why_it_failed(visit: Open, aws: ScriptedAws, book: Book) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/starter"
    name = done(book, "Keep starter", tag(aws, arn, "ann"), problem=Refused("it ended", "half way", "look again"))
    test = visit(aws, "activity", deed=name)
    told = text(test)
    assert "Keeps: the best epoch so far" in told
    assert "AddTags" in told and "req-1234567890" in told and arn in told
    assert "it ended" in told and "Half way" in told and "Look again" in told
    assert any("sagemaker.add_tags(" in block.value for block in test.code)


def test_an_action_is_undone_through_a_plan_of_its_own(visit: Open, aws: ScriptedAws, book: Book) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/starter"
    aws.tags[arn] = {"owner": "old"}
    name = done(book, "Give starter to ann", tag(aws, arn, "ann"))
    test = visit(aws, "activity", deed=name)
    test.button(key="deed-undo").click().run()
    assert "marks starter as it was: owner" in text(test)
    test.button(key="confirm-do").click().run()
    assert not test.exception
    assert ("AddTags", {"ResourceArn": arn, "Tags": [{"Key": "owner", "Value": "old"}]}) in aws.calls
    back, first = deeds(book)
    assert (back.undoes, back.what, first.undone_by) == (first.id, "Undo: Give starter to ann", (back.id,))
    (frame,) = (one.value for one in test.dataframe)
    assert [list(one) for one in frame["Result"]] == [["✓ done"], ["■ undone"]]


def test_what_made_something_leads_to_where_it_is_deleted(visit: Open, aws: ScriptedAws, book: Book) -> None:
    sent = [(aws, Sent(*made, {})) for made in (("logs", "CreateLogGroup"), ("lambda", "CreateFunction"))]
    test = visit(aws, "activity", deed=done(book, "Deploy function", *sent))
    assert "No undo: it made something (logs CreateLogGroup), and an undo deletes nothing." in text(test)
    assert ("Delete it under Lambda", "functions") in [(label, page) for label, page, _ in links(test)]


def test_no_undo_is_offered_once_it_was_changed_again(visit: Open, aws: ScriptedAws, book: Book) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/starter"
    name = done(book, "Give starter to ann", tag(aws, arn, "ann"))
    aws.tags[arn]["owner"] = "somebody"
    test = visit(aws, "activity", deed=name)
    assert not [one for one in test.button if one.key == "deed-undo"]
    assert "No undo: what AddTags changed is not as it was left: somebody changed it since" in text(test)


def test_an_address_of_no_action_says_so(visit: Open, aws: ScriptedAws) -> None:
    assert "not in the trail of this machine" in text(visit(aws, "activity", deed="<b>nothing"))


def test_what_came_from_outside_is_text(visit: Open, aws: ScriptedAws, book: Book) -> None:
    name = done(book, "<script>alert(1)</script>", who="<img src=x>")
    assert "<script>alert" not in text(test := visit(aws, "activity", deed=name))
    assert "<img src=x>" not in text(test)


def test_the_chain_is_checked_on_a_click(visit: Open, aws: ScriptedAws, book: Book) -> None:
    done(book, "Stop run")
    test = visit(aws, "activity")
    test.button(key="activity-verify").click().run()
    assert "2 rows, each as it was written" in text(test)


def test_a_trail_that_cannot_be_read_leaves_the_page_standing(visit: Open, aws: ScriptedAws, book: Book) -> None:
    book.file.write_bytes(b"no database" * 100)
    test = visit(aws, "activity")
    assert not test.exception
    assert "What was done cannot be read" in text(test)


def test_a_deed_that_cannot_be_written_down_is_not_done(visit: Open, aws: ScriptedAws, book: Book) -> None:
    book.file.write_bytes(b"no database" * 100)
    test = visit(aws, "run", run="drawn-dogs-2f91c0aa")
    test.button(key="stop-run").click().run()
    test.button(key="confirm-do").click().run()
    assert "what is done is written down first" in text(test).lower()
    assert not [one for one in aws.calls if one[0] == "StopTrainingJob"]


def test_a_confirmed_plan_stands_in_the_trail(visit: Open, aws: ScriptedAws, book: Book) -> None:
    test = visit(aws, "run", run="drawn-dogs-2f91c0aa")
    test.button(key="stop-run").click().run()
    test.button(key="confirm-do").click().run()
    (one,) = deeds(book)
    assert (one.what, one.who, one.result.value) == ("Stop drawn-dogs-2f91c0aa · Stop run", "not signed in", "done")
    assert "drawn-dogs-2f91c0aa is stopping" in one.said
    assert "Kept: logs and figures" in one.plan


def test_what_was_done_and_could_not_be_written_down_is_said(
    visit: Open, aws: ScriptedAws, book: Book, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = Book.add

    def no_end(self: Book, deed: str, kind: str, *more: Any) -> None:
        if kind == "ended":
            raise ServiceFault("the disk is full")
        add(self, deed, kind, *more)

    monkeypatch.setattr(Book, "add", no_end)
    test = visit(aws, "run", run="drawn-dogs-2f91c0aa")
    test.button(key="stop-run").click().run()
    test.button(key="confirm-do").click().run()
    assert [one for one in aws.calls if one[0] == "StopTrainingJob"]
    assert any("is stopping, but what came of it could not be written down" in one.value for one in test.toast)


def test_files_hold_everything(book: Book, aws: ScriptedAws) -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/starter"
    done(book, "=cmd()", tag(aws, arn, "ann"))
    (one,) = deeds(book)
    assert isinstance(one, Deed)
    table = chart.to_csv(activity_words.plain([one]))
    assert "'=cmd()" in table, "no spreadsheet takes it for a formula"
    assert "sagemaker AddTags: 200" in table and "req-1234567890" in table
    told = json.loads(json.dumps(activity_words.exported(one)))
    assert told["calls"][0]["parameters"]["ResourceArn"] == arn
    assert (told["calls"][0]["before"], told["calls"][0]["left"]) == ({"owner": None}, {"owner": "ann"})
