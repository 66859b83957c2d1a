"""A shared role's calls are divided among the proposals of its duties: none is lost, none is laid on the wrong one."""

from datetime import UTC, datetime

from dashboard.core.iam.least.recorded_of import of_proposal
from dashboard.core.iam.proposal import Proposal
from dashboard.core.iam.recorded import Recorded, RecordedCall
from dashboard.core.iam.rights import Right
from dashboard.core.iam.usage import Duty, Use

NOW = datetime(2026, 11, 22, tzinfo=UTC)
USES = (Use(Duty.FUNCTION, "infer", "arn:aws:lambda:us-east-1:123456789012:function:infer"),)


def proposal(duty: Duty, folder: str) -> Proposal:
    allow = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::dogs/{folder}/*"}
    document = {"Version": "2012-10-17", "Statement": [allow]}
    return Proposal("Dog", duty, f"Dog-{duty}", document, {}, (), f"Dog-{duty}")


def call(key: str, *sessions: str) -> RecordedCall:
    return RecordedCall(Right("s3:GetObject", f"arn:aws:s3:::dogs/{key}"), 1, NOW, NOW, sessions=sessions)


def keys(recorded: Recorded | None) -> list[str]:
    return [one.right.resource.partition("dogs/")[2] for one in recorded.calls] if recorded else []


def test_what_sagemaker_does_not_tell_apart_is_the_duty_whose_proposal_allows_it() -> None:
    training, endpoint = proposal(Duty.TRAINING, "data"), proposal(Duty.ENDPOINT, "models")
    both = (training, endpoint)
    seen = Recorded("arn", (call("data/a", "SageMaker"), call("models/b", "SageMaker"), call("secret", "SageMaker")))
    assert keys(of_proposal(seen, training, both, ())) == ["data/a", "secret"]
    assert keys(of_proposal(seen, endpoint, both, ())) == ["models/b", "secret"]


def test_a_session_that_names_a_function_is_of_the_function_alone() -> None:
    function, training = proposal(Duty.FUNCTION, "photos"), proposal(Duty.TRAINING, "data")
    seen = Recorded("arn", (call("other", "infer"), call("photos/a", "infer")))
    assert keys(of_proposal(seen, function, (function, training), USES)) == ["other", "photos/a"]
    assert keys(of_proposal(seen, training, (function, training), USES)) == []


def test_a_role_with_one_duty_answers_for_all_of_its_calls() -> None:
    training = proposal(Duty.TRAINING, "data")
    seen = Recorded("arn", (call("models/b", "SageMaker"), call("x", "infer")))
    assert of_proposal(seen, training, (training,), ()) is seen
    assert of_proposal(None, training, (training, training), ()) is None
