"""What is told of two records: everything in which they differ, and nothing else."""

from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from dashboard.core.errors import InvalidInput
from dashboard.verify.compare import Difference, Kind, as_far, differences, report
from dashboard.verify.record import Record, Recorder, members


def record(**told: Any) -> Record:
    one = Record(
        calls={"sagemaker DescribeEndpoint": {"EndpointName: str": 3, "CreationTime: datetime": 3}},
        answers={"sagemaker DescribeEndpoint": 3},
        seconds={"sagemaker DescribeEndpoint": [0.1, 0.2, 0.1]},
        states={"endpoint": ["Creating", "InService"]},
        errors={"iam get_role": "NoSuchEntity (404)"},
        steps={"training": 200.0},
    )
    for name, value in told.items():
        setattr(one, name, value)
    return one


def test_two_records_alike_differ_in_nothing() -> None:
    assert differences(record(), record()) == ()
    assert "Nothing differed." in report((), record(), record())


def test_of_a_round_that_was_broken_off_only_what_ran_is_compared() -> None:
    ran = record(states={"endpoint": ["Creating"]}, errors={}, steps={})
    far = as_far(record(calls=record().calls | {"iam CreateRole": {"Role: str": 1}}), ran)
    assert differences(ran, far) == ()
    assert "only what ran until then is compared" in report((), ran, far, is_whole=False)
    other = as_far(record(), record(states={"endpoint": ["Failed"]}))
    assert [one.kind for one in differences(record(states={"endpoint": ["Failed"]}), other)] == [Kind.STATE]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"errors": {"iam get_role": "404 (404)"}},
         Difference(Kind.ERROR, "iam get_role", "404 (404)", "NoSuchEntity (404)")),
        ({"errors": {}}, Difference(Kind.ERROR, "iam get_role", "not asked", "NoSuchEntity (404)")),
        ({"states": {"endpoint": ["Creating", "Failed"]}},
         Difference(Kind.STATE, "endpoint", "Creating → Failed", "Creating → InService")),
        ({"calls": {"sagemaker DescribeEndpoint": {"EndpointName: str": 1}}},
         Difference(Kind.MORE, "sagemaker DescribeEndpoint: CreationTime", "absent", "datetime")),
        ({"calls": {"sagemaker DescribeEndpoint": {"EndpointName: str": 1, "CreationTime: datetime": 1, "N: int": 1}}},
         Difference(Kind.MISSING, "sagemaker DescribeEndpoint: N", "int", "absent")),
        ({"calls": {"sagemaker DescribeEndpoint": {"EndpointName: str": 1, "CreationTime: str": 1}}},
         Difference(Kind.TYPE, "sagemaker DescribeEndpoint: CreationTime", "str", "datetime")),
        ({"steps": {"training": 20.0}}, Difference(Kind.TIME, "step training", "20 s", "3 min 20 s")),
    ],
)  # fmt: skip
def test_each_kind_of_difference_is_told(changes: dict[str, Any], expected: Difference) -> None:
    assert differences(record(**changes), record()) == (expected,)


def test_durations_that_nobody_would_notice_are_not_told() -> None:
    assert differences(record(seconds={"sagemaker DescribeEndpoint": [0.9]}), record()) == ()
    assert differences(record(steps={"training": 400.0}), record()) == ()


def test_calls_of_one_side_alone_are_told_as_that() -> None:
    more = record(calls=record().calls | {"iam GetRole": {"Role.Arn: str": 1}})
    assert differences(more, record()) == (Difference(Kind.CALL, "iam GetRole", "answered", "not called"),)
    assert differences(record(), more) == (Difference(Kind.CALL, "iam GetRole", "not called", "answered"),)


def test_what_an_account_happens_to_have_in_a_list_is_no_difference() -> None:
    here = record(calls={"s3 ListBuckets": {"Buckets[].Name: str": 1, "Buckets[].Tags[].Key: str": 1}})
    empty = record(calls={"s3 ListBuckets": {}}, answers={"s3 ListBuckets": 1})
    untagged = record(calls={"s3 ListBuckets": {"Buckets[].Name: str": 1, "Buckets[].Region: str": 1}})
    assert differences(here, empty) == ()
    assert [one.where for one in differences(here, untagged)] == ["s3 ListBuckets: Buckets[].Region"]


def test_the_report_has_the_worst_first_and_breaks_no_table() -> None:
    found = differences(record(errors={"a|b": "X"}, steps={"training": 20.0}), record())
    text = report(found, record(), record())
    assert text.index("## Error codes") < text.index("## Durations")
    assert "a\\|b" in text


def test_an_answer_is_kept_as_its_members_without_any_value() -> None:
    model = botocore.session.get_session().get_service_model("lambda").operation_model("GetFunction").output_shape
    answer = {
        "Configuration": {"FunctionName": "secret-name", "Environment": {"Variables": {"SECRET": "x", "B": "y"}}},
        "Tags": {"owner": "ann"},
        "ResponseMetadata": {"RequestId": "1"},
    }
    assert set(members(answer, model)) == {
        "Configuration.FunctionName: str",
        "Configuration.Environment.Variables{}: str",
        "Tags{}: str",
    }
    role = botocore.session.get_session().get_service_model("iam").operation_model("GetRole").output_shape
    assert set(members({"Role": {"AssumeRolePolicyDocument": {"Statement": [{"Sid": "x"}]}}}, role)) == {
        "Role.AssumeRolePolicyDocument: document"
    }
    assert set(members({"A": [{"B": 1}, {"C": None}], "D": BytesIO(), "E": datetime.now(UTC)}, None)) == {
        "A[].B: int", "D: stream", "E: datetime"}  # fmt: skip


def test_states_are_kept_once_for_as_long_as_they_last() -> None:
    recorder = Recorder()
    for state in ("Creating", "Creating", "InService", "Creating"):
        recorder.record.saw("endpoint", state)
    assert recorder.record.states == {"endpoint": ["Creating", "InService", "Creating"]}


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record().save(tmp_path / "a.json")
    assert Record.load(tmp_path / "a.json") == record()
    (tmp_path / "b.json").write_text("{")
    with pytest.raises(InvalidInput, match="holds no record"):
        Record.load(tmp_path / "b.json")
