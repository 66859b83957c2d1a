"""The read-only rule, held against botocore's own models of the services that Kennel uses."""

import botocore.session
import pytest

from dashboard.core.aws_writes import changes

SERVICES = ("application-autoscaling", "ce", "cloudwatch", "ec2", "iam", "lambda", "logs", "pricing", "s3", "sagemaker",
            "sagemaker-runtime", "service-quotas", "ssm", "sts")  # fmt: skip

# Verbs with which AWS names what changes something.
CHANGING = ("Add", "Allocate", "Apply", "Associate", "Attach", "Authorize", "Cancel", "Copy", "Create", "Delete",
            "Deregister", "Detach", "Disable", "Disassociate", "Enable", "Import", "Modify", "Put", "Reboot",
            "Register", "Release", "Remove", "Replace", "Request", "Reset", "Restore", "Revoke", "Run", "Send", "Set",
            "Start", "Stop", "Tag", "Terminate", "Untag", "Update", "Upload", "Write")  # fmt: skip


def operations(service):
    return botocore.session.Session().get_service_model(service)


@pytest.mark.parametrize("service", SERVICES)
def test_no_changing_verb_counts_as_reading(service):
    wrong = [name for name in operations(service).operation_names if name.startswith(CHANGING) and not changes(name)]
    assert wrong == []


@pytest.mark.parametrize("service", SERVICES)
def test_everything_that_lists_or_describes_is_reading(service):
    wrong = [
        name for name in operations(service).operation_names if name.startswith(("List", "Describe")) and changes(name)
    ]
    assert wrong == []


@pytest.mark.parametrize("service", ["s3", "lambda"])
def test_where_http_says_what_changes_we_agree(service):
    """In these REST services GET and HEAD read, everything else changes something (or is refused to be safe)."""
    model = operations(service)
    for name in model.operation_names:
        if not changes(name):
            assert model.operation_model(name).http["method"] in ("GET", "HEAD"), name


@pytest.mark.parametrize(
    "name", ["InvokeEndpoint", "InvokeEndpointWithResponseStream", "GetObject", "HeadBucket", "Search"]
)
def test_reading_and_asking_a_model_are_allowed(name):
    assert not changes(name)


@pytest.mark.parametrize(
    "name",
    [
        "CreateTrainingJob",
        "InvokeEndpointAsync",
        "Invoke",
        "PassRole",
        "AssumeRole",
        "GetSessionToken",
        "GetWebIdentityToken",
        "GetDelegatedAccessToken",
        "StartQuery",
        "RunInstances",
        "Brandnew",
    ],
)
def test_what_costs_or_changes_or_is_unknown_is_refused(name):
    assert changes(name)
