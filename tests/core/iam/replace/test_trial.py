"""What a proof makes is known as its own, and what one left behind is swept before the next."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.errors import NotFound, Refused
from dashboard.core.iam.replace import change, made, prove, standing, trial
from dashboard.core.iam.replace.probes import NOBODY, harmless, telling
from dashboard.core.iam.replace.rerun_function import names
from dashboard.core.iam.usage import Duty, Use
from tests.core.iam.role_world import LEAST, Faulty, broad_role, document, proposal, statement

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def aws(embedded):
    return Faulty(embedded)


def test_what_a_proof_left_behind_is_swept_when_no_proof_can_be_at_it_any_more(aws):
    name = broad_role(aws)
    before = standing.read(aws, name)
    left = trial.planned(before, proposal(name), "0badcafe")
    trial.make(aws, left, before, proposal(name))
    assert trial.sweep(aws, NOW) == (), "another proof may be under way"
    assert trial.sweep(aws, NOW + timedelta(hours=3)) == (left.name,)
    for gone in (
        lambda: standing.read(aws, left.name),
        lambda: aws.call("iam", "GetPolicy", PolicyArn=left.policies[0]),
    ):
        with pytest.raises(NotFound):
            gone()


def test_a_trial_role_has_the_boundary_of_the_role_it_stands_for_and_nobody_changes_it(aws):
    text = json.dumps(document(statement("s3:*")))
    limit = aws.call("iam", "CreatePolicy", PolicyName="TrialLimit", PolicyDocument=text)["Policy"]["Arn"]
    name = broad_role(aws, boundary=limit)
    before = standing.read(aws, name)
    one = trial.planned(before, proposal(name), "0badf00d")
    trial.make(aws, one, before, proposal(name))
    try:
        assert standing.read(aws, one.name).boundary.arn == limit
        with pytest.raises(Refused, match="the trial of a proof"):
            change.plan(aws, proposal(one.name))
    finally:
        assert trial.clear(aws, one) == ()


def test_a_role_of_another_making_is_not_deleted_as_a_trial(aws):
    name = broad_role(aws)
    with pytest.raises(Refused, match="another change made it"):
        made.delete_role(aws, name, "some-mark")
    assert standing.read(aws, name).attached


def test_a_functions_own_log_is_the_trials_in_the_trials_policy(aws):
    name = broad_role(aws)
    log = "arn:aws:logs:us-east-1:1:log-group:/aws/lambda/"
    policy = document(statement("logs:PutLogEvents", resource=[f"{log}dogs:*", f"{log}dogs-other:*"]))
    one = trial.planned(standing.read(aws, name), proposal(name, policy), "0badbeef")
    renamed = trial.renamed(one, names([Use(Duty.FUNCTION, "dogs", "arn")], one)).documents[0]["Statement"][0][
        "Resource"
    ]
    assert renamed == [f"{log}kennel-trial-0badbeef:*", f"{log}dogs-other:*"]


def test_probes_name_nothing_that_is_there_and_only_those_that_tell_something_are_sent(aws):
    known = harmless(aws.account)
    writes = [one for one in known if one.operation.startswith(("Delete", "Stop", "Terminate", "Invoke"))]
    assert len(writes) > 6
    for one in writes:
        assert NOBODY in str(one.parameters) or "i-00000000000000000" in str(one.parameters)
    before, after = [document(statement("s3:*"))], [LEAST]
    chosen = telling(known, before, after)
    assert chosen and {one.right.service for one in chosen} == {"s3"}
    assert telling(known, after, after) == ()


def test_a_proposal_that_allows_nothing_is_refused_in_words(aws):
    name = broad_role(aws)
    empty = proposal(name, document())
    for plan in (change.plan, prove.plan):
        with pytest.raises(Refused, match="nothing is proposed"):
            plan(aws, empty)


def test_a_policy_that_cannot_be_judged_is_refused_in_words(aws):
    name = broad_role(aws)
    odd = document({"Effect": "Sometimes", "Action": "s3:GetObject", "Resource": "*"})
    for plan in (change.plan, prove.plan):
        with pytest.raises(Refused, match="Effect"):
            plan(aws, proposal(name, odd))
