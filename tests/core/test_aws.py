import json
import os
import socket
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import boto3
import pytest

from dashboard.core.aws import Account, connect, connect_profile, fingerprint
from dashboard.core.aws_models import client_region, sagemaker_regions
from dashboard.core.errors import CredentialsProblem, ReadOnly, Refused, ServiceFault, Throttled, Unreachable
from dashboard.core.planned import only_on
from tests.core.conftest import ACCESS_KEY, SECRET, Reply, refusal, write_client

IDENTITY = Reply(
    b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>210987654321</Account>"
    b"<Arn>arn:aws:iam::210987654321:user/ada</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>"
)


@pytest.fixture
def profile(fake, tmp_path, monkeypatch):
    """A real profile, as far as boto can tell; its services happen to live at the fake."""
    config = tmp_path / "config"
    config.write_text(
        f"[profile ada]\nregion = eu-west-1\nendpoint_url = {fake.address}\n"
        f"aws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET}\n[profile nowhere]\noutput = json\n"
    )
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    fake.on("GetCallerIdentity", IDENTITY)
    return "ada"


def test_the_embedded_account_is_the_default(aws, fake):
    assert aws.account.is_embedded
    assert aws.account.writable
    assert aws.account.region == "us-east-1"
    assert aws.account.endpoint_url == fake.address
    assert aws.account.bucket == "kennel-123456789012-us-east-1"
    assert aws.account.role_arn("KennelTraining") == "arn:aws:iam::123456789012:role/KennelTraining"


def test_an_operation_is_called_by_its_aws_name(aws, fake):
    fake.on("DescribeTrainingJob", lambda p: {"TrainingJobName": p["TrainingJobName"]})
    assert aws.call("sagemaker", "DescribeTrainingJob", TrainingJobName="dogs")["TrainingJobName"] == "dogs"


def test_not_started_yet_says_how_to_start_it(tmp_path):
    with pytest.raises(Unreachable, match="make run") as caught:
        connect({"KENNEL_HOME": str(tmp_path)})
    assert str(tmp_path) in caught.value.why


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"endpoint_url": "http://127.0.0.1:1"}'])
def test_a_broken_client_file_is_an_error_in_words(tmp_path, text):
    (tmp_path / "aws").mkdir()
    (tmp_path / "aws" / "client.json").write_text(text)
    with pytest.raises(Unreachable, match="cannot be read"):
        connect({"KENNEL_HOME": str(tmp_path)})


def test_a_restart_on_another_port_is_noticed(tmp_path, fake):
    environ = {"KENNEL_HOME": str(tmp_path)}
    absent = fingerprint(environ)
    write_client(tmp_path, "http://127.0.0.1:9")
    before = fingerprint(environ)
    os.utime(tmp_path / "aws" / "client.json", ns=(1, 1))
    write_client(tmp_path, fake.address)
    assert len({absent, before, fingerprint(environ)}) == 3
    assert connect(environ).account.endpoint_url == fake.address


def test_nobody_there_says_how_to_start_it(tmp_path):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{sock.getsockname()[1]}"
    write_client(tmp_path, address)
    started = time.monotonic()
    with pytest.raises(Unreachable) as caught:
        connect({"KENNEL_HOME": str(tmp_path)}).call("sagemaker", "ListTrainingJobs")
    assert caught.value.what == f"the embedded AWS is not answering at {address}"
    assert caught.value.next_step == "start it with make run"
    assert time.monotonic() - started < 5


