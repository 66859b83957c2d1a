import json

import pytest
from botocore import exceptions as boto

from dashboard.core.aws_errors import action_of, redact, translate
from dashboard.core.errors import (
    AccessDenied,
    AlreadyExists,
    CredentialsProblem,
    InvalidInput,
    NoCapacity,
    NotFound,
    QuotaExceeded,
    Refused,
    ServiceFault,
    Throttled,
    Unreachable,
)
from tests.core.conftest import Reply, refusal

DENIED = (
    "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: sagemaker:CreateTrainingJob on resource: "
    "arn:aws:sagemaker:eu-west-1:123456789012:training-job/dogs because no identity-based policy allows the "
    "sagemaker:CreateTrainingJob action"
)
PASS_ROLE = (
    "User: arn:aws:iam::123456789012:user/ada is not authorized to perform: iam:PassRole on resource: "
    "arn:aws:iam::123456789012:role/KennelTraining because no identity-based policy allows the iam:PassRole action"
)
XML = "<Error><Code>{}</Code><Message>{}</Message></Error>"


@pytest.mark.parametrize(
    ("code", "message", "status", "meaning"),
    [
        ("AccessDeniedException", DENIED, 400, AccessDenied),
        ("AccessDeniedException", "The role defined for the function cannot be assumed by Lambda.", 403, Refused),
        ("ValidationException", 'Could not find model "arn:aws:sagemaker:::model/x".', 400, NotFound),
        ("ValidationException", "Requested resource not found.", 400, NotFound),
        ("ValidationError", "Endpoint dogs of account 123456789012 not found.", 400, NotFound),
        ("ResourceNotFound", "Requested resource not found.", 400, NotFound),
        ("ResourceInUse", "Job name must be unique within an AWS account and region", 400, AlreadyExists),
        ("ValidationException", 'Cannot create already existing model "arn:aws:…".', 400, AlreadyExists),
        ("ValidationException", "1 validation error detected: Value 'x' at 'instanceType'", 400, InvalidInput),
        (
            "ResourceLimitExceeded",
            "The account-level service limit 'ml.g5.xlarge for training job usage' is 0",
            400,
            QuotaExceeded,
        ),
        ("ThrottlingException", "Rate exceeded", 400, Throttled),
        ("ExpiredTokenException", "The security token included in the request is expired", 403, CredentialsProblem),
        (
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            400,
            CredentialsProblem,
        ),
        ("CapacityError", "Unable to provision requested ML compute capacity", 400, NoCapacity),
        ("InternalFailure", "", 500, ServiceFault),
        ("UnknownOperationException", "", 501, ServiceFault),
        ("SomethingNewException", "a rule of 2027", 400, Refused),
    ],
)
def test_aws_answers_become_meanings(aws, fake, code, message, status, meaning):
    fake.on("DescribeTrainingJob", refusal(code, message, status))
    with pytest.raises(meaning) as caught:
        aws.call("sagemaker", "DescribeTrainingJob", TrainingJobName="dogs")
    assert type(caught.value) is meaning
    assert caught.value.what
    assert caught.value.__cause__ is not None


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        ("NoSuchBucket", 404, NotFound),
        ("NoSuchKey", 404, NotFound),
        ("AccessDenied", 403, AccessDenied),
        ("BucketAlreadyOwnedByYou", 409, AlreadyExists),
        ("SlowDown", 503, Throttled),
        ("RequestTimeTooSkewed", 403, Refused),
    ],
)
def test_s3s_xml_errors_too(aws, fake, code, status, meaning):
    fake.on("S3 GET", Reply(XML.format(code, "said by S3").encode(), status))
    with pytest.raises(meaning):
        aws.call("s3", "GetObject", Bucket="dogs-and-cats", Key="a.jpg")


def test_a_bare_404_of_head_is_not_found(aws, fake):
    fake.on("S3 HEAD", Reply(b"", 404))
    with pytest.raises(NotFound):
        aws.call("s3", "HeadObject", Bucket="dogs-and-cats", Key="a.jpg")


def test_denied_names_the_action_the_resource_and_the_statement(aws, fake):
    fake.on("CreateTrainingJob", refusal("AccessDeniedException", PASS_ROLE))
    fake.on("DescribeTrainingJob", refusal("AccessDeniedException", DENIED))
    with pytest.raises(AccessDenied) as caught:
        aws.call("sagemaker", "DescribeTrainingJob", TrainingJobName="dogs")
    error = caught.value
    assert error.action == "sagemaker:CreateTrainingJob"
    assert error.resource == "arn:aws:sagemaker:eu-west-1:123456789012:training-job/dogs"
    statement = json.loads(error.next_step.partition(": ")[2])
    assert statement == {"Effect": "Allow", "Action": error.action, "Resource": error.resource}


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        ("InsufficientInstanceCapacity", NoCapacity),
        ("InvalidAMIID.NotFound", NotFound),
        ("InvalidSubnetID.NotFound", NotFound),
        ("InvalidAMIID.Malformed", InvalidInput),
        ("InvalidGroup.Duplicate", AlreadyExists),
        ("IdempotentParameterMismatch", AlreadyExists),
        ("VcpuLimitExceeded", QuotaExceeded),
        ("MaxSpotInstanceCountExceeded", QuotaExceeded),
        ("UnauthorizedOperation", AccessDenied),
        ("RequestLimitExceeded", Throttled),
        ("PreconditionFailed", AlreadyExists),
        ("UnsupportedOperation", Refused),
    ],
)
def test_what_a_launch_can_meet_on_ec2_and_s3_has_its_meaning(code, meaning):
    error = translate(client_error(code, "said by EC2"), service="ec2", operation="RunInstances")
    assert type(error) is meaning
    assert error.what
    assert error.next_step


