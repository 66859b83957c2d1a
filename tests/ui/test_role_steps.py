"""Steps as they are shown, and what IAM tells of a role's use as rows."""

from datetime import UTC, datetime, timedelta

from dashboard.core.iam.effective import difference
from dashboard.core.iam.replace.standing import Attached, Standing
from dashboard.core.iam.replace.step import State, Step
from dashboard.core.iam.seen.last_accessed import ActionUse, ServiceUse
from dashboard.ui import role_accessed, role_effective, role_history, role_steps, role_words

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_a_step_says_how_it_stands_and_what_speaks_for_it() -> None:
    shown = role_steps.listed([Step(4, "Simulate", State.DONE, "2 rights allowed", ("s3:GetObject on a: allowed",))])
    assert "done" in shown and "4 Simulate" in shown and "2 rights allowed" in shown
    assert "1 line of evidence" in shown and "s3:GetObject on a: allowed" in shown
    assert "<details>" in shown, "evidence is folded while nothing is wrong"


def test_a_failed_step_is_open_and_one_that_takes_back_says_so() -> None:
    shown = role_steps.listed(
        [
            Step(5, "Attach", State.FAILED, "no answer", ("a",)),
            Step(6, "Give it back", State.DONE, undoes=True),
        ]
    )
    assert "<details open>" in shown and "6 Back: Give it back" in shown


def test_what_a_step_says_is_no_markup() -> None:
    shown = role_steps.listed([Step(1, "<b>", State.FAILED, "<i>", ("<u>",))])
    assert not any(tag in shown for tag in ("<b>", "<i>", "<u>"))


def test_services_come_latest_first_and_untracked_ones_say_so() -> None:
    old, new = NOW - timedelta(days=9), NOW
    s3 = ServiceUse("s3", "Amazon S3", old, "eu-west-1", (ActionUse("s3:ListBuckets", old), ActionUse("s3:PutAcl")))
    logs = ServiceUse("logs", "CloudWatch Logs", new)
    never = ServiceUse("ec2", "EC2")
    rows = role_accessed.service_rows([never, s3, logs])
    assert [row["Prefix"] for row in rows] == ["logs", "s3", "ec2"]
    assert [row["Actions"] for row in rows] == ["not tracked", "1 of 2 used", "not tracked"]
    assert [row["Action"] for row in role_accessed.action_rows([s3], with_unused=False)] == ["s3:ListBuckets"]
    assert len(role_accessed.action_rows([s3, never], with_unused=True)) == 2


def test_a_role_as_it_stood_is_told_in_a_line() -> None:
    full = Attached("AmazonS3FullAccess", "arn:aws:iam::aws:policy/AmazonS3FullAccess", "v1", {})
    role = Standing("Dog", "arn", "/", "id", {}, (full,), {"own": {}}, full)
    assert role_history.standing(role) == "AmazonS3FullAccess, own (inline); bounded by AmazonS3FullAccess"
    assert role_history.standing(Standing("Dog", "arn", "/", "id", {})) == "no policy"


def test_the_effect_of_a_change_names_every_action_the_dangerous_first() -> None:
    def allow(*actions: str, resource: str = "*") -> dict[str, object]:
        return {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": list(actions), "Resource": resource}],
        }

    found = difference(
        [allow("s3:GetObject", "s3:PutBucketPolicy", "s3:ListBucket")],
        [allow("s3:GetObject", resource="arn:aws:s3:::dogs/*")],
    )
    rows = role_effective.rows(found)
    assert [(row["Action"], row["Becomes"]) for row in rows] == [
        ("s3:PutBucketPolicy", "taken away"),
        ("s3:ListBucket", "taken away"),
        ("s3:GetObject", "on other resources"),
    ]
    assert "2 actions taken away" in role_effective.marks(found)
    assert role_words.effect_sentence(found) == "in s3 (2)"
    same = difference([allow("s3:GetObject")], [allow("s3:GetObject")])
    assert role_effective.rows(same) == [] and "no action goes or comes" in role_effective.marks(same)