def test_a_persons_own_aws_settings_do_not_reach_the_embedded_account(aws, fake, tmp_path, monkeypatch):
    for name, value in {
        "AWS_PROFILE": "nobody",
        "AWS_ACCESS_KEY_ID": "AKIAREALREALREALREAL",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real-session",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_CONFIG_FILE": str(tmp_path / "none"),
        "AWS_CA_BUNDLE": str(tmp_path / "none"),
        "AWS_USE_FIPS_ENDPOINT": "true",
        "AWS_USE_DUALSTACK_ENDPOINT": "true",
        "AWS_DEFAULT_REGION": "ap-south-1",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "ALL_PROXY": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    fake.on("ListTrainingJobs", {"TrainingJobSummaries": []})
    fake.on("S3 GET", Reply(b"<ListBucketResult/>"))
    fresh = connect({"KENNEL_HOME": str(tmp_path)})
    assert fresh.call("sagemaker", "ListTrainingJobs")["TrainingJobSummaries"] == []
    fresh.call("s3", "ListObjectsV2", Bucket="kennel-123456789012-us-east-1")
    assert fake.counts == {"ListTrainingJobs": 1, "S3 GET": 1}


def test_clients_are_made_once_also_for_many_threads(aws):
    seen = []
    gate = threading.Barrier(16)

    def look():
        gate.wait()
        seen.append(aws.client("sagemaker"))

    threads = [threading.Thread(target=look) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in seen}) == 1
    assert aws.client("s3") is aws.client("s3")
    assert aws.client("s3") is not seen[0]


def test_the_pool_holds_as_many_connections_as_we_have_threads(aws):
    config = aws.client("sagemaker").meta.config
    assert config.max_pool_connections >= 32
    assert config.connect_timeout <= 5
    assert config.read_timeout <= 30
    assert config.retries["mode"] == "standard"
    assert aws.client("sagemaker-runtime").meta.config.read_timeout > 60  # SageMaker's own limit for a container


def test_throttling_is_retried_a_bounded_number_of_times(aws, fake):
    fake.on("ListTrainingJobs", refusal("ThrottlingException", "Rate exceeded"))
    with pytest.raises(Throttled, match="sagemaker ListTrainingJobs") as caught:
        aws.call("sagemaker", "ListTrainingJobs")
    assert 2 <= fake.counts["ListTrainingJobs"] <= 5
    assert caught.value.is_temporary


def test_one_throttled_answer_is_not_noticed(aws, fake):
    answers = [refusal("ThrottlingException", "Rate exceeded"), Reply({"TrainingJobSummaries": []})]
    fake.on("ListTrainingJobs", lambda _: answers.pop(0))
    assert aws.call("sagemaker", "ListTrainingJobs")["TrainingJobSummaries"] == []


def test_an_answer_that_is_not_json_is_a_service_fault(aws, fake):
    fake.on("ListTrainingJobs", Reply(b"<html>welcome</html>"))
    with pytest.raises(ServiceFault, match="answered what AWS never answers"):
        aws.call("sagemaker", "ListTrainingJobs")
    with pytest.raises(ServiceFault):
        list(aws.pages("sagemaker", "ListTrainingJobs"))


def test_an_answer_that_is_not_xml_is_a_service_fault_without_its_text(aws, fake):
    for answer in (Reply(b"<html>welcome", 200), Reply(b"{}", 403)):
        fake.on("DescribeInstances", answer)
        with pytest.raises(ServiceFault, match="answered what AWS never answers") as told:
            aws.call("ec2", "DescribeInstances")
        assert "welcome" not in str(told.value)


def test_pages_are_read_on_demand_and_bounded(aws, fake):
    def page(parameters):
        number = int(parameters.get("NextToken", 0))
        return {"Endpoints": [], "NextToken": str(number + 1)}

    fake.on("ListEndpoints", page)
    assert len(list(aws.pages("sagemaker", "ListEndpoints", limit=3))) == 3
    assert fake.counts["ListEndpoints"] == 3


def test_errors_in_a_later_page_are_ours_too(aws, fake):
    answers = [Reply({"Endpoints": [], "NextToken": "1"}), refusal("ResourceNotFound", "Could not find it")]
    fake.on("ListEndpoints", lambda _: answers.pop(0))
    with pytest.raises(Exception, match="Could not find it") as caught:
        list(aws.pages("sagemaker", "ListEndpoints"))
    assert type(caught.value).__name__ == "NotFound"


def test_no_secret_is_in_a_repr_or_an_error(aws, fake):
    fake.on("ListTrainingJobs", refusal("InvalidSignatureException", f"Credential={ACCESS_KEY}/20261121 {SECRET}", 403))
    with pytest.raises(CredentialsProblem) as caught:
        aws.call("sagemaker", "ListTrainingJobs")
    for text in (repr(aws), str(vars(aws)), repr(aws.account), str(caught.value), repr(caught.value)):
        assert SECRET not in text
        assert ACCESS_KEY not in text


