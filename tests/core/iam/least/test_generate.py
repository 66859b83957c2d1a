"""Proposals: for a role with one duty and for a shared one, with what was recorded, and never more than a role has."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.core.iam.effective import difference
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.findings import audit
from dashboard.core.iam.least import sizes
from dashboard.core.iam.least.generate import propose
from dashboard.core.iam.least.resources import Folder, Resources
from dashboard.core.iam.policy_text import text_of
from dashboard.core.iam.proposal import Basis, Evidence, Proposal
from dashboard.core.iam.recorded import Recorded, RecordedCall
from dashboard.core.iam.rights import Right
from dashboard.core.iam.seen.last_accessed import ActionUse, LastAccessed, ServiceUse
from dashboard.core.iam.seen.served import Served
from dashboard.core.iam.usage import Duty
from tests.core.iam.generated import (
    ACCOUNT,
    BUCKET,
    ENDPOINT,
    FULL,
    FUNCTION,
    HERE,
    INSTANCE,
    JOB,
    MODEL,
    NOTEBOOK,
    REGION,
    SERVED,
    WHERE,
    WORK,
    allow,
    details,
    role,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)
DATA = f"arn:aws:s3:::{BUCKET}/datasets/dogs/train/1.jpg"


def seen(*calls: RecordedCall) -> Recorded:
    return Recorded(f"arn:aws:iam::{ACCOUNT}:role/DogProject", calls, SINCE, "the trail kennel")


def call(action: str, resource: str = "*", sessions: tuple[str, ...] = (), denied: int = 0, **context: Any):
    right = Right(action, resource, {key.replace("__", ":"): (value,) for key, value in context.items()})
    return RecordedCall(right, 3, SINCE, NOW, denied, sessions)


def only(proposals: tuple[Proposal, ...]) -> Proposal:
    (found,) = proposals
    return found


def allows(proposal: Proposal, action: str, resource: str, **context: str) -> bool:
    given = {key.replace("__", ":"): value for key, value in context.items()}
    return evaluate(list(proposal.documents.values()), action, resource, given).allowed


def row(proposal: Proposal, action: str) -> Evidence:
    (found,) = [one for one in proposal.evidence if one.action == action]
    return found


def test_a_full_access_role_of_one_duty_becomes_what_its_training_does() -> None:
    made = only(propose(role(managed=FULL), [JOB], SERVED, None, None, WHERE))
    assert (made.new_role, made.duty, made.policy_name) == ("", Duty.TRAINING, "DogProject-least")
    assert allows(made, "s3:GetObject", DATA)
    assert allows(made, "s3:PutObject", f"arn:aws:s3:::{BUCKET}/runs/dogs/output/model.tar.gz")
    assert allows(made, "s3:PutObject", f"arn:aws:s3:::{BUCKET}/checkpoints/dogs/1.pt")
    assert allows(made, "s3:ListBucket", f"arn:aws:s3:::{BUCKET}", s3__prefix="code/training-1/")
    assert allows(made, "ecr:BatchGetImage", "arn:aws:ecr:us-east-1:763104351884:repository/pytorch-training")
    for action, resource in (
        ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/secret/1"),
        ("s3:PutObject", DATA),
        ("s3:DeleteObject", DATA),
        ("sagemaker:DeleteEndpoint", ENDPOINT),
        ("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/DogProject"),
        ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"),
    ):
        assert not allows(made, action, resource), action


def test_the_audit_finds_nothing_in_what_is_proposed() -> None:
    for made in propose(role(managed=FULL), [JOB, MODEL, FUNCTION, INSTANCE, NOTEBOOK], SERVED, None, None, WHERE):
        found = audit(details("New", inline=list(made.documents.values()), trust=made.trust))
        assert [(one.kind, one.reason) for one in found] == [], made.duty


def test_a_shared_role_becomes_one_role_a_duty_each_trusted_by_its_own_service() -> None:
    made = propose(role(managed=FULL), [FUNCTION, JOB, NOTEBOOK, MODEL], SERVED, None, None, WHERE)
    assert [(one.duty, one.new_role) for one in made] == [
        (Duty.TRAINING, "DogProject-training"),
        (Duty.ENDPOINT, "DogProject-endpoint"),
        (Duty.FUNCTION, "DogProject-function"),
        (Duty.NOTEBOOK, "DogProject-notebook"),
    ]
    principals = {one.trust["Statement"][0]["Principal"]["Service"] for one in made}
    assert principals == {"sagemaker.amazonaws.com", "lambda.amazonaws.com"}
    by_duty = {one.duty: one for one in made}
    assert allows(by_duty[Duty.FUNCTION], "sagemaker:InvokeEndpoint", ENDPOINT)
    assert not allows(by_duty[Duty.TRAINING], "sagemaker:InvokeEndpoint", ENDPOINT)
    # the notebook hands trainings the role that takes them over, not the one that it had itself
    passes = {"iam__PassedToService": "sagemaker.amazonaws.com"}
    new = f"arn:aws:iam::{ACCOUNT}:role/kennel/DogProject-training"
    assert allows(by_duty[Duty.NOTEBOOK], "iam:PassRole", new, **passes)
    assert not allows(by_duty[Duty.NOTEBOOK], "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/DogProject", **passes)


def test_a_role_that_nothing_uses_gets_no_proposal() -> None:
    assert propose(role(managed=("AdministratorAccess",)), [], Served(), None, None, WHERE) == ()


def test_each_action_has_its_evidence() -> None:
    accessed = LastAccessed(
        "arn", (ServiceUse("logs", "Logs", NOW, "", (ActionUse("logs:CreateLogStream", NOW),)),), NOW
    )
    recorded = seen(call("s3:GetObject", DATA), call("sagemaker:ListModels"))
    made = only(propose(role(managed=FULL), [JOB], SERVED, recorded, accessed, WHERE))
    assert row(made, "s3:GetObject").basis is Basis.RECORDED
    assert (row(made, "s3:GetObject").last, "3 times" in row(made, "s3:GetObject").detail) == (NOW, True)
    assert row(made, "logs:CreateLogStream").basis is Basis.RECORDED
    assert "last-accessed" in row(made, "logs:CreateLogStream").detail
    assert row(made, "s3:PutObject").basis is Basis.NEEDED
    assert row(made, "sagemaker:ListModels").basis is Basis.RECORDED  # its code was seen doing so
    assert row(made, "s3:DeleteBucket").basis is Basis.DROPPED
    assert "not seen in the trail kennel since 2026-01-30" in row(made, "s3:DeleteBucket").detail.lower()
    assert row(made, "athena:*").basis is Basis.DROPPED  # one row for a whole service of which nothing is left
    names = [one.action for one in made.evidence]
    assert len(names) == len(set(names))


def test_what_the_code_was_recorded_doing_besides_is_kept_on_what_is_like_it() -> None:
    calls = (
        call("s3:GetObject", "arn:aws:s3:::weights/resnet/50.pt"),
        call("s3:ListBucket", "arn:aws:s3:::weights", s3__prefix="resnet/"),
        call("sagemaker:DescribeTrainingJob", f"arn:aws:sagemaker:{HERE}:training-job/dogs-5d20e9f1"),
    )
    made = only(propose(role(managed=FULL), [JOB], SERVED, seen(*calls), None, WHERE))
    assert allows(made, "s3:GetObject", "arn:aws:s3:::weights/resnet/101.pt")
    assert not allows(made, "s3:GetObject", "arn:aws:s3:::weights/other/1.pt")
    assert allows(made, "s3:ListBucket", "arn:aws:s3:::weights", s3__prefix="resnet/")
    assert not allows(made, "s3:ListBucket", "arn:aws:s3:::weights", s3__prefix="other/")
    assert allows(made, "sagemaker:DescribeTrainingJob", f"arn:aws:sagemaker:{HERE}:training-job/dogs-00000000")
    assert not allows(made, "sagemaker:DescribeTrainingJob", f"arn:aws:sagemaker:{HERE}:training-job/cats-1")


def test_a_call_that_was_always_refused_is_no_evidence() -> None:
    made = only(propose(role(managed=FULL), [JOB], SERVED, seen(call("sagemaker:ListModels", denied=3)), None, WHERE))
    assert row(made, "sagemaker:ListModels").basis is Basis.DROPPED


def test_a_right_to_give_rights_is_never_proposed_even_where_it_was_used() -> None:
    admin = role(managed=("AdministratorAccess",))
    attach = call("iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/DogProject")
    made = only(propose(admin, [JOB], SERVED, seen(attach), None, WHERE))
    assert not allows(made, "iam:AttachRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/DogProject")
    assert row(made, "iam:AttachRolePolicy").basis is Basis.DROPPED
    assert any("iam:AttachRolePolicy" in told for told in made.warnings)


def test_calls_of_a_shared_role_go_to_the_duty_whose_session_made_them() -> None:
    calls = (
        call("s3:GetObject", "arn:aws:s3:::photos/in/1.jpg", ("dog-infer",)),
        call("s3:GetObject", "arn:aws:s3:::weights/a/1.pt", ("SageMaker",)),
        call("s3:GetObject", "arn:aws:s3:::tools/x/1", ("i-0123456789abcdef0",)),
        call("s3:DeleteObject", "arn:aws:s3:::by-hand/1", ("ada",)),
    )
    made = propose(role(managed=FULL), [JOB, FUNCTION, INSTANCE], SERVED, seen(*calls), None, WHERE)
    training, function, instance = made
    reach = {"photos/in/2.jpg": function, "weights/a/2.pt": training, "tools/x/2": instance}
    for key, whose in reach.items():
        assert [allows(one, "s3:GetObject", f"arn:aws:s3:::{key}") for one in made] == [one is whose for one in made]
    assert not any(allows(one, "s3:DeleteObject", "arn:aws:s3:::by-hand/1") for one in made)
    assert any("by hand (ada)" in told for told in training.warnings)


def test_nothing_is_added_that_the_role_has_not() -> None:
    """The sample account's training role: it pulls no image from a registry, and has no right to."""
    good = allow(["s3:GetObject"], [f"arn:aws:s3:::{BUCKET}/datasets/*", f"arn:aws:s3:::{BUCKET}/code/*"])
    made = only(propose(role("KennelTraining", inline=[good]), [JOB], SERVED, None, None, WHERE))
    assert [one["Action"] for one in made.policy["Statement"]] == ["s3:GetObject"]
    assert made.policy["Statement"][0]["Resource"] == [
        f"arn:aws:s3:::{BUCKET}/datasets/dogs/*",
        f"arn:aws:s3:::{BUCKET}/code/*",
    ]
    assert any("ecr:GetAuthorizationToken" in told and "left out" in told for told in made.warnings)


