"""The pieces that Kennel needs in an account: what each is called, and what it is for. Pure."""

from enum import StrEnum

from dashboard.core.aws import Account
from dashboard.core.costs.waste import schedule
from dashboard.core.iam.least.duties import TRAININGS
from dashboard.core.iam.replace.refusals import OWN_ROLES
from dashboard.core.iam.usage import Duty
from dashboard.core.runs import requests, requests_ec2
from dashboard.core.serving import parts


class Kind(StrEnum):
    """What a piece is in AWS."""

    BUCKET = "bucket"
    ROLE = "role"
    PROFILE = "instance profile"
    LOG = "log group"


class Piece(StrEnum):
    """One piece, by its name in the template."""

    BUCKET = "Bucket"
    TRAINING_ROLE = "TrainingRole"
    ENDPOINT_ROLE = "EndpointRole"
    INSTANCE_ROLE = "InstanceRole"
    INSTANCE_PROFILE = "InstanceProfile"
    SCHEDULER_ROLE = "SchedulerRole"
    TRAINING_LOG = "TrainingLog"
    INSTANCE_LOG = "InstanceLog"
    READER_ROLE = "ReaderRole"
    OPERATOR_ROLE = "OperatorRole"

    @property
    def kind(self) -> Kind:
        if self is Piece.BUCKET:
            return Kind.BUCKET
        if self is Piece.INSTANCE_PROFILE:
            return Kind.PROFILE
        return Kind.LOG if self in (Piece.TRAINING_LOG, Piece.INSTANCE_LOG) else Kind.ROLE

    @property
    def is_optional(self) -> bool:
        """Kennel works without it: a person may work as another role."""
        return self in (Piece.READER_ROLE, Piece.OPERATOR_ROLE)

    @property
    def duty(self) -> Duty | None:
        """What works as the role; None for what is not one of the duties."""
        return {
            Piece.TRAINING_ROLE: Duty.TRAINING,
            Piece.ENDPOINT_ROLE: Duty.ENDPOINT,
            Piece.INSTANCE_ROLE: Duty.INSTANCE,
        }.get(self)

    @property
    def purpose(self) -> str:
        """What it is for, and what it may or has, as a sentence without its end."""
        return {
            Piece.BUCKET: "holds data sets, code, runs and models: no public access, encrypted, over TLS only",
            Piece.TRAINING_ROLE: "training jobs act as it: reads data and code, writes runs, checkpoints and their log",
            Piece.ENDPOINT_ROLE: "endpoints act as it: reads models and runs, writes their log",
            Piece.INSTANCE_ROLE: "EC2 trainings act as it: reads data and code, writes their own runs and log",
            Piece.INSTANCE_PROFILE: "hands the role of EC2 trainings to their instances",
            Piece.SCHEDULER_ROLE: "EventBridge Scheduler acts as it: deletes endpoints that carry Kennel's mark",
            Piece.TRAINING_LOG: "the output of training jobs, deleted after a while",
            Piece.INSTANCE_LOG: "the output of EC2 trainings, deleted after a while",
            Piece.READER_ROLE: "people act as it: every page, no change",
            Piece.OPERATOR_ROLE: "people act as it: every page, and what carries Kennel's mark may be changed",
        }[self]

    @property
    def without(self) -> str:
        """What does not work while it is missing."""
        return {
            Piece.BUCKET: "nothing can be trained or registered",
            Piece.TRAINING_ROLE: "no training job starts",
            Piece.ENDPOINT_ROLE: "no model can be deployed",
            Piece.INSTANCE_ROLE: "no training starts on EC2",
            Piece.INSTANCE_PROFILE: "no training starts on EC2",
            Piece.SCHEDULER_ROLE: "“Delete later” has to make it first",
            Piece.TRAINING_LOG: "SageMaker makes it at the first training, and keeps all of it for ever",
            Piece.INSTANCE_LOG: "the first EC2 training makes it, and it is kept for ever",
            Piece.READER_ROLE: "people work with whatever rights they have",
            Piece.OPERATOR_ROLE: "people work with whatever rights they have",
        }[self]

    def called(self, account: Account) -> str:
        """Its name in that account."""
        return {
            Piece.BUCKET: account.bucket,
            Piece.TRAINING_ROLE: requests.ROLE,
            Piece.ENDPOINT_ROLE: parts.ROLE,
            Piece.INSTANCE_ROLE: requests_ec2.ROLE,
            Piece.INSTANCE_PROFILE: requests_ec2.ROLE,
            Piece.SCHEDULER_ROLE: schedule.ROLE,
            Piece.TRAINING_LOG: TRAININGS,
            Piece.INSTANCE_LOG: requests_ec2.LOG_GROUP,
            Piece.READER_ROLE: OWN_ROLES[0],
            Piece.OPERATOR_ROLE: OWN_ROLES[1],
        }[self]


NEEDED = tuple(piece for piece in Piece if not piece.is_optional)
EVERY_FUNCTION = (
    "A Lambda function and a notebook each get a role of their own, for one endpoint or one folder, when they are made."
)
