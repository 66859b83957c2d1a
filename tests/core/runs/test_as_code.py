"""Every text of "show as code" is run, and must make the same job as the plan's own request."""

import json
import os
import subprocess
import sys
from functools import partial

import pytest

from dashboard.core.aws import Account
from dashboard.core.runs.as_code import BOTO3, CLI, LANGUAGES, SDK
from dashboard.core.runs.launch import launch
from dashboard.core.runs.look import look
from dashboard.core.runs.plan import plan
from dashboard.core.runs.spec import Capacity, Platform, Range, RangeKind, TrainingSpec, Tuning
from dashboard.core.runs.surroundings import Image, Seen, Surroundings
from tests.core.conftest import SECRET
from tests.core.runs.made import DOGS, NOW

REAL = Account("ada", "eu-west-1", "210987654321", False, True)
TUNING = Tuning(
    (
        Range("learning_rate", RangeKind.CONTINUOUS, 0.001, 0.1, "Logarithmic"),
        Range("views", RangeKind.INTEGER, 1, 4),
        Range("batch_size", RangeKind.CATEGORICAL, values=("32", "64")),
    ),
    max_jobs=3,
    seed=7,
)
SPOT = {"capacity": Capacity.SPOT, "instance_count": 2, "advanced": (("views", "2"),), "project": "dogs"}
EC2 = {"platform": Platform.EC2, "instance_type": "m5.large"}
SSH_ON_SPOT = {"capacity": Capacity.SPOT, "ssh_address": "203.0.113.7", "key_name": "ada"}


