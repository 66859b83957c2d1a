"""What the part "Set up" says."""

from datetime import UTC, datetime

import pytest

from dashboard.core.setup.change import Change, ChangeSet
from dashboard.core.setup.missing import Found, Standing
from dashboard.core.setup.pieces import Piece
from dashboard.core.setup.quotas import Quotas
from dashboard.core.setup.stack import Event, Resource, Stack, StackStatus
from dashboard.core.setup.template import Template
from dashboard.ui import setup_words

AT = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)


def found(piece: Piece, standing: Standing, *lacks: str) -> Found:
    return Found(piece, piece.value, standing, lacks, "not allowed" if standing is Standing.UNKNOWN else "")


SOME = (
    found(Piece.BUCKET, Standing.LACKING, "no TLS-only policy"),
    found(Piece.TRAINING_ROLE, Standing.MISSING),
    found(Piece.ENDPOINT_ROLE, Standing.MISSING),
    found(Piece.TRAINING_LOG, Standing.UNKNOWN),
    found(Piece.READER_ROLE, Standing.MISSING),
)


def test_what_is_not_needed_is_not_counted_as_missing() -> None:
    assert setup_words.sentence(SOME) == (
        "1 of 4 pieces that Kennel needs is here; 2 are missing; of 1 nothing is known"
    )
    figures = {one.name: one for one in setup_words.figures(SOME, Stack(), None)}
    assert (figures["Missing"].value, figures["Missing"].note) == ("2", "2 roles")
    assert figures["Quotas at zero"].note == "being read"
    rows = setup_words.rows(SOME, Stack())
    assert rows[4]["State"] == "not there"
    assert rows[1]["Told"] == "no training job starts"
    assert rows[0]["Told"] == "no TLS-only policy"
    assert rows[3]["Told"] == "not allowed"


def test_what_cloudformation_is_at_work_on_is_not_called_made_otherwise() -> None:
    assert setup_words.settled(SOME, Stack(StackStatus.CREATE_COMPLETE)) == SOME
    busy = setup_words.settled(SOME, Stack(StackStatus.CREATE_IN_PROGRESS))
    assert busy[0].sentence == "not known: CloudFormation is at work on it"
    assert busy[1:] == SOME[1:]


def test_who_made_a_piece_is_told() -> None:
    stack = Stack(
        StackStatus.CREATE_COMPLETE, "id", resources=(Resource("Bucket", "b", "AWS::S3::Bucket", "CREATE_COMPLETE"),)
    )
    assert [row["Made by"] for row in setup_words.rows(SOME, stack)] == ["stack kennel", "", "", "others", ""]
    assert setup_words.figures(SOME, stack, Quotas((), 26))[3].note == "1 resource in CloudFormation"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (Change("Add", "Bucket", "AWS::S3::Bucket"), "makes"),
        (Change("Modify", "Log", "AWS::Logs::LogGroup", of=("RetentionInDays",)), "changes (RetentionInDays)"),
        (
            Change("Modify", "Role", "AWS::IAM::Role", is_replaced=True, of=("Path",)),
            "replaces with another one (Path)",
        ),
        (Change("Remove", "Bucket", "AWS::S3::Bucket", is_kept=True), "leaves the stack and stays"),
        (Change("Remove", "Role", "AWS::IAM::Role"), "deletes"),
    ],
)
def test_what_cloudformation_would_do_is_told_in_words(change: Change, words: str) -> None:
    assert change.sentence == words


def test_the_button_says_what_it_makes_and_that_it_costs_nothing() -> None:
    add, modify = Change("Add", "A", "AWS::IAM::Role"), Change("Modify", "B", "AWS::IAM::Role")
    nothing = Template((), "")
    assert setup_words.button(ChangeSet("c", True, (add, add), nothing, 30)) == "Make 2 resources · $0.00"
    assert setup_words.button(ChangeSet("c", False, (add, modify), nothing, 30)) == "Make 1 resource, change 1 · $0.00"
    assert setup_words.button(ChangeSet("c", False, (modify,), nothing, 30)) == "Change 1 resource · $0.00"
    assert setup_words.summary((add, modify)) == "makes 1, changes 1"


def test_only_the_last_operation_is_told_and_why_it_failed_first() -> None:
    def event(resource: str, status: str, reason: str = "", kind: str = "AWS::IAM::Role") -> Event:
        return Event(AT, resource, resource, kind, status, reason)

    stack = Stack(
        StackStatus.ROLLBACK_COMPLETE,
        "kennel",
        events=(
            event("Second", "CREATE_FAILED", "Resource creation cancelled"),
            event("First", "CREATE_FAILED", "it exists"),
            event("kennel", "CREATE_IN_PROGRESS", kind="AWS::CloudFormation::Stack"),
            event("Old", "CREATE_FAILED", "long ago"),
        ),
    )
    assert [one.resource for one in stack.latest] == ["kennel", "First", "Second"]
    assert [one.reason for one in stack.failures] == ["it exists"]
    assert setup_words.event_rows(stack.latest)[0]["State"] == "create failed"


@pytest.mark.parametrize(
    ("status", "is_busy", "can_change", "must_go"),
    [
        (StackStatus.ABSENT, False, True, False),
        (StackStatus.REVIEW_IN_PROGRESS, False, True, False),
        (StackStatus.CREATE_IN_PROGRESS, True, False, False),
        (StackStatus.CREATE_COMPLETE, False, True, False),
        (StackStatus.ROLLBACK_COMPLETE, False, False, True),
        (StackStatus.UPDATE_ROLLBACK_COMPLETE, False, True, False),
        (StackStatus.DELETE_FAILED, False, False, True),
    ],
)
def test_what_can_be_done_with_a_stack_depends_on_how_it_stands(
    status: StackStatus, is_busy: bool, can_change: bool, must_go: bool
) -> None:
    assert (status.is_busy, status.can_change, status.must_go) == (is_busy, can_change, must_go)
