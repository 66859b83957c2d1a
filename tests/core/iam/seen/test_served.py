"""What jobs, models, endpoints, functions and instances name, and what is said when it cannot be read."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dashboard.core.aws import Account
from dashboard.core.errors import AccessDenied, NotFound, ServiceFault, Unreachable
from dashboard.core.iam.least.resources import Folder, Resources
from dashboard.core.iam.seen import served, served_endpoint, served_function, served_instance, served_training
from dashboard.core.iam.usage import Duty, Use
from tests.core.iam.generated import ACCOUNT, BUCKET, ENDPOINT, FUNCTION, HERE, IMAGE, JOB, MODEL, NOTEBOOK

WORK = Account("work", "us-east-1", ACCOUNT, False, False)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/DogProject"
NOW = datetime(2026, 3, 1, tzinfo=UTC)
Answer = Callable[[dict[str, Any]], Any]


class Told:
    """An account that answers operations as a test says, by name."""

    def __init__(self, **answers: Any) -> None:
        self.account = WORK
        self.answers = answers
        self.asked: list[str] = []

    def call(self, service: str, operation: str, **parameters: Any) -> Any:
        self.asked.append(operation)
        answer = self.answers.get(operation)
        if answer is None:
            raise ServiceFault(f"{service} {operation} is not available here")
        if isinstance(answer, Exception):
            raise answer
        return answer(parameters) if callable(answer) else answer


def job(**more: Any) -> dict[str, Any]:
    source = {"S3DataSource": {"S3Uri": f"s3://{BUCKET}/datasets/dogs/", "S3DataType": "S3Prefix"}}
    code = {"S3DataSource": {"S3Uri": f"s3://{BUCKET}/code/training-1a2b/", "S3DataType": "S3Prefix"}}
    return {
        "InputDataConfig": [
            {"ChannelName": "training", "DataSource": source},
            {"ChannelName": "code", "DataSource": code},
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/runs/"},
        "ResourceConfig": {"InstanceType": "ml.m5.large"},
        "AlgorithmSpecification": {"TrainingImage": IMAGE},
        **more,
    }  # fmt: skip


def test_a_training_names_its_channels_outputs_checkpoints_image_keys_and_network() -> None:
    told = job(
        CheckpointConfig={"S3Uri": f"s3://{BUCKET}/checkpoints/dogs-5d20e9f1/"},
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/runs/", "KmsKeyId": "alias/dogs"},
        ResourceConfig={"VolumeKmsKeyId": "1234"},
        VpcConfig={"Subnets": ["subnet-1"], "SecurityGroupIds": ["sg-1"]},
        HyperParameters={"sagemaker_submit_directory": '"s3://elsewhere/dogs-5d20e9f1/source/sourcedir.tar.gz"'},
    )
    found = served_training.of_job(told, "dogs-5d20e9f1", WORK)
    assert found.reads == (
        Folder(BUCKET, "datasets/dogs/"),
        Folder(BUCKET, "code/"),  # the next code is in another folder there
        Folder("elsewhere", "dogs-"),  # the next job's name begins alike
    )
    assert found.writes == (Folder(BUCKET, "runs/"),)
    assert found.kept == (Folder(BUCKET, "checkpoints/"),)
    assert found.images == (IMAGE,)
    assert found.keys == (f"arn:aws:kms:{HERE}:alias/dogs", f"arn:aws:kms:{HERE}:key/1234")
    assert (found.subnets, found.security_groups) == (("subnet-1",), ("sg-1",))


def test_a_training_without_an_image_in_a_registry_pulls_the_regions_own() -> None:
    """The registry account is that of the SageMaker SDK's table, and differs by region."""
    (image,) = served_training.common(WORK, Resources(images=("kennel/sample",))).images
    assert image.startswith("763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch-training:")
    (other,) = served_training.default_image("eu-south-1")
    assert not other.startswith("763104351884")
    assert served_training.common(WORK, Resources(images=(IMAGE,))).images == ()