@pytest.fixture(autouse=True)
def aws_on_the_path(monkeypatch, tmp_path):
    """`aws` as the tests have it, for bash."""
    command = tmp_path / "bin" / "aws"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m awscli "$@"\n')
    command.chmod(0o755)
    (command.parent / "python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def run(tmp_path):
    """Run a text as a person would: from a file in a folder that has nothing to do with Kennel; what it printed."""
    return partial(_run, tmp_path)


def _run(folder, text, language):
    left_out = ("AWS_", "PYTHONPATH")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    program = "bash" if LANGUAGES[language] == "bash" else sys.executable
    saved = folder / "launch"
    saved.write_text(text)
    done = subprocess.run(
        [program, str(saved)],
        cwd=folder,
        env=environment | {"PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def made(live, prices, name, **about):
    spec = TrainingSpec(**({"dataset_uri": live.data, "name": name} | about))
    around = look(live.aws, spec)
    return plan(spec, account=live.aws.account, prices=prices, past_runs=(), surroundings=around, now=NOW, token=name)


def described(live, name):
    """The request's members of a training job as AWS describes it; the job is stopped."""
    sagemaker = live.embedded.client("sagemaker")
    job = sagemaker.describe_training_job(TrainingJobName=name)
    tags = sagemaker.list_tags(ResourceArn=job["TrainingJobArn"])["Tags"]
    if job["TrainingJobStatus"] == "InProgress":
        sagemaker.stop_training_job(TrainingJobName=name)
    return job | {"Tags": tags}


def agrees(there, asked):
    """Whether everything asked for is there; AWS adds members of its own, and the SDK a channel and its drivers."""
    if isinstance(asked, dict):
        return all(name in there and agrees(there[name], value) for name, value in asked.items())
    if isinstance(asked, list) and asked and isinstance(asked[0], dict):
        return all(any(agrees(one, wanted) for one in there) for wanted in asked)
    return there == asked


def without(request, *members):
    return {name: value for name, value in request.items() if name not in members}


def is_same_training(live, planned, name=""):
    expected = planned.request
    if name:  # the SDK adds the time to the name, and starts our command by its own drivers
        assert name.startswith(f"{planned.name}-")
        expected = without(expected, "TrainingJobName")
        expected["AlgorithmSpecification"] = without(expected["AlgorithmSpecification"], "ContainerEntrypoint")
    return agrees(described(live, name or planned.name), expected)


def is_same_tuning(live, planned):
    sagemaker = live.embedded.client("sagemaker")
    job = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName=planned.name)
    tags = sagemaker.list_tags(ResourceArn=job["HyperParameterTuningJobArn"])["Tags"]
    sagemaker.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=planned.name)
    static = planned.request["TrainingJobDefinition"]["StaticHyperParameters"]
    there = job["TrainingJobDefinition"]["StaticHyperParameters"]
    definition = without(planned.request["TrainingJobDefinition"], "StaticHyperParameters")
    expected = planned.request | {"TrainingJobDefinition": definition}
    # the SDK sends texts as JSON, which AWS's images and our training read as the same text
    return {name: there[name].strip('"') for name in static} == static and agrees(job | {"Tags": tags}, expected)


@pytest.mark.parametrize("language", [BOTO3, CLI])
def test_a_training_and_a_tuning_job_are_the_same(live, prices, run, language):
    named = language.split()[0].lower()
    training = made(live, prices, f"spot-{named}", **SPOT)
    tuning = made(live, prices, f"tune-{named}", tuning=TUNING)
    run(training.code[language], language)
    assert is_same_training(live, training)  # which stops it, before it has taken a core for long
    run(tuning.code[language], language)
    assert is_same_tuning(live, tuning)
    assert launch(live.aws, training) == training.name  # who then clicks as well gets the run that is there


def test_the_sdk_makes_the_same_training_and_the_same_tuning_job(live, prices, run):
    training, tuning = made(live, prices, "spot-sdk", **SPOT), made(live, prices, "tune-sdk", tuning=TUNING)
    # One after the other in one Python: importing the SDK is most of the time.
    printed = run(f"{training.code[SDK]}\n{tuning.code[SDK]}", SDK).strip().splitlines()
    assert is_same_training(live, training, next(line for line in printed if line.startswith("spot-sdk-")))
    assert is_same_tuning(live, tuning)


@pytest.mark.parametrize(
    ("language", "kind", "about"), [(BOTO3, "plain", {}), (BOTO3, "open", SSH_ON_SPOT), (CLI, "open", SSH_ON_SPOT)]
)
def test_an_instance_is_the_same(live, prices, run, language, kind, about):
    ec2, s3 = live.embedded.client("ec2"), live.embedded.client("s3")
    if "key_name" in about and not ec2.describe_key_pairs()["KeyPairs"]:
        ec2.create_key_pair(KeyName="ada")
    planned = made(live, prices, f"ec2-{kind}-{language.split()[0].lower()}", **(EC2 | about))
    run(planned.code[language], language)
    tagged = [{"Name": "tag:kennel:run", "Values": [planned.name]}]
    (instance,) = ec2.describe_instances(Filters=tagged)["Reservations"][0]["Instances"]
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    same = ("ImageId", "InstanceType", "ClientToken", "KeyName")
    assert {name: instance[name] for name in same if name in planned.request} == {
        name: planned.request[name] for name in same if name in planned.request
    }
    assert instance["MetadataOptions"]["HttpTokens"] == "required"
    assert instance.get("InstanceLifecycle") == ("spot" if kind == "open" else None)
    group = ec2.describe_security_groups(GroupIds=[instance["SecurityGroups"][0]["GroupId"]])["SecurityGroups"][0]
    ports = [(rule["FromPort"], rule["IpRanges"][0]["CidrIp"]) for rule in group["IpPermissions"]]
    assert ports == ([(22, "203.0.113.7/32")] if kind == "open" else [])
    body = s3.get_object(Bucket=live.bucket, Key=f"ec2-runs/{planned.name}/request.json")["Body"].read()
    assert planned.order in body.decode()
    told = s3.get_object(Bucket=live.bucket, Key=f"ec2-runs/{planned.name}/instance.json")["Body"].read()
    assert instance["InstanceId"] in told.decode()
    assert launch(live.aws, planned) == f"ec2:{planned.name}"
    assert len(ec2.describe_instances(Filters=tagged)["Reservations"]) == 1


def planned_for(account, prices, **about):
    around = Surroundings(image=Seen(Image("ami-1")))
    spec = TrainingSpec(**({"dataset_uri": DOGS} | about))
    return plan(spec, account=account, prices=prices, past_runs=(), surroundings=around, now=NOW, token="4f2a9c")


def test_on_a_real_account_the_texts_name_the_profile_and_hold_no_key(prices):
    for about in ({}, {"tuning": TUNING}, EC2):
        code = planned_for(REAL, prices, **about).code
        assert set(code) == ({BOTO3, CLI} if about is EC2 else {BOTO3, SDK, CLI})
        for language, text in code.items():
            assert "ada" in text
            assert "endpoint_url" not in text.lower()
            assert SECRET not in text
            if LANGUAGES[language] == "python":
                compile(text, language, "exec")


def test_odd_characters_in_an_address_stay_text(prices, tmp_path):
    odd = """s3://bucket-of-dogs/a"b'c$(touch hurt)`touch hurt`/"""
    code = planned_for(
        REAL,
        prices,
        dataset_uri=odd,
    ).code
    for language in (BOTO3, SDK):
        compile(code[language], language, "exec")
        assert json.dumps(odd) in code[language]
    argument = code[CLI].partition("--cli-input-json ")[2]
    shown = subprocess.run(
        ["bash", "-c", f"printf %s {argument}"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert odd.replace('"', '\\"') in shown
    assert not (tmp_path / "hurt").exists()
