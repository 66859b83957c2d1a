"""Two policies against each other: what goes, what comes, what stays."""

from dashboard.ui import document_diff, document_text
from dashboard.ui.document_diff import Change

READ = {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::dogs/*"}
ALL = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}


def policy(*statements: object) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_what_goes_and_comes_is_the_whole_of_both() -> None:
    before, after = policy(ALL), policy(READ)
    found = document_diff.rows(before, after, around=1000)
    old = [row.text for row in found if row.change in (Change.SAME, Change.GOES)]
    new = [row.text for row in found if row.change in (Change.SAME, Change.COMES)]
    assert "\n".join(new) == document_text.text(after)
    assert sorted(old) == sorted(document_text.text(before).splitlines())


def test_the_same_policy_changes_nothing() -> None:
    found = document_diff.rows(policy(ALL), policy(ALL))
    assert document_diff.summary(found) == "nothing changes"
    assert [row.change for row in found] == [Change.SKIPPED]


def test_a_policy_from_nothing_only_comes() -> None:
    found = document_diff.rows("", policy(READ))
    assert {row.change for row in found} == {Change.COMES}


def test_what_stays_far_away_is_one_line() -> None:
    many = [{**READ, "Sid": f"Read{number}"} for number in range(20)]
    found = document_diff.rows(policy(*many, ALL), policy(*many))
    skipped = [row for row in found if row.change is Change.SKIPPED]
    assert len(skipped) == 1 and skipped[0].text.endswith("lines stay")
    assert document_diff.summary(found).endswith("come")


def test_every_line_says_without_colour_what_becomes_of_it() -> None:
    shown = document_diff.html(document_diff.rows(policy(ALL), policy(READ)), "the change")
    assert "−" in shown and "goes: " in shown and "comes: " in shown


def test_a_statement_that_moves_to_another_policy_stays() -> None:
    found = document_diff.statements(
        [("Old", policy({**READ, "Sid": "Other"}, ALL))],
        [("New", policy(READ))],
    )
    assert [(change, held.policy, held.words) for change, held in found] == [
        (Change.GOES, "Old", "Allow s3:* on *"),
        (Change.SAME, "New", "Allow s3:GetObject on arn:aws:s3:::dogs/*"),
    ]
