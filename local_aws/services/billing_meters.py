"""What the bill is made of, watched where it happens: SageMaker's records and moto's EC2 tell the journal.

A training is written down when it ends, as AWS bills it; endpoints while they are in service, serverless ones by the
milliseconds that they answer; notebook instances while they are in service; instances while they run; volumes and
public addresses while they are there.
"""

import logging
import math
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from local_aws import ACCOUNT
from local_aws.engine.endpoint import Status
from local_aws.services import sagemaker_job_record as record
from local_aws.services import sagemaker_notebook_record as notebook_record
from local_aws.services.billing_journal import BORROWED, SAMPLE, Journal, Usage, Used
from local_aws.services.sagemaker_resources import Document, Resources

log = logging.getLogger(__name__)

MINUTE = 60.0
SEEN_SECONDS = 5.0
"""How often the journal notes that the server is alive: what a kill may cost the bill of what ran then."""
_SERVED = frozenset({Status.IN_SERVICE, Status.SYSTEM_UPDATING, "Updating", "RollingBack"})
COMING = "/new"
"""Ends the name of what is to replace a variant, while it does not serve alone yet."""
IN_USE, IDLE = "InUseAddress", "IdleAddress"


@dataclass
class _Answering:
    """What a serverless variant has answered since a moment, and when last."""

    since: float
    until: float = 0.0
    milliseconds: int = 0