def test_a_real_profile_is_read_only_unless_it_is_switched(profile, fake):
    fake.on("ListTrainingJobs", {"TrainingJobSummaries": []})
    aws = connect({"KENNEL_AWS_PROFILE": profile})
    account = aws.account
    assert (account.name, account.profile, account.region) == ("ada", "ada", "eu-west-1")
    assert account.account_id == "210987654321"
    assert not account.is_embedded
    assert not account.writable
    aws.call("sagemaker", "ListTrainingJobs")
    with pytest.raises(ReadOnly, match="Settings") as caught:
        aws.call("sagemaker", "StopTrainingJob", TrainingJobName="dogs")
    assert "ada" in str(caught.value)
    with pytest.raises(ReadOnly):  # not only through our own call
        aws.client("s3").delete_bucket(Bucket="dogs-and-cats")
    assert fake.counts == {"GetCallerIdentity": 1, "ListTrainingJobs": 1}


def test_a_profile_with_a_role_gets_its_keys_though_it_is_read_only(profile, fake, tmp_path):
    with (tmp_path / "config").open("a") as config:
        config.write(
            f"[profile auditor]\nregion = eu-west-1\nendpoint_url = {fake.address}\nsource_profile = ada\n"
            "role_arn = arn:aws:iam::210987654321:role/auditor\n"
        )
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    given = {"AccessKeyId": "ASIAX", "SecretAccessKey": "s", "SessionToken": "t", "Expiration": until}
    keys = "".join(f"<{name}>{value}</{name}>" for name, value in given.items())
    inner = f"<AssumeRoleResult><Credentials>{keys}</Credentials></AssumeRoleResult>"
    body = f"<AssumeRoleResponse>{inner}</AssumeRoleResponse>"
    fake.on("AssumeRole", Reply(body.encode()))
    fake.on("ListTrainingJobs", {"TrainingJobSummaries": []})
    aws = connect({"KENNEL_AWS_PROFILE": "auditor"})
    assert aws.call("sagemaker", "ListTrainingJobs")["TrainingJobSummaries"] == []
    with pytest.raises(ReadOnly):
        aws.call("sts", "AssumeRole", RoleArn="arn:aws:iam::210987654321:role/admin", RoleSessionName="ada")


def test_a_real_profile_may_change_when_told_so(profile, fake):
    fake.on("StopTrainingJob", {})
    aws = connect({"KENNEL_AWS_PROFILE": profile}).changing(allowed=True)
    assert aws.account.writable
    aws.call("sagemaker", "StopTrainingJob", TrainingJobName="dogs")
    assert fake.counts["StopTrainingJob"] == 1
    assert connect_profile(profile, writable=True).account.writable


def test_no_variable_allows_changes(profile, fake):
    assert not connect({"KENNEL_AWS_PROFILE": profile, "KENNEL_AWS_WRITE": "1"}).account.writable


def test_what_was_planned_on_one_account_calls_no_other(profile, fake):
    fake.on("ListTrainingJobs", {"TrainingJobSummaries": []})
    aws = connect({"KENNEL_AWS_PROFILE": profile})
    elsewhere = replace(aws.account, region="eu-central-1")
    with only_on(elsewhere), pytest.raises(Refused, match="eu-central-1"):
        aws.call("sagemaker", "ListTrainingJobs")
    assert "ListTrainingJobs" not in fake.counts
    with only_on(aws.account):
        aws.call("sagemaker", "ListTrainingJobs")
        aws.in_region("us-west-2").call("sagemaker", "ListTrainingJobs")  # of the same account, and meant
    for other in ("name", "account_id", "identity"):
        with only_on(replace(aws.account, **{other: "another"})), pytest.raises(Refused):
            aws.trying_once().call("sagemaker", "ListTrainingJobs")


def test_a_connection_that_may_change_does_not_once_its_tab_may_not(profile, fake):
    fake.on("StopTrainingJob", {})
    aws = connect_profile(profile, writable=True)
    with only_on(replace(aws.account, writable=False)), pytest.raises(ReadOnly, match="Settings"):
        aws.call("sagemaker", "StopTrainingJob", TrainingJobName="dogs")
    assert "StopTrainingJob" not in fake.counts


