"""The run itself: fetch, train, keep, and say how it goes."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from pathlib import Path
from typing import IO, Any

from training import archive
from training.errors import BadSource, TrainingError
from training.instance.metadata import Metadata
from training.instance.order import Order
from training.instance.shipping import LogShipper
from training.instance.status import Stage, Status
from training.instance.storage import Mirror, fetch, send
from training.instance.usage import Sampler, UsageShipper
from training.metrics import parse
from training.stopping import Stop

CHANNEL = "training"
GRACE_SECONDS = 120.0
"""From SIGTERM to SIGKILL, as SageMaker gives."""
LAST_SECONDS = 15.0
"""Of the notice of a spot instance, kept for sending the last checkpoint."""
_LOOK_SECONDS = 0.2
_STOP_SECONDS = 2.0
_NOTICE_SECONDS = 1.0
_SYNC_SECONDS = 10.0
_FOLDERS = ("input/config", f"input/data/{CHANNEL}", "model", "output/data", "checkpoints")


class Reason(Enum):
    """Why a training was told to end."""

    STOPPED = auto()
    OUT_OF_TIME = auto()
    TAKEN_BACK = auto()


@dataclass(frozen=True)
class Cloud:
    """What the agent speaks to: boto3 clients of S3, CloudWatch Logs and CloudWatch, and the metadata service."""

    s3: Any
    logs: Any
    cloudwatch: Any
    metadata: Metadata


class Agent:
    """One run from Downloading to its end. `run()` never raises for what went wrong with the training: it says so."""

    def __init__(
        self,
        order: Order,
        cloud: Cloud,
        base: Path,
        *,
        stop: Stop,
        clock: Callable[[], float] = time.monotonic,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._order = order
        self._cloud = cloud
        self._base = base
        self._stop = stop  # SIGTERM: the instance is being ended
        self._clock = clock
        self._environ = environ
        self._begun = clock()
        self._tail: deque[str] = deque(maxlen=20)
        self._metrics: dict[str, float] = {}
        self._deadline: datetime | None = None
        self._noticed = self._looked = -1e9  # when the notice and the wish to stop were last looked for
        self.status = Status(order.name, cloud.metadata.instance_id(), self._write_status)

    def run(self) -> Stage:
        """Returns the stage that the run ended in. Raises only when S3 cannot be told."""
        self._shipper = LogShipper(self._cloud.logs, self._order.log_group, self._order.log_stream)
        self._usage = UsageShipper(
            self._cloud.cloudwatch, self._order.metric_namespace, self._order.host, Sampler(self._base)
        )
        try:
            return self._stages()
        except (TrainingError, OSError) as error:
            return self._failed(str(error))
        except _aws_errors() as error:
            return self._failed(f"AWS refused what this run needs: {error}")
        finally:
            self._usage.close()
            self._shipper.close()

    def _stages(self) -> Stage:
        self.status.reached(Stage.DOWNLOADING, "Downloading input data")
        self._lay_out()
        mirror = Mirror(self._cloud.s3, self._base / "checkpoints", self._order.checkpoints)
        self._download()
        mirror.known()
        code, reason = None, self._reason()
        if reason is None:
            self.status.reached(Stage.TRAINING, "Training is in progress")
            code, reason = self._train(mirror)
        mirror.sync()
        if reason is None and code != 0:
            self._upload("output/data", "output.tar.gz")
            return self._failed(self._why(code))
        if reason is not Reason.TAKEN_BACK:  # then every second counts
            self.status.reached(Stage.UPLOADING, "Uploading the model")
        artifact = self._upload("model", "model.tar.gz")
        self._upload("output/data", "output.tar.gz")
        final, message = {
            None: (Stage.COMPLETED, "Training completed"),
            Reason.STOPPED: (Stage.STOPPED, "Training stopped"),
            Reason.OUT_OF_TIME: (Stage.OUT_OF_TIME, f"Stopped at its time limit ({self._order.max_seconds:g} s)"),
            Reason.TAKEN_BACK: (
                Stage.INTERRUPTED,
                "EC2 took the spot instance back; the checkpoint is kept, so that another run can go on from there",
            ),
        }[reason]
        self.status.measured(self._metrics)
        self.status.reached(final, message, artifact=artifact)
        return final

    def _lay_out(self) -> None:
        """SageMaker's folders and input/config, as its container contract has them."""
        for name in _FOLDERS:
            (self._base / name).mkdir(parents=True, exist_ok=True)
        config = self._base / "input" / "config"
        channel = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"}
        for name, content in (
            ("hyperparameters", dict(self._order.hyperparameters)),
            ("resourceconfig", {"current_host": "algo-1", "hosts": ["algo-1"], "network_interface_name": "lo"}),
            ("inputdataconfig", {CHANNEL: channel}),
        ):
            (config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")

    def _download(self) -> None:
        def should_stop() -> bool:
            return self._stop.requested

        fetch(self._cloud.s3, self._order.checkpoints, self._base / "checkpoints", should_stop)
        folder = self._base / "input" / "data" / CHANNEL
        if fetch(self._cloud.s3, self._order.data, folder, should_stop) == 0 and not should_stop():
            raise BadSource(f"There is nothing below {self._order.data}: check the address of the data.")

    def _train(self, mirror: Mirror) -> tuple[int, Reason | None]:
        """Run the training to its end, or end it when it must. (exit code, why it was told to end)"""
        with subprocess.Popen(
            [sys.executable, "-u", "-m", "training.train", "--base", str(self._base)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**self._environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,  # the group's SIGTERM is for this process, which then decides
        ) as process:
            assert process.stdout is not None  # noqa: S101 - asked for above
            reader = threading.Thread(target=self._read, args=(process.stdout,), name="output")
            reader.start()
            reason = self._watch(process, mirror)
            _kill(process)  # what it left running would hold its output open, and this instance for ever
            reader.join()
        return process.returncode, reason

    def _watch(self, process: "subprocess.Popen[bytes]", mirror: Mirror) -> Reason | None:
        reason: Reason | None = None
        told_at = 0.0
        synced = self._clock()
        while process.poll() is None:
            time.sleep(_LOOK_SECONDS)
            now = self._clock()
            if reason is None:
                reason = self._reason()
                if reason is not None:
                    told_at = now
                    process.terminate()
            elif now - told_at > self._grace():
                _kill(process)
            if now - synced > _SYNC_SECONDS or reason is Reason.TAKEN_BACK:
                synced = now
                self._keep(mirror)
        return reason

    def _keep(self, mirror: Mirror) -> None:
        """Send the newest checkpoint and say that the run is alive; a failure now is made good the next time."""
        try:
            mirror.sync()
            self.status.measured(self._metrics)
            self.status.write()
        except _aws_errors() as error:
            self._say(f"S3 could not be told how the run goes, and will be again: {error}")

    def _grace(self) -> float:
        if self._deadline is None:
            return GRACE_SECONDS
        left = (self._deadline - datetime.now(UTC)).total_seconds()
        return min(GRACE_SECONDS, max(1.0, left - min(LAST_SECONDS, left / 4)))

    def _reason(self) -> Reason | None:
        """Why the run has to end now, if it has to."""
        now = self._clock()
        if self._stop.requested:
            return Reason.STOPPED
        if now - self._begun > self._order.max_seconds:
            return Reason.OUT_OF_TIME
        if now - self._noticed > _NOTICE_SECONDS:
            self._noticed = now
            if self._is_taken_back():
                return Reason.TAKEN_BACK
        if now - self._looked > _STOP_SECONDS:
            self._looked = now
            if self._is_stopped():
                return Reason.STOPPED
        return None

    def _is_taken_back(self) -> bool:
        try:
            self._deadline = self._cloud.metadata.taken_back_at()
        except OSError:
            return False  # no instance, or the service is busy: asked again in a second
        return self._deadline is not None

    def _is_stopped(self) -> bool:
        """Whether somebody asked for it: then stop.json lies beside the request."""
        try:
            self._cloud.s3.head_object(Bucket=self._order.bucket, Key=f"{self._order.folder}stop.json")
        except _aws_errors() as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            # 403: what S3 says of a key that is not there to a role that may list some prefixes only
            if code not in ("404", "NoSuchKey", "403", "AccessDenied"):
                self._say(f"It could not be seen whether this run is to stop: {error}")
            return False
        return True

    def _read(self, output: IO[bytes]) -> None:
        for line in iter(lambda: output.readline(64 * 1024), b""):
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            self._say(text)
            self._tail.append(text)
            found = parse(text)
            if found:
                self._metrics |= {name: value for name, value in found.values.items() if name != "progress"}

    def _say(self, text: str) -> None:
        print(text, flush=True)
        self._shipper.add(text)

    def _why(self, code: int | None) -> str:
        failure = self._base / "output" / "failure"
        told = failure.read_text(encoding="utf-8", errors="replace").strip() if failure.is_file() else ""
        told = told or "\n".join(list(self._tail)[-5:]) or "it printed nothing"
        if code == -signal.SIGKILL:
            told = f"it was killed, most often for lack of memory; its last lines: {told}"
        return f"AlgorithmError: {told[:950]}, exit code: {code}"

    def _failed(self, reason: str) -> Stage:
        self._say(reason)
        self.status.measured(self._metrics)
        self.status.reached(Stage.FAILED, "Training failed", failure=reason[:1024])
        return Stage.FAILED

    def _upload(self, name: str, file: str) -> str:
        """Store a folder as one archive when there is something in it. Its address, or ""."""
        folder = self._base / name
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        if not files:
            return ""
        packed = archive.pack(folder, self._base / file, files)
        return send(self._cloud.s3, packed, self._order.output, file)

    def _write_status(self, text: str) -> None:
        self._cloud.s3.put_object(
            Bucket=self._order.bucket,
            Key=f"{self._order.folder}status.json",
            Body=text.encode(),
            ContentType="application/json",
        )


def _kill(process: "subprocess.Popen[bytes]") -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return  # it ended meanwhile


def _aws_errors() -> tuple[type[Exception], ...]:
    """What boto3 raises; imported only once it is there anyway."""
    from boto3.exceptions import Boto3Error
    from botocore.exceptions import BotoCoreError, ClientError

    return Boto3Error, BotoCoreError, ClientError
