"""What the trail never holds: secrets by botocore's own mark, by name and inside texts, and contents."""

import json

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.core.trail import redact
from dashboard.core.trail.model import HIDDEN

SECRET = "s3cr3t-Value-42"


def shape(service: str, operation: str):
    return botocore.session.get_session().get_service_model(service).operation_model(operation).input_shape


@pytest.mark.parametrize(
    ("service", "operation", "asked"),
    [
        ("lambda", "UpdateFunctionConfiguration", {"FunctionName": "f", "Environment": {"Variables": {"A": SECRET}}}),
        ("lambda", "UpdateFunctionCode", {"FunctionName": "f", "ZipFile": SECRET.encode()}),
        ("lambda", "Invoke", {"FunctionName": "f", "Payload": SECRET}),
        ("ssm", "PutParameter", {"Name": "/p", "Type": "SecureString", "Value": SECRET}),
        ("budgets", "CreateSubscriber", {"Subscriber": {"SubscriptionType": "EMAIL", "Address": SECRET}}),
        ("ec2", "RunInstances", {"ImageId": "ami-1", "UserData": SECRET}),
        ("s3", "PutObject", {"Bucket": "b", "Key": "feedback/1.jpg", "Body": SECRET.encode()}),
        ("sagemaker", "CreateTrainingJob", {"Environment": {"HF": SECRET}, "HyperParameters": {"hf_token": SECRET}}),
        ("sagemaker", "CreateModel", {"PrimaryContainer": {"Environment": {"ANY": SECRET}}}),
        ("secretsmanager", "CreateSecret", {"Name": "n", "SecretString": SECRET}),
        ("iam", "CreateLoginProfile", {"UserName": "u", "Password": SECRET}),
        ("cloudformation", "CreateStack", {"TemplateBody": SECRET}),
        ("cloudformation", "CreateStack", {"Parameters": [{"ParameterKey": "DbPassword", "ParameterValue": SECRET}]}),
        ("sagemaker", "AddTags", {"ResourceArn": "a", "Tags": [{"Key": "api-token", "Value": SECRET}]}),
    ],
)
def test_what_is_secret_is_not_written_down(service: str, operation: str, asked: dict[str, object]) -> None:
    kept = redact.parameters(asked, shape(service, operation))
    assert SECRET not in json.dumps(kept)
    assert kept.keys() == asked.keys(), "that it was asked for stays"


@pytest.mark.parametrize(
    "text",
    [
        f"https://user:{SECRET}@proxy.example.com/x",
        f"https://bucket.s3.amazonaws.com/dog.jpg?X-Amz-Credential=AKIAIOSFODNN7EXAMPLE&X-Amz-Signature={SECRET}",
        f"https://notebook.aws/?authToken={SECRET}",
        f"curl -H 'Authorization: Bearer {SECRET}'",
        f'{{"password": "{SECRET}"}}',
        f"export AWS_SECRET_ACCESS_KEY={SECRET}",
        f"Credential=AKIAIOSFODNN7EXAMPLE/20260101/s3/aws4_request, SignedHeaders=host, Signature={SECRET}",
        f"Cookie: theme=dark; _streamlit_user={SECRET}\nHost: kennel",
        f"_streamlit_user_tokens={SECRET}",
        f"python train.py --token {SECRET}",
        f"-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_secrets_inside_a_text_go_and_the_text_stays(text: str) -> None:
    told = redact.text(f"before {text} after")
    assert SECRET not in told
    assert (HIDDEN in told, told.startswith("before")) == (True, True)


def test_access_keys_and_tokens_are_known_by_their_look() -> None:
    told = redact.text("AKIAIOSFODNN7EXAMPLE eyJhbGciOiJ.eyJzdWIiOiIx.c2ln ghp_0123456789abcdefghij")
    assert told == " ".join([HIDDEN] * 3)


def test_what_names_things_stays() -> None:
    asked = {
        "RoleName": "KennelTraining",
        "PolicyDocument": '{"Statement": []}',
        "ClientToken": "one-of-an-order",
        "Tags": [{"Key": "kennel:token", "Value": "0123456789abcdef"}],
        "KmsKeyId": "alias/kennel",
        "SecretArn": "arn:aws:secretsmanager:us-east-1:1:secret:name",
        "MinCapacity": 1,
        "Enabled": True,
    }
    assert redact.parameters(asked) == asked
    assert redact.is_whole(asked)


def test_long_things_are_cut_and_say_so() -> None:
    kept = redact.parameters({"Text": "x" * 9_000, "Keys": list(range(1_000))})
    assert kept["Text"].endswith("(9,000 characters)")
    assert kept["Keys"][-1] == "… and 800 more"
    assert not redact.is_whole(kept["Text"]) and not redact.is_whole(kept["Keys"])


def test_of_a_call_that_is_too_long_only_its_short_parts_stay() -> None:
    kept = redact.parameters({"Name": "a", "Tags": [{"Key": f"k{n}", "Value": "v" * 1_000} for n in range(100)]})
    assert kept["Name"] == "a"
    assert "Tags" not in kept and not redact.is_whole(kept)
    assert len(json.dumps(kept)) < 1_000


JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["Password", "SecretKey", "SessionToken", "Body"]), JSONS.filter(bool)))
def test_whatever_a_secret_is_made_of_it_is_json_and_hidden(asked: dict[str, object]) -> None:
    json.dumps(kept := redact.parameters(asked))
    for name, value in asked.items():
        assert kept[name] != value or isinstance(value, bool)