def test_the_hundreds_of_values_that_aws_would_take_are_not_told():
    message = (
        "1 validation error detected: Value 'ml.m99.huge' at 'resourceConfig.instanceType' failed to satisfy "
        "constraint: Member must satisfy enum value set: [ml.m4.xlarge, ml.m5.large]"
    )
    error = translate(client_error("ValidationException", message), service="sagemaker", operation="CreateTrainingJob")
    assert "'ml.m99.huge' at 'resourceConfig.instanceType'" in error.why
    assert "ml.m5.large" not in error.why


@pytest.mark.parametrize("service", ["sagemaker", "sagemaker-runtime"])
def test_a_role_that_cannot_be_assumed_is_named_with_the_trust_it_needs(service):
    message = (
        "Could not assume role arn:aws:iam::123456789012:role/KennelTraining. Please ensure that the role exists and "
        "allows principal 'sagemaker.amazonaws.com' to assume the role."
    )
    error = translate(client_error("ValidationException", message), service=service, operation="CreateTrainingJob")
    assert type(error) is Refused
    assert error.what == "sagemaker.amazonaws.com cannot act as the role KennelTraining"
    statement = json.loads(error.next_step.partition(": ")[2])
    assert statement["Principal"] == {"Service": "sagemaker.amazonaws.com"}


def test_a_resource_that_s3_puts_in_quotes_is_named_without_them():
    said = 'User: x is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::dogs/a.jpg" because no …'
    error = translate(client_error("AccessDenied", said), service="s3", operation="GetObject")
    assert (error.action, error.resource) == ("s3:GetObject", "arn:aws:s3:::dogs/a.jpg")


def test_denied_pass_role_is_about_the_role():
    error = translate(
        client_error("AccessDeniedException", PASS_ROLE), service="sagemaker", operation="CreateTrainingJob"
    )
    assert error.action == "iam:PassRole"
    assert error.resource == "arn:aws:iam::123456789012:role/KennelTraining"


def test_an_explicit_deny_is_not_answered_with_a_statement():
    message = DENIED.replace("because no identity-based policy allows", "with an explicit deny in")
    error = translate(client_error("AccessDenied", message), service="sagemaker", operation="CreateTrainingJob")
    assert "Deny" in error.next_step
    assert "statement" not in error.next_step


def test_denied_without_a_reason_still_names_action_and_resource(aws, fake):
    fake.on("S3 GET", Reply(XML.format("AccessDenied", "Access Denied").encode(), 403))
    with pytest.raises(AccessDenied) as caught:
        aws.call("s3", "GetObject", Bucket="dogs-and-cats", Key="a.jpg")
    assert (caught.value.action, caught.value.resource) == ("s3:GetObject", "arn:aws:s3:::dogs-and-cats/a.jpg")
    with pytest.raises(AccessDenied) as caught:
        aws.call("s3", "ListObjectsV2", Bucket="dogs-and-cats")
    assert (caught.value.action, caught.value.resource) == ("s3:ListBucket", "arn:aws:s3:::dogs-and-cats")


def test_the_runtimes_action_belongs_to_sagemaker():
    assert action_of("sagemaker-runtime", "InvokeEndpoint") == "sagemaker:InvokeEndpoint"
    assert action_of("service-quotas", "GetServiceQuota") == "servicequotas:GetServiceQuota"
    assert action_of("sagemaker", "CreateModel") == "sagemaker:CreateModel"
    assert action_of("lambda", "Invoke") == "lambda:InvokeFunction"
    assert action_of("budgets", "DescribeBudgets") == "budgets:ViewBudget"
    assert action_of("budgets", "CreateNotification") == "budgets:ModifyBudget"


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (boto.NoCredentialsError(), CredentialsProblem),
        (boto.PartialCredentialsError(provider="env", cred_var="x"), CredentialsProblem),
        (boto.ProfileNotFound(profile="ada"), CredentialsProblem),
        (boto.UnauthorizedSSOTokenError(), CredentialsProblem),
        (boto.TokenRetrievalError(provider="sso", error_msg="x"), CredentialsProblem),
        (boto.EndpointConnectionError(endpoint_url="https://x/"), Unreachable),
        (boto.ConnectTimeoutError(endpoint_url="https://x/"), Unreachable),
        (boto.ReadTimeoutError(endpoint_url="https://x/"), ServiceFault),
        (boto.ConnectionClosedError(endpoint_url="https://x/"), Unreachable),
        (boto.SSLError(endpoint_url="https://x/", error="x"), Unreachable),
        (boto.ProxyConnectionError(proxy_url="https://p"), Unreachable),
        (boto.ParamValidationError(report="Missing required parameter"), InvalidInput),
        (boto.NoRegionError(), InvalidInput),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), Unreachable),
    ],
)
@pytest.mark.parametrize("profile", ["", "ada"])
def test_botocores_own_exceptions_become_meanings(error, meaning, profile):
    ours = translate(error, service="sagemaker", operation="ListTrainingJobs", profile=profile)
    assert type(ours) is meaning
    assert ours.next_step