class Meters:
    """The meters of one server. `start` before anything runs, `stop` after all of it has ended. now: epoch seconds."""

    def __init__(
        self, journal: Journal, *, now: Callable[[], float] = time.time, seconds: float = SEEN_SECONDS
    ) -> None:
        self._journal = journal
        self._now = now
        self._seconds = seconds
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None
        self._answered: dict[tuple[str, str, int], _Answering] = {}
        self._answering = threading.Lock()
        self._endpoints: Resources | None = None
        self._late: list[Usage] = []  # what a full disk did not take

    def watch(self, training_jobs: Resources, endpoints: Resources) -> None:
        """Listen to SageMaker's records. What had ended before there was a journal is written down first."""
        written = self._journal.has(Used.TRAINING)
        missing = (job for job in training_jobs.all() if job["TrainingJobArn"] not in written)
        self._journal.add(*(_training(job) for job in missing if _is_billed(job)))
        training_jobs.listeners.append(self._trained)
        endpoints.listeners.append(self._served)
        self._endpoints = endpoints

    def watch_notebooks(self, notebooks: Resources) -> None:
        """Listen to notebook instances. They are records, in service also while this server is not."""
        notebooks.listeners.append(self._noted)

    def start(self) -> None:
        """Close what a server that died left open, and begin to note that this one is alive."""
        self._journal.recover()
        self._thread = threading.Thread(target=self._beat, name="billing", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()
        self._write_answered(everything=True)
        self._journal.pause(self._now())

    def _beat(self) -> None:
        while not self._ended.wait(self._seconds):
            self.beat()

    def beat(self) -> None:
        """Note that the server is alive, and what could not be written before. A full disk is tried again."""
        try:
            self._journal.seen(self._now())
            self._write_answered()
            late, self._late = self._late, []
            self._write(*late)
        except sqlite3.Error:
            log.exception("the billing journal")

    def _write(self, *ended: Usage) -> None:
        try:
            self._journal.add(*ended)
        except sqlite3.Error:  # what has ended has ended: the bill must not stop the job's own record
            log.exception("the billing journal")
            self._late.extend(ended)

    def answered(self, arn: str, variant: str, memory: int, seconds: float) -> None:
        """A serverless variant of an endpoint, with so many MB, took so long to answer: each millisecond is billed."""
        key, now = (arn, variant, memory), self._now()
        with self._answering:
            one = self._answered.setdefault(key, _Answering(now))
            one.milliseconds += math.ceil(seconds * 1000)
            one.until = now

    def _write_answered(self, *, everything: bool = False) -> None:
        """Answers are added up for a minute, so that one costs no write. everything: also those of this minute."""
        now = self._now()
        with self._answering:
            due = {key: one for key, one in self._answered.items() if everything or now - one.since >= MINUTE}
            for key in due:
                del self._answered[key]
        for (arn, variant, memory), one in due.items():
            found = self._endpoints.get(arn) if self._endpoints else None
            usage = Usage(
                Used.SERVERLESS, f"{arn}/{variant}", arn.split(":")[3], one.since, str(memory), ended=one.until,
                seconds=one.milliseconds / 1000, tags=_tags(found or {}),
            )  # fmt: skip
            self._write(usage)

    def ec2(self, backends: Any) -> None:
        """EC2 has changed; `backends` are moto's, held."""
        now = self._now()
        for region, backend in backends[ACCOUNT].items():
            self._journal.there(f"ec2/{region}", _ec2(backend, region, now), now)

    def _trained(self, before: Document | None, job: Document | None) -> None:
        if job is not None and _is_billed(job) and not (before is not None and _is_billed(before)):
            self._write(_training(job))

    def _served(self, before: Document | None, endpoint: Document | None) -> None:
        known = endpoint if endpoint is not None else before
        if known is None:
            return
        now = self._now()
        arn = known["EndpointArn"]
        serves = endpoint is not None and endpoint["WasInService"] and endpoint["EndpointStatus"] in _SERVED
        # while an update is under way both fleets run, and both are billed
        fleets = [("", known["Variants"]), (COMING, known.get("Pending", {}).get("Variants", ()))] if serves else []
        things = [
            Usage(
                Used.ENDPOINT, f"{arn}/{one['name']}{mark}", arn.split(":")[3], now, one["instance_type"], one["count"],
                tags=_tags(known),
            )
            for mark, variants in fleets for one in variants
            if one["count"]  # a serverless variant has no instances
        ]  # fmt: skip
        try:
            self._journal.there(f"endpoint/{arn}", things, now)
        except sqlite3.Error:  # the endpoint's next step says it again
            log.exception("the billing journal")

    def _noted(self, before: Document | None, notebook: Document | None) -> None:
        known = notebook if notebook is not None else before
        if known is None:
            return
        arn, region, tags = known["NotebookInstanceArn"], known["NotebookInstanceArn"].split(":")[3], _tags(known)
        if notebook is None:
            at, things = known["Next"]["At"], []
        else:
            moved = before is None or before["NotebookInstanceStatus"] != notebook["NotebookInstanceStatus"]
            at = notebook["LastModifiedTime"] if moved else self._now()
            size = notebook["VolumeSizeInGB"]
            things = [Usage(Used.NOTEBOOK_VOLUME, f"{arn}/volume", region, at, size=size, tags=tags)]
            if notebook_record.is_billed(notebook):
                things.append(Usage(Used.NOTEBOOK, arn, region, at, notebook["InstanceType"], tags=tags))
        try:
            self._journal.there(f"notebook/{arn}", things, at)
        except sqlite3.Error:  # its next status says it again
            log.exception("the billing journal")


def _is_billed(job: Document) -> bool:
    """Whether it has ended, and ran before that."""
    return record.is_final(job) and "TrainingStartTime" in job


def _training(job: Document) -> Usage:
    cluster = job["Request"]["ResourceConfig"]
    return Usage(
        Used.TRAINING,
        job["TrainingJobArn"],
        job["TrainingJobArn"].split(":")[3],
        job["TrainingStartTime"],
        cluster["InstanceType"],
        cluster["InstanceCount"],
        ended=max(job["TrainingStartTime"], job["TrainingEndTime"]),
        seconds=record.description(job)["BillableTimeInSeconds"],
        tags=_tags(job),
    )


def _ec2(backend: Any, region: str, now: float) -> Iterator[Usage]:
    own = {address.public_ip for address in backend.addresses}  # allocated ones, which outlive an instance
    samples = set()
    for reservation in backend.reservations.values():
        for found in reservation.instances:
            tags = _moto_tags(backend, found.id)
            if tags.get(SAMPLE) == "true":
                samples.add(found.id)
            if found._state.name != "running":
                continue
            zone = found.availability_zone if found.kennel["spot"] else ""
            yield Usage(Used.INSTANCE, found.id, region, now, found.instance_type, tags=tags, spot_zone=zone)
            if found.public_ip and found.public_ip not in own:
                yield Usage(Used.ADDRESS, f"{found.id}{BORROWED}", region, now, detail=IN_USE, tags=tags)
    for address in backend.addresses:
        name = address.allocation_id or address.public_ip
        detail = IN_USE if address.association_id else IDLE
        yield Usage(Used.ADDRESS, name, region, now, detail=detail, tags=_moto_tags(backend, name))
    for volume in backend.volumes.values():
        if volume.attachment is None or volume.attachment.instance.id not in samples:
            tags = _moto_tags(backend, volume.id)
            yield Usage(Used.VOLUME, volume.id, region, now, str(volume.volume_type), int(volume.size), tags=tags)


def _moto_tags(backend: Any, resource_id: str) -> Mapping[str, str]:
    return {str(key): str(value) for key, value in backend.tags.get(resource_id, {}).items()}


def _tags(document: Document) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in document.get("Tags", ())}
