"""The model's own constraints, worded as AWS words them, on every shape there is."""

import re
import time
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from local_aws.errors import ServiceError
from local_aws.services import sagemaker_constraints
from local_aws.services.sagemaker import SageMaker

MODEL = botocore.session.get_session().get_service_model("sagemaker")


def broken(operation: str, **params: Any) -> str:
    try:
        sagemaker_constraints.check(MODEL.operation_model(operation).input_shape, params)
    except ServiceError as error:
        assert error.code == "ValidationException"
        return error.message
    return ""


def test_a_pattern() -> None:
    assert broken("StopTrainingJob", TrainingJobName="a b") == (
        "1 validation error detected: Value 'a b' at 'trainingJobName' failed to satisfy constraint: "
        "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"
    )


def test_the_pattern_must_match_the_whole_value() -> None:
    assert broken("StopTrainingJob", TrainingJobName="good\n")
    assert broken("StopTrainingJob", TrainingJobName="trailing-")
    assert not broken("StopTrainingJob", TrainingJobName="good-name-1")


def test_lengths_enums_and_numbers() -> None:
    assert "'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100" in broken(
        "ListModels", MaxResults=101
    )
    assert "Member must have value greater than or equal to 1" in broken("ListModels", MaxResults=0)
    assert "Member must satisfy enum value set: [Ascending, Descending]" in broken("ListTrainingJobs", SortOrder="Up")
    assert "Member must have length less than or equal to 63" in broken("StopTrainingJob", TrainingJobName="x" * 64)


def test_paths_into_lists_maps_and_structures() -> None:
    message = broken(
        "CreateTrainingJob",
        InputDataConfig=[
            {"ChannelName": "ok", "DataSource": {}},
            {"ChannelName": "not ok", "DataSource": {"S3DataSource": {"S3DataType": "Nonsense"}}},
        ],
        Environment={"9": "x"},
    )
    assert message.startswith("3 validation errors detected: ")
    for path in ("inputDataConfig.2.member.channelName", "inputDataConfig.2.member.dataSource.s3DataSource.s3DataType"):
        assert f"at '{path}'" in message
    assert "at 'environment.key'" in message


def test_a_long_value_is_not_repeated_whole() -> None:
    assert len(broken("StopTrainingJob", TrainingJobName="x" * 100_000)) < 400


@pytest.mark.parametrize(
    ("tag", "is_right"),
    [("kennel:made-by", True), ("Größe = 1/2 @x", True), ("数", True), ("a#b", False), ("a\tb", False)],
)
def test_tags_take_letters_of_any_language(tag: str, is_right: bool) -> None:
    assert bool(broken("AddTags", Tags=[{"Key": tag, "Value": ""}])) is not is_right


def test_nearly_every_pattern_of_the_model_is_understood() -> None:
    patterns = {MODEL.shape_for(name).metadata.get("pattern") for name in MODEL.shape_names} - {None}
    unknown = {pattern for pattern in patterns if sagemaker_constraints._compiled(pattern) is None}
    assert len(patterns) > 250
    assert all(re.search(r"\\p\{[MSP]\}|\\uD800|\)\$\{", pattern) for pattern in unknown), unknown
    assert len(unknown) <= 8


def strings(shape: Any, seen: set[str]) -> Iterator[Any]:
    """Every string shape below a shape."""
    if shape.name in seen:
        return
    seen.add(shape.name)
    match shape.type_name:
        case "structure":
            for member in shape.members.values():
                yield from strings(member, seen)
        case "list":
            yield from strings(shape.member, seen)
        case "map":
            yield from strings(shape.key, seen)
            yield from strings(shape.value, seen)
        case "string":
            yield shape


@pytest.mark.parametrize(
    "value", ["s3://" + "a" * 2000, "a-" * 1000, "arn:aws:iam::" + "1" * 2000, "/" * 2000, "a." * 1000]
)
def test_no_pattern_of_our_operations_takes_long_on_what_it_is_given(value: str) -> None:
    """Some patterns of the model take for ever on some values; none of those belongs to an operation that is here."""
    ours = [name for name in MODEL.operation_names if hasattr(SageMaker, xform_name(name))]
    assert len(ours) >= 20
    seen: set[str] = set()
    started = time.monotonic()
    for operation in ours:
        for shape in strings(MODEL.operation_model(operation).input_shape, seen):
            for end in ("", "\n", "!"):
                cut = value[: min(shape.metadata.get("max", 8192), 8192) - len(end)] + end
                list(sagemaker_constraints._string(shape, cut, "x"))
    assert time.monotonic() - started < 2