def test_a_tuning_job_names_what_its_trainings_do() -> None:
    use = Use(Duty.TRAINING, "search", f"arn:aws:sagemaker:{HERE}:hyper-parameter-tuning-job/search")
    told = Told(DescribeHyperParameterTuningJob={"TrainingJobDefinition": job()})
    assert Folder(BUCKET, "datasets/dogs/") in served.read(told, ROLE, [use]).of(Duty.TRAINING).reads


@pytest.mark.parametrize(
    ("uri", "prefix"),
    [
        (f"s3://{BUCKET}/runs/dogs-1/output/model.tar.gz", "runs/"),
        (f"s3://{BUCKET}/models/starter/model.tar.gz", "models/"),
        ("s3://elsewhere/out/job-77/output/model.tar.gz", "out/"),
        ("s3://elsewhere/models/dogs.tar.gz", "models/"),
    ],
)
def test_a_model_names_the_folder_that_the_next_one_lies_in_too(uri: str, prefix: str) -> None:
    found = served_endpoint.of_model(
        {"ModelName": "m", "PrimaryContainer": {"ModelDataUrl": uri, "Image": IMAGE}}, WORK
    )
    assert [one.prefix for one in found.reads] == [prefix]
    assert found.images == (IMAGE,)


def test_an_endpoint_names_its_captured_and_asynchronous_answers() -> None:
    told = {
        "DataCaptureConfig": {"DestinationS3Uri": "s3://captured/dogs/"},
        "AsyncInferenceConfig": {
            "OutputConfig": {
                "S3OutputPath": "s3://answers/dogs/",
                "NotificationConfig": {"SuccessTopic": f"arn:aws:sns:{HERE}:done"},
            }
        },
    }
    found = served_endpoint.of_config(told, "dogs", WORK)
    assert [one.bucket for one in found.writes] == ["captured", "answers"]
    assert found.topics == (f"arn:aws:sns:{HERE}:done",)


def test_of_an_endpoint_only_the_models_of_this_role_count() -> None:
    """An endpoint may serve models of several roles: what the others load is not this one's."""
    models = {
        "ours": {"ModelName": "ours", "ExecutionRoleArn": ROLE, "PrimaryContainer": {"ModelDataUrl": "s3://a/x/m.tar.gz"}},
        "other": {"ModelName": "other", "ExecutionRoleArn": "o", "PrimaryContainer": {"ModelDataUrl": "s3://b/x/m.tar.gz"}},
    }  # fmt: skip
    told = Told(
        DescribeEndpoint={"EndpointConfigName": "c"},
        DescribeEndpointConfig={"ProductionVariants": [{"ModelName": "ours"}, {"ModelName": "other"}]},
        DescribeModel=lambda asked: models[asked["ModelName"]],
    )
    use = Use(Duty.ENDPOINT, "dogs", ENDPOINT)
    assert [one.bucket for one in served.read(told, ROLE, [use]).of(Duty.ENDPOINT).reads] == ["a"]


def function(**more: Any) -> dict[str, Any]:
    return {"FunctionName": "dog-infer", "Environment": {"Variables": {"ENDPOINT_NAME": "Dog-Breeds"}}, **more}


def test_a_function_names_its_endpoint_as_sagemaker_writes_it_and_its_log() -> None:
    told = Told(
        GetFunctionConfiguration=function(VpcConfig={"SubnetIds": ["subnet-1"], "SecurityGroupIds": []}),
        DescribeEndpoint={"EndpointArn": ENDPOINT},
        DescribeLogGroups={"logGroups": []},
    )
    found = served.read(told, ROLE, [FUNCTION]).of(Duty.FUNCTION)
    assert found.endpoints == (ENDPOINT,)
    assert (found.groups, found.new_groups) == (("/aws/lambda/dog-infer",), ("/aws/lambda/dog-infer",))
    assert found.in_network


