"""What is done with an account: set it up, train, deploy, ask, call, audit. Whatever is made is on the list before."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from dashboard.core.aws import Aws
from dashboard.core.costs.prices import PriceBook
from dashboard.core.costs.waste import schedule
from dashboard.core.errors import AlreadyExists, InvalidInput, Refused, ServiceFault
from dashboard.core.iam.seen import account as account_read
from dashboard.core.runs import plan as planning
from dashboard.core.runs import watch
from dashboard.core.runs.code import code_uri
from dashboard.core.runs.launch import launch
from dashboard.core.runs.look import look
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.serving import ask as asking
from dashboard.core.serving import classify
from dashboard.core.serving import deploy as serving
from dashboard.core.serving.endpoints import get_endpoint
from dashboard.core.serving.functions import act, invoke
from dashboard.core.serving.functions import deploy as function_deploy
from dashboard.core.serving.functions.model import LIVE
from dashboard.core.serving.functions.package import package
from dashboard.core.serving.functions.wanted import Wanted
from dashboard.verify import probes, setting_up
from dashboard.verify.budget import DELETING, INSTANCE, LONGEST, TRAINING_SECONDS
from dashboard.verify.made import Kind, Made
from dashboard.verify.record import Recorder
from training.sample_data import BREEDS, write_dataset

T = TypeVar("T")
SORTS, PHOTOS, PIXELS = 3, 12, 160
"""Breeds, drawn pictures of each, and their long side: a training of seconds."""
WAIT = 1800.0
PAUSE = 5.0
ROLE_SECONDS = 60.0
SERVICES = (
    "cloudformation", "cloudwatch", "ec2", "iam", "lambda", "logs", "s3", "sagemaker", "sagemaker-runtime", "scheduler",
    "service-quotas", "sts",
)  # fmt: skip
"""All that is listened to."""


@dataclass
class Verification:
    """One run. mark: what everything is named after. told: says what goes on. pause: seconds between two looks."""

    aws: Aws
    mark: str
    made: Made
    recorder: Recorder
    prices: PriceBook
    told: Callable[[str], None]
    sleep: Callable[[float], None] = time.sleep
    pause: float = PAUSE
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def name(self) -> str:
        """Of the run, the endpoint, the function and the data set."""
        return f"kennel-verify-{self.mark}"

    def run(self) -> None:
        """All steps. Raises the errors of `Aws.call`, and ServiceFault for a step that did not do what it should."""
        for service in SERVICES:
            self.recorder.listen(self.aws.client(service))
        self._step("set-up", self.set_up)
        photo = self._step("data", self.upload)
        run = self._step("training", self.train)
        self._step("endpoint", lambda: self.deploy(run))
        self._step("endpoint call", lambda: self.ask(photo))
        self._step("function", self.deploy_function)
        self._step("function call", lambda: self.invoke(photo))
        self._step("audit", self.audit)
        self._step("error codes", lambda: probes.ask(self.aws, self.name, self.recorder.record))

    def _step(self, name: str, does: Callable[[], T]) -> T:
        self.told(f"{name} …")
        with self.recorder.step(name):
            return does()

    def set_up(self) -> None:
        setting_up.set_up(self.aws, self.made, self.recorder.record, self.told, sleep=self.sleep, pause=self.pause)

    def upload(self) -> bytes:
        """Draw a small data set and send it; one of its pictures."""
        bucket, prefix = self.aws.account.bucket, f"datasets/{self.name}/"
        self.made.add(Kind.OBJECTS, f"s3://{bucket}/{prefix}")
        with TemporaryDirectory(prefix="kennel-verify-") as folder:
            write_dataset(Path(folder), PHOTOS, size=PIXELS, breeds=tuple(BREEDS)[:SORTS])
            files = sorted(path for path in Path(folder).rglob("*.jpg"))
            for path in files:
                key = f"{prefix}{path.relative_to(folder).as_posix()}"
                self.aws.call("s3", "PutObject", Bucket=bucket, Key=key, Body=path.read_bytes())
            return next(path for path in files if "test" in path.parts).read_bytes()

    def train(self) -> Run:
        """One epoch on one small instance, as Train launches it."""
        account = self.aws.account
        spec = TrainingSpec(
            f"s3://{account.bucket}/datasets/{self.name}/",
            instance_type=INSTANCE,
            epochs=1,
            max_seconds=TRAINING_SECONDS,
            name=self.name,
        )
        planned = planning.plan(
            spec, account=account, prices=self.prices, past_runs=(), now=self.now(), token=self.mark,
            surroundings=look(self.aws, spec),
        )  # fmt: skip
        for address in (f"s3://{account.bucket}/runs/{self.name}/", f"s3://{account.bucket}/checkpoints/{self.name}/"):
            self.made.add(Kind.OBJECTS, address)
        if not self._has_code():
            self.made.add(Kind.OBJECTS, code_uri(account))
        self.made.add(Kind.LOG_STREAMS, self.name)
        self.made.add(Kind.TRAINING, self.name)
        self._patiently(lambda: launch(self.aws, planned))
        run = self._until(lambda: self._ended(), f"the training {self.name}")
        told = self.aws.call("sagemaker", "DescribeTrainingJob", TrainingJobName=self.name)
        for step in told["SecondaryStatusTransitions"]:
            self.recorder.record.saw("training", str(step["Status"]))
        if not run.status.is_good:
            raise ServiceFault(
                f"the training is {run.status.word}", told.get("FailureReason", ""), "see its log in AWS"
            )
        return run

    def _has_code(self) -> bool:
        """Whether this version of the training code lies in the bucket already, from an earlier launch."""
        bucket, _, prefix = code_uri(self.aws.account).removeprefix("s3://").partition("/")
        return bool(self.aws.call("s3", "ListObjectsV2", Bucket=bucket, Prefix=prefix, MaxKeys=1).get("KeyCount"))

    def _ended(self) -> Run | None:
        run = watch.get_run(self.aws, self.name)
        return None if run.status.is_active else run

    def deploy(self, run: Run) -> None:
        """The run's model on one small instance. A schedule deletes it even if this machine is switched off."""
        planned = serving.plan_deploy(
            run, self.name, INSTANCE, account=self.aws.account, prices=self.prices, token=self.mark
        )
        self.made.add(Kind.LOG_GROUP, f"/aws/sagemaker/Endpoints/{self.name}")
        self.made.add(Kind.ENDPOINT, self.name)
        self._patiently(lambda: serving.deploy(self.aws, planned))
        asked = schedule.request(self.name, self.now() + LONGEST + DELETING, self.aws.account)
        self._patiently(lambda: self._schedule(asked))

        def serves() -> bool | None:
            one = get_endpoint(self.aws, self.prices, self.name)
            self.recorder.record.saw("endpoint", one.status.value)
            if one.status.is_bad:
                raise ServiceFault("the endpoint does not serve", one.failure, "see its log in AWS")
            return one.status.is_serving or None

        self._until(serves, f"the endpoint {self.name}")

    def _schedule(self, asked: dict[str, Any]) -> None:
        with suppress(AlreadyExists):  # the answer to the first try was lost
            self.aws.call("scheduler", "CreateSchedule", **asked)

    def ask(self, photo: bytes) -> None:
        """One photo, as Classify asks about it. Raises ServiceFault for an answer that nobody can read."""
        answered = asking.ask(self.aws, self.name, classify.prepare_photo(photo, "drawn.jpg"))
        if answered.answer is None:
            raise ServiceFault("the endpoint's answer cannot be read", answered.text[:200], "see its log in AWS")
        self.told(f"  answered in {answered.seconds:.2f} s")

    def deploy_function(self) -> None:
        account = self.aws.account
        arn = f"arn:{account.partition}:sagemaker:{account.region}:{account.account_id}:endpoint/{self.name}"
        wanted = Wanted(self.name, self.name, arn)
        self.made.add(Kind.LOG_GROUP, f"/aws/lambda/{self.name}")
        self.made.add(Kind.FUNCTION, self.name)
        planned = function_deploy.plan_deploy(wanted, package(), account=account, token=self.mark)
        act.act(self.aws, planned, sleep=self.sleep)

    def invoke(self, photo: bytes) -> None:
        """One call with the photo itself. Raises ServiceFault when it does not answer 200."""
        tried = invoke.invoke(self.aws, self.name, invoke.event(jpeg=photo), LIVE)
        if tried.status != 200:
            why = tried.failure or "; ".join(tried.log[-3:])
            raise ServiceFault(f"the function answered {tried.status}", why, "see its log in AWS")
        self.told(f"  answered in {tried.seconds:.2f} s")

    def audit(self) -> None:
        """Read and judge the account's roles: those that were made here have to be without a finding."""
        found = account_read.read(self.aws).findings()
        own = [one for one in found if self.name in one.role]
        self.told(f"  {len(found)} findings in the account, {len(own)} about what was made here")
        for one in own:
            self.recorder.record.errors[f"audit of {one.role.replace(self.mark, 'MARK')}"] = one.kind.value

    def _patiently(self, does: Callable[[], object]) -> None:
        """Roles that were made a moment ago are not known everywhere: what needs one is tried again for a while."""
        left = ROLE_SECONDS
        while True:
            try:
                does()
                return
            except (Refused, InvalidInput) as wrong:
                if left <= 0 or "the role" not in str(wrong):
                    raise
            self.told("  the role is not known everywhere yet; trying again")
            self.sleep(self.pause)
            left -= self.pause

    def _until(self, look_again: Callable[[], T | None], what: str) -> T:
        left = WAIT
        while (found := look_again()) is None:
            if left <= 0:
                raise ServiceFault(f"{what} is not done", f"it was waited for {WAIT:.0f} s", "look at it in AWS")
            self.sleep(self.pause)
            left -= self.pause
        return found
