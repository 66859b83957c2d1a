"""The requests of every way of training, against AWS's own models and documented limits."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import botocore.session
import pytest
from botocore.validate import ParamValidator

from dashboard.core.aws import Account
from dashboard.core.errors import Refused
from dashboard.core.runs.plan import plan
from dashboard.core.runs.spec import Capacity, Platform, Range, RangeKind, TrainingSpec, Tuning
from dashboard.core.runs.surroundings import Image, Seen, SpotPrice, Surroundings
from dashboard.core.runs.user_data import TEMPLATE
from tests.core.runs.made import DOGS, NOW

ACCOUNT = Account("embedded", "us-east-1", "123456789012", True, True, "http://127.0.0.1:4566", "/home/ada/client.json")
AROUND = Surroundings(
    image=Seen(Image("ami-1", "Deep Learning AMI", "/dev/sda1", 35)),
    group=Seen("sg-1"),
    spot_prices=Seen({"m5.large": SpotPrice(Decimal("0.035"), "us-east-1a", date(2026, 11, 21))}),
)
TUNING = Tuning(
    (
        Range("learning_rate", RangeKind.CONTINUOUS, 0.0001, 0.1, "Logarithmic"),
        Range("epochs", RangeKind.INTEGER, 5, 40),
        Range("batch_size", RangeKind.CATEGORICAL, values=("32", "64")),
    ),
    max_jobs=6,
    parallel=3,
    seed=7,
)
SPEC = TrainingSpec(DOGS, name="dogs-1")
ON_EC2 = replace(SPEC, platform=Platform.EC2, instance_type="m5.large")


def make(prices, spec=SPEC, order="4f2a9c", past_runs=(), around=AROUND):
    return plan(
        spec, account=ACCOUNT, prices=prices, past_runs=past_runs, surroundings=around, now=NOW, token=order
    )  # fmt: skip


WAYS = {
    "one": SPEC,
    "spot": replace(SPEC, capacity=Capacity.SPOT),
    "resumed": replace(SPEC, resume_from="s3://kennel-123456789012-us-east-1/checkpoints/dogs-0/"),
    "several, in a network, with a key": replace(
        SPEC, instance_count=3, subnets=("subnet-1", "subnet-2"), security_groups=("sg-1",), kms_key="alias/dogs"
    ),
    "tuning": replace(SPEC, tuning=TUNING),
    "tuning on spot": replace(SPEC, tuning=replace(TUNING, early_stopping=False, seed=None), capacity=Capacity.SPOT),
    "grid": replace(SPEC, tuning=Tuning((TUNING.ranges[2],), strategy="Grid")),
    "EC2": ON_EC2,
    "EC2 spot": replace(ON_EC2, capacity=Capacity.SPOT, kms_key="alias/dogs", subnets=("subnet-1",)),
    "EC2 with SSH": replace(ON_EC2, key_name="ada", ssh_address="203.0.113.7", project="dogs", owner="ada"),
}


@pytest.fixture(scope="module")
def models():
    return botocore.session.Session()


@pytest.mark.parametrize("way", WAYS)
def test_aws_accepts_the_request(prices, models, way):
    call = make(prices, WAYS[way]).calls[-1]
    model = models.get_service_model(call.service).operation_model(call.operation)
    report = ParamValidator().validate(call.parameters, model.input_shape)
    assert not report.has_errors(), report.generate_report()


def test_spot_waits_for_capacity_and_keeps_checkpoints(prices):
    request = make(prices, WAYS["spot"]).request
    assert request["EnableManagedSpotTraining"] is True
    assert request["StoppingCondition"] == {"MaxRuntimeInSeconds": 3600, "MaxWaitTimeInSeconds": 7200}
    assert request["CheckpointConfig"] == {
        "S3Uri": "s3://kennel-123456789012-us-east-1/checkpoints/dogs-1/",
        "LocalPath": "/opt/ml/checkpoints",
    }
    waiting = make(prices, replace(WAYS["spot"], max_wait_seconds=5000)).request
    assert waiting["StoppingCondition"]["MaxWaitTimeInSeconds"] == 5000


def test_a_resumed_run_reads_the_checkpoints_of_the_earlier_one(prices):
    request = make(prices, WAYS["resumed"]).request
    assert request["CheckpointConfig"]["S3Uri"].endswith("/checkpoints/dogs-0/")
    assert "EnableManagedSpotTraining" not in request
    again = make(prices, replace(ON_EC2, resume_from="s3://b-of-dogs/ec2-runs/dogs-0/checkpoints/"))
    assert again.calls[0].parameters["Body"]["checkpoint_uri"] == "s3://b-of-dogs/ec2-runs/dogs-0/checkpoints/"


def test_network_and_key_go_where_they_apply(prices):
    request = make(prices, WAYS["several, in a network, with a key"]).request
    assert request["VpcConfig"] == {"Subnets": ["subnet-1", "subnet-2"], "SecurityGroupIds": ["sg-1"]}
    assert request["ResourceConfig"]["InstanceCount"] == 3
    assert request["ResourceConfig"]["VolumeKmsKeyId"] == request["OutputDataConfig"]["KmsKeyId"] == "alias/dogs"
    machine = make(prices, WAYS["EC2 spot"]).request
    assert machine["SubnetId"] == "subnet-1"
    assert machine["BlockDeviceMappings"][0]["Ebs"]["KmsKeyId"] == "alias/dogs"


def test_a_tuning_job_is_what_was_asked_for(prices):
    request = make(prices, WAYS["tuning"]).request
    config = request["HyperParameterTuningJobConfig"]
    assert config["Strategy"] == "Bayesian"
    assert config["HyperParameterTuningJobObjective"] == {"Type": "Minimize", "MetricName": "valid:loss"}
    assert config["ResourceLimits"] == {"MaxNumberOfTrainingJobs": 6, "MaxParallelTrainingJobs": 3}
    assert config["RandomSeed"] == 7
    assert config["TrainingJobEarlyStoppingType"] == "Auto"
    assert config["ParameterRanges"] == {
        "ContinuousParameterRanges": [
            {"Name": "learning_rate", "MinValue": "0.0001", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
        ],
        "IntegerParameterRanges": [{"Name": "epochs", "MinValue": "5", "MaxValue": "40", "ScalingType": "Auto"}],
        "CategoricalParameterRanges": [{"Name": "batch_size", "Values": ["32", "64"]}],
    }
    static = request["TrainingJobDefinition"]["StaticHyperParameters"]
    assert not {"learning_rate", "epochs", "batch_size"} & set(static)  # AWS refuses what is both
    assert static["sagemaker_program"] == "start.sh"


def test_grid_counts_its_combinations_itself(prices):
    limits = make(prices, WAYS["grid"]).request["HyperParameterTuningJobConfig"]["ResourceLimits"]
    assert limits == {"MaxParallelTrainingJobs": 2}
    assert WAYS["grid"].jobs == 2


def test_a_tuning_jobs_own_name_fits_in_32_characters(prices):
    spec = replace(WAYS["tuning"], name="", dataset_uri="s3://bucket-of-dogs/datasets/every-dog-there-has-ever-been/")
    assert len(make(prices, spec).name) <= 32


def test_whose_run_it_is_stands_on_it(prices):
    spec = replace(WAYS["spot"], project="dogs", owner="ada", interrupt_after="20 45", interruptions_per_hour=2.5)
    marks = {tag["Key"]: tag["Value"] for tag in make(prices, spec).request["Tags"]}
    assert marks["project"] == "dogs"
    assert marks["owner"] == "ada"
    assert marks["kennel:interrupt-after"] == "20 45"
    assert marks["kennel:interruptions-per-hour"] == "2.5"
    assert "kennel:interrupt-after" not in make(prices).marks
    machine = make(prices, WAYS["EC2 with SSH"])
    (instance, volume) = machine.request["TagSpecifications"]
    assert {"Key": "kennel:run", "Value": "dogs-1"} in instance["Tags"]
    assert {"Key": "Name", "Value": "dogs-1"} in instance["Tags"]
    assert {"Key": "project", "Value": "dogs"} in volume["Tags"]


def test_the_key_tells_what_kind_of_run_it_is(prices):
    kinds = {way: make(prices, spec).key for way, spec in WAYS.items()}
    assert (kinds["one"], kinds["tuning"], kinds["EC2"]) == ("dogs-1", "tuning:dogs-1", "ec2:dogs-1")


def test_a_tuning_job_may_cost_what_all_of_its_trainings_may(prices):
    made = make(prices, replace(WAYS["tuning"], instance_count=2))
    assert made.worst.amount == Decimal("0.115") * 2 * 6
    assert "6 trainings" in made.summary
    assert made.longest_seconds == 2 * 3600  # three at a time
    with pytest.raises(Refused, match=r"\$1\.38"):
        make(prices, replace(WAYS["tuning"], instance_count=2, max_cost=Decimal("1.37")))


def test_spot_may_cost_what_on_demand_costs(prices):
    spot, plain = make(prices, WAYS["spot"]), make(prices)
    assert spot.worst.amount == plain.worst.amount
    assert "on-demand price" in spot.worst.basis
    assert spot.longest_seconds == 7200


def test_an_instance_may_outlive_its_limit_by_half_an_hour_and_pays_for_its_volume(prices):
    made = make(prices, ON_EC2)
    hours = (Decimal(3600) + 1800) / 3600
    assert made.worst.amount == hours * (Decimal("0.096") + Decimal("0.08") * 35 / 730 + Decimal("0.005"))
    assert "with 35 GB gp3" in made.worst.basis
    assert any("35 GB: the image takes that much" in warning for warning in made.warnings)
    assert '["seconds"]) + 1800' in TEMPLATE.read_text()  # what ends the instance says the same


def test_the_instance_is_started_with_the_runs_own_script(prices):
    made = make(prices, ON_EC2)
    assert '"name": "dogs-1"' in made.request["UserData"]
    assert made.request["SecurityGroupIds"] == ["sg-1"]
    assert made.calls[0].parameters["IfNoneMatch"] == "*"
    own = make(prices, replace(ON_EC2, security_groups=("sg-7", "sg-8")))
    assert own.request["SecurityGroupIds"] == ["sg-7", "sg-8"]


def test_a_spot_price_of_another_moment_is_not_another_plan(prices):
    later = {"m5.large": SpotPrice(Decimal("0.041"), "us-east-1b", date(2026, 11, 21))}
    spec = WAYS["EC2 spot"]
    one, other = make(prices, spec), make(prices, spec, around=replace(AROUND, spot_prices=Seen(later)))
    assert (one.name, one.order, one.request) == (other.name, other.order, other.request)
    assert other.spot_price == Decimal("0.041")