def test_the_good_functions_role_stays_what_it_is() -> None:
    good = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": ENDPOINT},
            {
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": f"arn:aws:logs:{HERE}:log-group:/aws/lambda/dog-infer:*",
            },
        ],
    }
    made = only(propose(role("DogInferOneEndpoint", inline=[good]), [FUNCTION], SERVED, None, None, WHERE))
    assert [{name: value for name, value in one.items() if name != "Sid"} for one in made.policy["Statement"]] == good[
        "Statement"
    ]
    assert made.dropped == ()


def test_what_the_role_is_denied_stays_denied() -> None:
    deny = {"Effect": "Deny", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/datasets/dogs/test/*"}
    far = {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:RequestedRegion": REGION}},
    }
    limits = {"Version": "2012-10-17", "Statement": [deny, far]}
    made = only(propose(role(managed=FULL, inline=[limits]), [JOB], SERVED, None, None, WHERE))
    assert deny in made.policy["Statement"]
    assert far in made.policy["Statement"]
    assert allows(made, "s3:GetObject", DATA, aws__RequestedRegion=REGION)
    assert not allows(
        made, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/datasets/dogs/test/1.jpg", aws__RequestedRegion=REGION
    )


def test_a_policy_that_cannot_be_judged_gives_nothing_and_is_told_of() -> None:
    broken = {"Version": "2012-10-17", "Statement": [{"Effect": "Maybe", "Action": "s3:*", "Resource": "*"}]}
    assert propose(role(inline=[broken]), [JOB], SERVED, None, None, WHERE) == ()
    made = only(propose(role(inline=[broken, allow("s3:*")]), [JOB], SERVED, None, None, WHERE))
    assert not allows(made, "s3:DeleteObject", DATA)
    assert any("inline-0 gives cannot be judged" in told for told in made.warnings)


def test_what_was_not_read_is_told_with_the_proposal() -> None:
    unread = Served(WORK, ("Not looked at: training dogs-1: not allowed to sagemaker:DescribeTrainingJob.",))
    made = only(
        propose(role(managed=FULL), [JOB], unread, replace(seen(), partial=("One file was not read.",)), None, WHERE)
    )
    assert unread.unread[0] in made.warnings
    assert "One file was not read." in made.warnings


def test_a_policy_too_long_for_iam_becomes_several_that_say_the_same() -> None:
    folders = tuple(Folder(BUCKET, f"datasets/a-rather-long-name-of-a-dataset-{number:03d}/") for number in range(150))
    serves = Served({Duty.TRAINING: Resources(reads=folders)})
    made = only(propose(role(managed=FULL), [JOB], serves, None, None, WHERE))
    assert len(made.documents) > 1
    assert set(made.documents) >= {"DogProject-least", "DogProject-least-2"}
    for document in made.documents.values():
        assert sizes.size(document) <= sizes.MANAGED
        sids = [one["Sid"] for one in document["Statement"]]
        assert len(sids) == len(set(sids))
    for folder in folders:
        assert allows(made, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/{folder.prefix}1.jpg")
        assert allows(made, "s3:ListBucket", f"arn:aws:s3:::{BUCKET}", s3__prefix=folder.prefix)
    assert not allows(made, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/datasets/other/1.jpg")
    assert any("does not fit into one policy" in told for told in made.warnings)


ACTIONS = ("s3:GetObject", "s3:*", "s3:PutObject", "s3:List*", "logs:*", "*", "ecr:*", "cloudwatch:PutMetricData")
RESOURCES = (
    "*", f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*", f"arn:aws:s3:::{BUCKET}/datasets/*",
    f"arn:aws:s3:::{BUCKET}/datasets/dogs/t*", "arn:aws:logs:*:*:*",
)  # fmt: skip
STATEMENT = st.builds(
    lambda effect, actions, resources: {"Effect": effect, "Action": actions, "Resource": resources},
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=3),
    st.lists(st.sampled_from(RESOURCES), min_size=1, max_size=3),
)
PROBES = [
    ("s3:GetObject", DATA),
    ("s3:GetObject", f"arn:aws:s3:::{BUCKET}/code/x"),
    ("s3:PutObject", f"arn:aws:s3:::{BUCKET}/runs/x"),
    ("s3:PutObject", DATA),
    ("s3:DeleteObject", DATA),
    ("s3:ListBucket", f"arn:aws:s3:::{BUCKET}"),
    ("logs:PutLogEvents", f"arn:aws:logs:{HERE}:log-group:/aws/sagemaker/TrainingJobs:log-stream:x"),
    ("cloudwatch:PutMetricData", "*"),
    ("ecr:GetAuthorizationToken", "*"),
    ("iam:CreateUser", "*"),
]


@settings(max_examples=60, deadline=None)
@given(st.lists(STATEMENT, min_size=1, max_size=4))
def test_whatever_a_role_has_a_proposal_never_gives_more(statements: list[dict[str, Any]]) -> None:
    before = {"Version": "2012-10-17", "Statement": statements}
    recorded = seen(call("s3:GetObject", "arn:aws:s3:::weights/a/1"), call("s3:PutObject", DATA))
    for made in propose(role(inline=[before]), [JOB], SERVED, recorded, None, WHERE):
        no_more(made, before)


def test_a_duty_that_needs_nothing_gets_no_role_and_the_others_say_so() -> None:
    """An instance profile that nothing was started with: its role would have an empty policy, which IAM refuses."""
    serves = Served({Duty.TRAINING: WORK[Duty.TRAINING]})
    made = propose(role(managed=FULL), [JOB, INSTANCE], serves, None, None, WHERE)
    assert [(one.duty, one.new_role) for one in made] == [(Duty.TRAINING, "DogProject-training")]
    assert "Nothing was seen that it needs for the duty instance: no role is proposed for that." in made[0].warnings


def test_a_call_of_sagemaker_that_the_endpoints_work_explains_is_not_the_trainings() -> None:
    model = call("s3:GetObject", f"arn:aws:s3:::{BUCKET}/models/starter/model.tar.gz", ("SageMaker",))
    training, endpoint = propose(role(managed=FULL), [JOB, MODEL], SERVED, seen(model), None, WHERE)
    assert row(endpoint, "s3:GetObject").basis is Basis.RECORDED
    assert row(training, "s3:GetObject").basis is Basis.NEEDED  # of its own objects none was seen to be read
    assert not allows(training, "s3:GetObject", f"arn:aws:s3:::{BUCKET}/models/starter/model.tar.gz")


def no_more(made: Proposal, before: dict[str, Any]) -> None:
    context = {"s3:prefix": "datasets/dogs/", "cloudwatch:namespace": "/aws/sagemaker/TrainingJobs"}
    for action, resource in [*PROBES, ("s3:GetObject", "arn:aws:s3:::weights/a/2")]:
        if evaluate(list(made.documents.values()), action, resource, context).allowed:
            assert evaluate([before], action, resource, context).allowed, (action, resource)


@pytest.mark.parametrize("managed", ["AmazonSageMakerFullAccess", "AdministratorAccess", "PowerUserAccess"])
def test_every_action_that_is_taken_away_is_told_of_alone_or_with_its_service(managed: str) -> None:
    made = only(propose(role(managed=(managed,)), [JOB], SERVED, None, None, WHERE))
    told = {one.action for one in made.dropped}
    assert "sagemaker:DeleteEndpoint" in told
    assert "ec2:CreateVpcEndpoint" in told
    assert not {"sagemaker:*", "ec2:*"} & told
    assert not told & {one.action for one in made.evidence if one.basis is not Basis.DROPPED}


def test_as_many_actions_are_dropped_as_a_change_takes_away() -> None:
    """Also where a Deny or a boundary takes some of them already: the two figures stand on one page."""
    one = role(managed=FULL, inline=[{"Statement": {"Effect": "Deny", "Action": "athena:*", "Resource": "*"}}])
    within = text_of("limit", {"Statement": {"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": "*"}}, "arn")
    for each in (one, replace(one, boundary=within)):
        (made,) = propose(each, (JOB,), SERVED, None, None, WHERE)
        limit = each.boundary.document if each.boundary else None
        before = [policy.document for policy in each.policies if policy.document]
        found = difference(before, list(made.documents.values()), before_boundary=limit, after_boundary=limit)
        assert sum(gone.stands_for for gone in made.dropped) == len(found.lost)
