"""What is said about what was found, and about what could not be found out."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from dashboard.core.aws import Account
from dashboard.core.errors import AccessDenied
from dashboard.core.runs.checks import CheckState, stops
from dashboard.core.runs.checks_around import checks_of
from dashboard.core.runs.spec import Capacity, Platform, TrainingSpec
from dashboard.core.runs.surroundings import Choice, Image, Permission, Quota, Role, Seen, SpotPrice, Surroundings
from tests.core.runs.made import DOGS

ACCOUNT = Account("ada", "us-east-1", "123456789012", False, True)
SPEC = TrainingSpec(DOGS)
ON_EC2 = replace(SPEC, platform=Platform.EC2, instance_type="m5.large")
DENIED = AccessDenied("not allowed to iam:GetRole", action="iam:GetRole", resource="*")
GOOD = Surroundings(
    data=Seen(True),
    bucket_region=Seen("us-east-1"),
    data_region=Seen("us-east-1"),
    role=Seen(Role("KennelTraining", trusts=True)),
    image=Seen(Image("ami-1", "Deep Learning AMI")),
    spot_prices=Seen({"m5.large": SpotPrice(Decimal("0.035"), "us-east-1a", date(2026, 11, 21))}),
    quotas=(Quota("ml.m5.large for training job usage", 4, 1, 1),),
    permissions=(Permission("this identity", "sagemaker:CreateTrainingJob", "*", True),),
)


def one(title, spec=SPEC, account=ACCOUNT, **about):
    (found,) = [check for check in checks_of(spec, account, replace(GOOD, **about)) if check.title == title]
    return found


def test_all_well():
    found = checks_of(SPEC, ACCOUNT, GOOD)
    assert {check.state for check in found} == {CheckState.OK}
    assert stops(found) == ()


def test_a_read_only_account_stops():
    assert one("Connection", account=replace(ACCOUNT, writable=False)).state.is_stop


@pytest.mark.parametrize("field", ["role", "data", "bucket_region", "image"])
def test_what_may_not_be_read_is_unknown_with_the_statement_to_ask_for(field):
    title = {"role": "Role", "data": "Data", "bucket_region": "Bucket", "image": "Image"}[field]
    found = one(title, ON_EC2, **{field: Seen(None, DENIED.what, DENIED.statement)})
    assert found.state is CheckState.UNKNOWN
    assert "iam:GetRole" in found.sentence
    assert found.statement == {"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}


@pytest.mark.parametrize(
    ("quota", "state", "says"),
    [
        (Quota("q", 4, 3, 1), CheckState.OK, "3 in use, this needs 1"),
        (Quota("q", 4, 4, 1), CheckState.STOP, "4 in use"),
        (Quota("q", 0, 0, 1), CheckState.STOP, "is 0 instances"),
        (Quota("q", 4, None, 1), CheckState.WARN, "an unknown number in use"),
        (Quota("q", None, None, 1, why="not allowed"), CheckState.UNKNOWN, "not allowed"),
        (Quota("q", 2, None, 0), CheckState.OK, "counted apart"),
        (Quota("q", 0, None, 0), CheckState.WARN, "counted apart"),
    ],
)
def test_quotas(quota, state, says):
    found = one("Quota", quotas=(quota,))
    assert found.state is state
    assert says in found.sentence
    assert bool(found.next_step) is state.is_stop


def test_a_reached_quota_says_to_wait_and_one_that_is_too_small_to_ask_for_more():
    assert "Wait until" in one("Quota", quotas=(Quota("q", 4, 4, 1),)).next_step
    assert "Wait until" not in one("Quota", quotas=(Quota("q", 0, 0, 1),)).next_step


def test_pass_role_is_asked_for_with_its_condition():
    context = {"iam:PassedToService": "sagemaker.amazonaws.com"}
    lacking = Permission("this identity", "iam:PassRole", "arn:aws:iam::1:role/KennelTraining", False, context=context)
    found = one("Permission", permissions=(lacking,))
    assert found.state.is_stop
    assert found.statement["Condition"] == {"StringEquals": context}


def test_permissions_that_were_not_checked_say_why():
    unknown = Permission("this identity", "s3:PutObject", "*", None, "not allowed to iam:SimulatePrincipalPolicy")
    found = one("Permission", permissions=(unknown,))
    assert found.state is CheckState.UNKNOWN
    assert "iam:SimulatePrincipalPolicy" in found.sentence


def test_spot_says_its_price_or_why_it_has_none():
    spot = replace(ON_EC2, capacity=Capacity.SPOT)
    assert "$0.035/h in us-east-1a" in one("Spot", spot).sentence
    assert one("Spot", spot, spot_prices=Seen(None, "not allowed")).state is CheckState.UNKNOWN
    assert "seconds that it bills" in one("Spot", replace(SPEC, capacity=Capacity.SPOT)).sentence


def test_no_port_is_open_unless_asked_for():
    assert "No port is open" in one("Network", ON_EC2).sentence
    opened = one("Network", replace(ON_EC2, ssh_address="203.0.113.7", key_name="ada"))
    assert opened.state is CheckState.WARN
    assert "203.0.113.7 alone" in opened.sentence
    assert "chosen" in one("Network", replace(ON_EC2, security_groups=("sg-1",))).sentence


def test_a_network_without_a_way_out_is_warned_of():
    private = Seen((Choice("subnet-1", "private", is_public=False), Choice("subnet-2", "public")))
    inside = replace(SPEC, subnets=("subnet-2",), security_groups=("sg-1",))
    assert "NAT gateway" in one("Network", inside, subnets=private).sentence
    machine = replace(ON_EC2, subnets=("subnet-1",), security_groups=("sg-1",))
    found = [check for check in checks_of(machine, ACCOUNT, replace(GOOD, subnets=private)) if check.title == "Network"]
    assert "subnet-1 get no public address" in found[0].sentence
    open_one = replace(machine, subnets=("subnet-2",))
    assert "NAT" not in one("Network", open_one, subnets=private).sentence


@pytest.mark.parametrize("state", CheckState)
def test_every_state_has_a_colour(state):
    assert state.tone in ("done", "waiting", "failed", "stopped")


EMBEDDED = replace(ACCOUNT, is_embedded=True)
SUBNETS = Seen((Choice("subnet-1", "a", "vpc-1"), Choice("subnet-2", "b", "vpc-2")))
GROUPS = Seen((Choice("sg-1", "one", "vpc-1"),))
FOUND = {"subnets": SUBNETS, "security_groups": GROUPS, "key_pairs": Seen((Choice("ada", "ada"),))}


def test_the_embedded_aws_has_no_kms_and_aws_has():
    keyed = replace(SPEC, kms_key="alias/dogs")
    found = one("Encryption", keyed, EMBEDDED)
    assert found.state.is_stop
    assert "no KMS" in found.sentence
    assert "alias/dogs" in found.sentence
    assert "Encryption" not in {check.title for check in checks_of(keyed, ACCOUNT, GOOD)}
    assert "Encryption" not in {check.title for check in checks_of(SPEC, EMBEDDED, GOOD)}


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"subnets": ("subnet-9",), "security_groups": ("sg-1",)}, "There is no subnet subnet-9"),
        ({"subnets": ("subnet-1",), "security_groups": ("sg-9",)}, "There is no security group sg-9"),
        ({"key_name": "bob", "ssh_address": "203.0.113.7"}, "There is no key pair bob"),
        ({"subnets": ("subnet-2",), "security_groups": ("sg-1",)}, "lie in 2 networks: vpc-1, vpc-2"),
    ],
)
def test_what_is_not_in_the_account_stops_the_launch_by_its_name(asked, says):
    (found,) = stops(checks_of(replace(ON_EC2, **asked), ACCOUNT, replace(GOOD, **FOUND)))
    assert says in found.sentence
    assert found.next_step


def test_a_network_that_is_there_stops_nothing_and_one_that_cannot_be_read_is_said():
    chosen = replace(ON_EC2, subnets=("subnet-1",), security_groups=("sg-1",))
    assert not stops(checks_of(chosen, ACCOUNT, replace(GOOD, **FOUND)))
    unread = replace(GOOD, subnets=Seen(None, "not allowed to ec2:DescribeSubnets"))
    said = [check for check in checks_of(chosen, ACCOUNT, unread) if check.state is CheckState.UNKNOWN]
    assert "subnet-1 was not checked" in said[0].sentence
