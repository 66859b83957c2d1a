"""Names of data sets, and the plans about them."""

import pytest

from dashboard.core.aws import Account
from dashboard.core.data import names
from dashboard.core.data.as_code import shell
from dashboard.core.data.contents import Contents, Photo
from dashboard.core.data.work import Added, Kind, Work
from dashboard.core.errors import AlreadyExists, InvalidInput, Refused

PHOTO = Photo("datasets/dogs/train/a/1.jpg", "train", "a", "1.jpg", 10, "e")
DOGS = Contents("dogs", "kennel", (PHOTO,))
WORK = Account("work", "eu-west-1", "210987654321", False, True)


@pytest.mark.parametrize("name", ["", " ", ".dogs", "a/b", "dogs..x", "Ümläut", "a" * 64, "-x", "do gs"])
def test_names_that_are_no_good_are_refused_with_why(name: str) -> None:
    with pytest.raises(InvalidInput) as wrong:
        names.check(name)
    assert wrong.value.field == "name"


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("dogImages.zip", "dogImages"),
        ("s3://b/x/My dogs.ZIP", "My-dogs"),
        ("Hunde & Katzen", "Hunde-Katzen"),
        ("...", "photos"),
    ],
)
def test_a_name_is_made_of_what_was_brought(told: str, name: str) -> None:
    assert names.suggested(told) == name
    assert names.check(names.suggested(told)) == name


@pytest.mark.parametrize("kind", [Kind.COPY, Kind.RENAME])
def test_a_name_that_is_taken_is_refused(kind: Kind) -> None:
    for name in ("dogs", "cats"):
        with pytest.raises(AlreadyExists):
            names.plan(kind, DOGS, name, ["dogs", "cats"], "t")
    assert names.plan(kind, DOGS, " hounds ", ["dogs"], "t") == Work("t", kind, "hounds", base="dogs")


def test_what_is_not_whole_is_neither_copied_nor_renamed_but_may_be_deleted() -> None:
    part = Contents("dogs", "kennel", (PHOTO,), ("datasets/dogs/.uploading",))
    for kind in (Kind.COPY, Kind.RENAME):
        with pytest.raises(Refused, match="not whole"):
            names.plan(kind, part, "hounds", [], "t")
    assert names.plan(Kind.DELETE, part, "", [], "t").name == "dogs"


def test_more_than_is_counted_is_not_copied_in_part() -> None:
    with pytest.raises(Refused, match="more photos than Kennel counts"):
        names.plan(Kind.COPY, Contents("dogs", "kennel", (PHOTO,), is_counted=False), "hounds", [], "t")


@pytest.mark.parametrize("kind", list(Kind))
def test_each_work_is_shown_as_a_script_that_quotes_what_people_wrote(kind: Kind) -> None:
    work = Work(
        "t", kind, "hounds", "dogs", "s3://b/$(rm -rf x).zip", added=(Added("feedback/a'b.jpg", "train/a b/x.jpg"),)
    )
    text = shell(work, WORK)
    assert text.startswith("#!/usr/bin/env bash\nset -euo pipefail")
    assert "AWS_PROFILE=work" in text
    assert "$(rm" not in text.replace("'s3://b/$(rm -rf x).zip'", "")