def test_the_identity_is_known_and_the_name_of_a_session_tells_nobody_apart(profile, fake):
    account = connect({"KENNEL_AWS_PROFILE": profile}).account
    assert account.identity == "arn:aws:iam::210987654321:user/ada"
    role = "arn:aws:sts::210987654321:assumed-role/Reader"
    sessions = [replace(account, identity=f"{role}/{name}") for name in ("botocore-session-1", "botocore-session-2")]
    assert sessions[0].is_same(sessions[1])
    assert not replace(account, identity=f"{role}/ada").is_same(replace(account, identity=f"{role}/bob"))


def test_a_region_that_was_chosen_goes_before_the_profiles_own(profile, fake):
    aws = connect_profile(profile, "us-west-2")
    assert aws.account.region == "us-west-2"
    assert aws.client("sagemaker").meta.region_name == "us-west-2"


def test_a_profile_that_is_not_there_says_how_to_make_it(profile):
    with pytest.raises(CredentialsProblem, match="aws configure --profile bob") as caught:
        connect({"KENNEL_AWS_PROFILE": "bob"})
    assert caught.value.what == "there is no AWS profile named bob"


def test_a_profile_without_a_region_says_how_to_set_one(profile):
    with pytest.raises(CredentialsProblem, match="aws configure set region"):
        connect({"KENNEL_AWS_PROFILE": "nowhere"})


def test_an_expired_session_says_how_to_sign_in_again(profile, fake):
    error = b"<Error><Code>ExpiredToken</Code><Message>The token is expired</Message></Error>"
    fake.on("GetCallerIdentity", Reply(b"<ErrorResponse>" + error + b"</ErrorResponse>", 403))
    with pytest.raises(CredentialsProblem, match="aws sso login --profile ada"):
        connect({"KENNEL_AWS_PROFILE": profile})


def test_keys_are_only_in_the_signature(aws, fake):
    fake.on("ListTrainingJobs", {"TrainingJobSummaries": []})
    aws.call("sagemaker", "ListTrainingJobs")
    assert SECRET not in json.dumps(fake.calls)


def test_times_are_in_utc_however_the_service_writes_them(aws, fake):
    fake.on("DescribeTrainingJob", {"TrainingJobName": "dogs", "CreationTime": 1_763_715_600.25})
    created = aws.call("sagemaker", "DescribeTrainingJob", TrainingJobName="dogs")["CreationTime"]
    assert created == datetime(2025, 11, 21, 9, 0, 0, 250_000, tzinfo=UTC)
    assert created.tzinfo is UTC
    listed = (
        b"<ListBucketResult><Contents><Key>a</Key><LastModified>2025-11-21T09:00:00.000Z</LastModified></Contents>"
        b"</ListBucketResult>"
    )
    fake.on("S3 GET", lambda asked: Reply(listed, headers={"Content-Type": "application/xml"}))
    (found,) = aws.call("s3", "ListObjectsV2", Bucket="bucket")["Contents"]
    assert found["LastModified"] == datetime(2025, 11, 21, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("region", "asked"),
    [
        ("us-west-2", "us-east-1"),
        ("sa-east-1", "us-east-1"),
        ("eu-west-1", "eu-central-1"),
        ("ap-northeast-1", "ap-south-1"),
    ],
)
def test_prices_are_asked_for_where_the_pricing_api_is(region, asked):
    assert client_region("pricing", region) == asked
    assert client_region("ec2", region) == region


def test_the_regions_of_sagemaker_are_those_of_boto3() -> None:
    found = sagemaker_regions("us-east-1")
    assert set(found) == set(boto3.session.Session().get_available_regions("sagemaker"))
    assert {"eu-central-1", "us-west-2", "ap-northeast-1"} <= set(found)
    assert "cn-north-1" in sagemaker_regions("cn-northwest-1")
    assert sagemaker_regions("nowhere") == ()


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-west-1", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn"), ("us-isob-east-1", "aws-iso-b")],
)
def test_arns_are_of_the_partition_that_the_region_is_in(region, partition):
    account = Account("work", region, "123456789012", False, True)
    assert account.where.partition == partition
    assert account.role_arn("Dog") == f"arn:{partition}:iam::123456789012:role/Dog"
