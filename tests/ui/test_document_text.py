"""A policy as text: what stands in it, and which of its statements stands out."""

import json

from dashboard.ui import document_text
from dashboard.ui.document_text import Mark

READ = {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::dogs/*"}
ALL = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
POLICY = {"Version": "2012-10-17", "Statement": [READ, ALL]}


def test_the_text_is_the_document() -> None:
    assert json.loads(document_text.text(POLICY)) == POLICY
    assert json.loads(document_text.text(json.dumps(POLICY))) == POLICY


def test_the_order_of_the_document_is_kept() -> None:
    assert list(json.loads(document_text.text({"Statement": [], "Version": "2012-10-17", "Id": "a"}))) == [
        "Statement",
        "Version",
        "Id",
    ]


def test_every_line_knows_its_statement() -> None:
    found = document_text.lines(POLICY)
    of = {place: "\n".join(one.text for one in found if one.place == place) for place in (0, 1)}
    assert json.loads(of[0].rstrip(",")) == READ
    assert json.loads(of[1]) == ALL


def test_a_single_statement_without_a_list_is_statement_0() -> None:
    found = document_text.lines({"Version": "2012-10-17", "Statement": ALL})
    assert json.loads("\n".join(one.text for one in found)) == {"Version": "2012-10-17", "Statement": ALL}
    assert any(one.place == 0 and '"s3:*"' in one.text for one in found)


def test_what_is_no_json_is_shown_as_it_is() -> None:
    found = document_text.lines('{"Version": \n oops <b>')
    assert [one.text for one in found] == ['{"Version": ', " oops <b>"]
    assert "<b>" not in document_text.html('{"Version": \n oops <b>', "a policy")
    assert document_text.statements("[1]") == ()


def test_only_the_guilty_statement_stands_out() -> None:
    shown = document_text.html(POLICY, "AmazonS3", {1: [Mark("failed", "critical", "everything in S3")]})
    marked = [row for row in shown.split("<li") if "kn-guilty" in row]
    assert len(marked) == len([one for one in document_text.lines(POLICY) if one.place == 1])
    assert not any("s3:GetObject" in row for row in marked)
    assert "critical · everything in S3" in shown
    assert 'aria-label="AmazonS3"' in shown


def test_names_and_reasons_from_outside_are_no_markup() -> None:
    evil = {"Version": "2012-10-17", "Statement": [{**ALL, "Sid": "<img src=x>"}]}
    assert "<img" not in document_text.html(evil, '"><img>', {0: [Mark("failed", "<i>", "<i>")]}).replace("&lt;", "")
    assert "<i>" not in document_text.html(evil, "a", {0: [Mark("failed", "<i>", "<i>")]})


def test_a_statement_in_a_line() -> None:
    assert document_text.brief(ALL) == "Allow s3:* on *"
    assert document_text.brief({"Effect": "Allow", "NotAction": "iam:*", "NotResource": ["a", "b"]}) == (
        "Allow all but iam:* on all but a, b"
    )
    many = {"Effect": "Deny", "Action": ["a:1", "a:2", "a:3", "a:4", "a:5"], "Resource": "*"}
    assert document_text.brief(many) == "Deny a:1, a:2, a:3 and 2 more on *"
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "sagemaker.amazonaws.com"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
    }
    assert document_text.brief(trust) == "Allow sts:AssumeRole to sagemaker.amazonaws.com if aws:SourceAccount"


def test_a_statement_that_says_nothing_sensible_does_not_break_the_line() -> None:
    assert document_text.brief({"Effect": 3, "Action": None, "Condition": "x"}) == "3 None"


def test_a_folded_policy_shows_what_is_wrong_and_counts_the_rest() -> None:
    shown = document_text.html(POLICY, "a", {1: [Mark("failed", "critical")]}, folded=True)
    assert "s3:GetObject" not in shown and "s3:*" in shown
    lines = len([one for one in document_text.lines(POLICY) if one.place == 0])
    assert f"{lines} lines without a finding" in shown
