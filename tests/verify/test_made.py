"""The list of what was made: written before, deleted from its end, and good for another process."""

from pathlib import Path

import pytest

from dashboard.core.errors import InvalidInput, ServiceFault
from dashboard.verify.made import ATTEMPTS, Kind, Left, Made, Thing

STACK, TRAINING, ENDPOINT = Thing(Kind.STACK, "kennel"), Thing(Kind.TRAINING, "t"), Thing(Kind.ENDPOINT, "e")


@pytest.fixture
def made(tmp_path: Path) -> Made:
    found = Made.begin(tmp_path / "deep" / "made.jsonl", "111122223333", "us-east-1")
    for thing in (STACK, TRAINING, ENDPOINT, TRAINING):
        found.add(thing.kind, thing.name)
    return found


def nothing(line: str | float) -> None:
    """Said to nobody, and not waited for."""


def test_what_was_made_last_is_deleted_first_and_each_once(made: Made) -> None:
    gone: list[Thing] = []
    assert made.delete(gone.append, nothing, sleep=nothing) == ()
    assert gone == [ENDPOINT, TRAINING, STACK]
    assert Made.load(made.file).things == []


def test_one_that_cannot_be_deleted_keeps_no_other_and_is_tried_again(made: Made) -> None:
    tries: list[Thing] = []

    def deleting(thing: Thing) -> None:
        tries.append(thing)
        if thing == TRAINING and tries.count(TRAINING) < 3:
            raise ServiceFault("it is in use", "", "")

    waited: list[float] = []
    assert made.delete(deleting, nothing, sleep=waited.append) == ()
    assert [tries.count(one) for one in (ENDPOINT, TRAINING, STACK)] == [1, 3, 1]
    assert len(waited) == 2


def test_what_is_left_is_told_with_why_and_how_to_delete_it(made: Made) -> None:
    def deleting(thing: Thing) -> None:
        if thing == ENDPOINT:
            raise ServiceFault("it is in use", "an update goes on", "wait")

    waited: list[float] = []
    (left,) = made.delete(deleting, nothing, sleep=waited.append)
    assert isinstance(left, Left) and left.thing == ENDPOINT and "it is in use" in left.why
    assert len(waited) == ATTEMPTS - 1
    assert left.thing.command("work", "eu-west-1") == (
        "aws sagemaker delete-endpoint --endpoint-name e --profile work --region eu-west-1"
    )
    assert Made.load(made.file).things == [ENDPOINT]


def test_another_process_goes_on_with_the_list(made: Made) -> None:
    found = Made.load(made.file)
    assert (found.account, found.region, found.things) == ("111122223333", "us-east-1", [STACK, TRAINING, ENDPOINT])


def test_a_file_that_is_no_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello\n")
    for name in ("x", "absent"):
        with pytest.raises(InvalidInput, match="no list of what was made"):
            Made.load(tmp_path / name)


@pytest.mark.parametrize("kind", Kind)
def test_everything_has_a_command_that_deletes_it_by_hand(kind: Kind) -> None:
    assert Thing(kind, "NAME").command("p", "r").startswith("aws ")
    assert "NAME" in Thing(kind, "NAME").command("p", "r")