def test_an_endpoint_that_is_gone_is_not_asked_and_one_that_may_not_be_seen_is() -> None:
    there = {"logGroups": [{"logGroupName": "/aws/lambda/dog-infer"}]}
    gone = Told(GetFunctionConfiguration=function(), DescribeEndpoint=NotFound("none"), DescribeLogGroups=there)
    assert served.read(gone, ROLE, [FUNCTION]).of(Duty.FUNCTION).endpoints == ()
    denied = Told(GetFunctionConfiguration=function(), DescribeEndpoint=AccessDenied("no"), DescribeLogGroups=there)
    assert served.read(denied, ROLE, [FUNCTION]).of(Duty.FUNCTION).endpoints == (ENDPOINT,)


def test_a_function_logs_where_it_is_told_to() -> None:
    assert served_function.of_function(function(LoggingConfig={"LogGroup": "/team/dogs"}), WORK).groups == (
        "/team/dogs",
    )


def test_a_training_on_ec2_names_its_data_log_and_metrics() -> None:
    found = served_instance.of_run(
        {
            "name": "dogs",
            "dataset_uri": f"s3://{BUCKET}/datasets/dogs/",
            "code_uri": f"s3://{BUCKET}/code/training-1a2b/",
            "checkpoint_uri": f"s3://{BUCKET}/ec2-runs/dogs/checkpoints/",
            "log_group": "/kennel/ec2-runs",
            "metric_namespace": "Kennel/EC2Training",
        },
        WORK,
    )
    assert found.reads == (Folder(BUCKET, "datasets/dogs/"), Folder(BUCKET, "code/"))
    assert found.kept == ()  # among its own results, which it may write anyway
    assert (found.groups, found.namespaces) == (("/kennel/ec2-runs",), ("Kennel/EC2Training",))


def test_a_notebook_of_a_shared_role_starts_that_roles_trainings() -> None:
    told = Told(DescribeNotebookInstance={}, DescribeTrainingJob=job())
    found = served.read(told, ROLE, [JOB, NOTEBOOK]).of(Duty.NOTEBOOK)
    assert (found.jobs, found.roles) == (("dogs-*",), (ROLE,))
    assert Folder(BUCKET, "datasets/dogs/") in found.reads


def test_what_cannot_be_read_is_told_and_the_rest_stands() -> None:
    told = Told(DescribeTrainingJob=job(), DescribeModel=AccessDenied("not allowed to sagemaker:DescribeModel"))
    found = served.read(told, ROLE, [JOB, MODEL, NOTEBOOK])
    assert Folder(BUCKET, "datasets/dogs/") in found.of(Duty.TRAINING).reads
    assert "Not looked at: endpoint dogs-model: not allowed to sagemaker:DescribeModel." in found.unread
    assert any(one.startswith("Not looked at: notebook dogs:") for one in found.unread)


def test_an_account_that_does_not_answer_is_no_unread_part() -> None:
    with pytest.raises(Unreachable):
        served.read(Told(DescribeTrainingJob=Unreachable("no answer")), ROLE, [JOB])


def test_of_thousands_of_trainings_the_newest_are_looked_at() -> None:
    uses = [
        Use(Duty.TRAINING, f"dogs-{number}", f"{JOB.arn}{number}", NOW - timedelta(days=number))
        for number in range(2000)
    ]
    names: list[str] = []

    def describe(asked: dict[str, Any]) -> dict[str, Any]:
        names.append(asked["TrainingJobName"])
        return job()

    found = served.read(Told(DescribeTrainingJob=describe), ROLE, uses)
    assert set(names) == {f"dogs-{number}" for number in range(served.MOST)}
    assert found.unread == (f"Of 2,000 uses as a training role the newest {served.MOST} were looked at.",)


def test_a_training_of_kennels_reads_the_code_of_either_way_to_launch_it() -> None:
    """Kennel sends its code to code/, the SageMaker SDK to runs/code/: neither may read other runs' results for it."""
    sdk = {"S3DataSource": {"S3Uri": f"s3://{BUCKET}/runs/code/dogs-20260131100000/input/sm_drivers"}}
    told = Told(DescribeTrainingJob=job(InputDataConfig=[{"ChannelName": "sm_drivers", "DataSource": sdk}]))
    assert served.read(told, ROLE, [JOB]).of(Duty.TRAINING).reads == (
        Folder(BUCKET, "code/"),
        Folder(BUCKET, "runs/code/"),
    )