def test_why_there_are_no_keys_is_no_name_of_a_class():
    for error in (boto.NoCredentialsError(), boto.PartialCredentialsError(provider="env", cred_var="secret")):
        assert "Error" not in translate(error, service="sts", operation="GetCallerIdentity", profile="ada").why
        assert translate(error, service="sts", operation="GetCallerIdentity", profile="ada").why


def test_what_to_do_depends_on_whose_account_it_is():
    gone = boto.EndpointConnectionError(endpoint_url="http://127.0.0.1:4566/")
    embedded = translate(gone, service="sts", operation="GetCallerIdentity")
    assert embedded.what == "the embedded AWS is not answering at http://127.0.0.1:4566"
    assert "make run" in embedded.next_step
    real = translate(gone, service="sts", operation="GetCallerIdentity", profile="ada")
    assert "make run" not in str(real)


@pytest.mark.parametrize(
    "text",
    [
        "key AKIAIOSFODNN7EXAMPLE is inactive",
        "ASIAIOSFODNN7EXAMPLE",
        "https://x/?X-Amz-Signature=fe5f80f77d5fa3beca038a248ff027d0&a=1",
        "X-Amz-Security-Token=IQoJb3JpZ2luX2Vj",
        'SecretAccessKey: "wJalrXUtnFEMI/K7MDENG"',
        "aws_secret_access_key = wJalrXUtnFEMI/K7MDENG",
        "session_token=IQoJb3JpZ2luX2Vj",
    ],
)
def test_secrets_are_removed(text):
    clean = redact(text)
    assert "[removed]" in clean
    for secret in ("IOSFODNN7EXAMPLE", "fe5f80f77d5fa3beca", "IQoJb3JpZ2luX2Vj", "wJalrXUtnFEMI"):
        assert secret not in clean


def test_ordinary_sentences_pass_unchanged():
    sentence = "The account-level service limit 'ml.g5.xlarge for training job usage' is 0 Instances."
    assert redact(sentence) == sentence


def test_a_containers_own_refusal_is_about_the_photo(aws, fake):
    fake.on("InvokeEndpoint", model_error(400, '{"error": "This file is empty (0 bytes): choose the photo again."}'))
    with pytest.raises(InvalidInput) as caught:
        aws.call("sagemaker-runtime", "InvokeEndpoint", EndpointName="starter", Body=b"x")
    assert caught.value.why == "This file is empty (0 bytes): choose the photo again."
    assert caught.value.field == "photo"


def test_a_containers_own_failure_is_not(aws, fake):
    fake.on("InvokeEndpoint", model_error(500, "Traceback"))
    with pytest.raises(ServiceFault, match="Traceback"):
        aws.call("sagemaker-runtime", "InvokeEndpoint", EndpointName="starter", Body=b"x")
    assert fake.counts["InvokeEndpoint"] == 1  # a model that fails is not asked again


def model_error(status: int, body: str) -> Reply:
    """As sagemaker-runtime answers when the container behind it answered an error."""
    said = {
        "Message": f"Received client error ({status}) from primary",
        "OriginalStatusCode": status,
        "OriginalMessage": body,
    }
    return Reply(said, 424, {"x-amzn-errortype": "ModelError"})


def client_error(code: str, message: str) -> boto.ClientError:
    return boto.ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "X"
    )


@pytest.mark.parametrize(
    ("reason", "why"),
    [
        ("ReservedFunctionConcurrentInvocationLimitExceeded", "all that are reserved for it are busy"),
        ("ConcurrentInvocationLimitExceeded", "all that this account may run at once"),
        ("CallerRateLimitExceeded", "too many calls a second"),
    ],
)
def test_lambda_that_has_none_free_is_told_apart_from_too_many_calls(reason: str, why: str) -> None:
    told = client_error("TooManyRequestsException", "Rate Exceeded.")
    told.response["Reason"] = reason
    which = {"FunctionName": "arn:aws:lambda:us-east-1:123456789012:function:dogs"}
    error = translate(told, service="lambda", operation="Invoke", parameters=which)
    assert isinstance(error, Throttled)
    assert why in error.why
