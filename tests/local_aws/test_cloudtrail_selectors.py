"""Event selectors: which events they take, by the CloudTrail API Reference, and which selectors are refused."""

from dataclasses import replace
from typing import Any

import pytest

from local_aws.errors import ServiceError
from local_aws.services.cloudtrail_selectors import Facts, check_advanced, check_basic, wants

SESSION = "arn:aws:sts::123456789012:assumed-role/DogTraining/SageMaker"
WRITE = Facts("CreateModel", "sagemaker.amazonaws.com", False, SESSION)
READ = Facts("DescribeModel", "sagemaker.amazonaws.com", True, SESSION)
OBJECT = Facts(
    "GetObject",
    "s3.amazonaws.com",
    True,
    SESSION,
    "AWS::S3::Object",
    ("arn:aws:s3:::dogs/train/a.jpg", "arn:aws:s3:::dogs"),
)
FUNCTION = Facts(
    "Invoke",
    "lambda.amazonaws.com",
    False,
    SESSION,
    "AWS::Lambda::Function",
    ("arn:aws:lambda:us-east-1:123456789012:function:infer",),
)


def advanced(*fields: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"FieldSelectors": list(fields)}]


def of(field: str, **operators: list[str]) -> dict[str, Any]:
    return {"Field": field, **operators}


DATA = (of("eventCategory", Equals=["Data"]), of("resources.type", Equals=["AWS::S3::Object"]))


def test_a_trail_without_selectors_takes_management_events_only() -> None:
    assert [wants((), (), one) for one in (WRITE, READ, OBJECT, FUNCTION)] == [True, True, False, False]


@pytest.mark.parametrize(
    ("selector", "taken"),
    [
        ({"ReadWriteType": "WriteOnly"}, [True, False, False, False]),
        ({"ReadWriteType": "ReadOnly"}, [False, True, False, False]),
        ({"IncludeManagementEvents": False}, [False, False, False, False]),
        ({"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3"]}]}, [True, True, True, False]),
        (
            {"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::dogs/train"]}]},
            [True, True, True, False],
        ),
        (
            {"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::dogs/"]}]},
            [True, True, True, False],
        ),
        (
            {"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::cats/"]}]},
            [True, True, False, False],
        ),
        ({"DataResources": [{"Type": "AWS::S3::Object", "Values": []}]}, [True, True, False, False]),
        (
            {
                "ReadWriteType": "WriteOnly",
                "DataResources": [
                    {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::"]},
                    {"Type": "AWS::Lambda::Function", "Values": list(FUNCTION.arns or ())},
                ],
            },
            [True, False, False, True],
        ),
    ],
)
def test_event_selectors(selector: dict[str, Any], taken: list[bool]) -> None:
    checked = check_basic([selector])
    assert [wants(checked, (), one) for one in (WRITE, READ, OBJECT, FUNCTION)] == taken


@pytest.mark.parametrize(
    ("fields", "takes"),
    [
        (DATA, True),
        ((*DATA, of("readOnly", Equals=["false"])), False),
        ((*DATA, of("userIdentity.arn", StartsWith=["arn:aws:sts::123456789012:assumed-role/Dog"])), True),
        ((*DATA, of("userIdentity.arn", EndsWith=["/someone-else"])), False),
        ((*DATA, of("resources.ARN", StartsWith=["arn:aws:s3:::dogs/"])), True),
        ((*DATA, of("resources.ARN", NotStartsWith=["arn:aws:s3:::dogs/"])), False),
        ((*DATA, of("resources.ARN", StartsWith=["arn:aws:s3:::"], NotEndsWith=[".jpg"])), False),
        ((*DATA, of("eventName", Equals=["PutObject"], StartsWith=["Get"])), True),  # positive ones are alternatives
        ((*DATA, of("eventName", NotEquals=["PutObject", "GetObject"])), False),  # negated ones must all hold
        ((*DATA, of("eventSource", Equals=["lambda.amazonaws.com"])), False),
        ((*DATA, of("eventType", Equals=["AwsApiCall"])), True),
        ((*DATA, of("sessionCredentialFromConsole", Equals=["true"])), False),
        ((of("eventCategory", Equals=["Management"]),), False),
    ],
)
def test_advanced_selectors(fields: tuple[dict[str, Any], ...], takes: bool) -> None:
    assert wants((), check_advanced(advanced(*fields)), OBJECT) is takes


def test_before_its_resources_are_known_an_event_may_fit_any_selector_of_them() -> None:
    """What is called a thousand times a second is dropped without a look at what it is about, or else kept."""
    unknown = replace(OBJECT, arns=None)
    assert wants((), advanced(*DATA, of("resources.ARN", Equals=["arn:aws:s3:::cats/a"])), unknown)
    assert not wants((), advanced(*DATA, of("readOnly", Equals=["false"])), unknown)
    assert wants([{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::cats/"]}]}], (), unknown)


@pytest.mark.parametrize(
    "selectors",
    [
        [],
        [{"FieldSelectors": [of("readOnly", Equals=["true"])]}],
        [{"FieldSelectors": [of("eventCategory", Equals=["Insight"])]}],
        [{"FieldSelectors": [of("eventCategory", Equals=["Data"])]}],
        [{"FieldSelectors": [of("eventCategory", StartsWith=["Data"]), DATA[1]]}],
        [{"FieldSelectors": [*DATA, of("readOnly", Equals=["yes"])]}],
        [{"FieldSelectors": [*DATA, of("eventName")]}],
        [{"FieldSelectors": [*DATA, DATA[1]]}],
        [{"FieldSelectors": [of("eventCategory", Equals=["Management"]), of("userIdentity.arn", Equals=["x"])]}],
        [{"FieldSelectors": [*DATA, of("resources.ARN", Equals=[f"arn:{n}" for n in range(500)])]}],
    ],
)
def test_advanced_selectors_that_are_none(selectors: list[dict[str, Any]]) -> None:
    with pytest.raises(ServiceError, match="InvalidEventSelectorsException"):
        check_advanced(selectors)


@pytest.mark.parametrize(
    "selectors",
    [
        [],
        [{}] * 6,
        [{"ReadWriteType": "Some"}],
        [{"DataResources": [{"Type": "AWS::SageMaker::Endpoint", "Values": ["arn:aws:sagemaker"]}]}],
        [{"ExcludeManagementEventSources": ["iam.amazonaws.com"]}],
        [{"DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::b/"] * 251}]}],
    ],
)
def test_event_selectors_that_are_none(selectors: list[dict[str, Any]]) -> None:
    with pytest.raises(ServiceError, match="InvalidEventSelectorsException"):
        check_basic(selectors)
