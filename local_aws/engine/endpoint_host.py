"""What all endpoints of this machine share, and a model's files brought to where its processes find them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from local_aws import ACCOUNT
from local_aws.engine import artifacts
from local_aws.engine.as_role import AsRole
from local_aws.engine.container import Access
from local_aws.engine.endpoint import Endpoint, ModelFiles, Variant
from local_aws.engine.errors import ClientFaultError, EngineError
from local_aws.engine.machine import MetricSink
from local_aws.engine.objects import Objects, copy, fetch
from local_aws.engine.opt_ml import OptMl
from local_aws.engine.output import LogSink
from local_aws.engine.serving import SERVE_COMMAND
from local_aws.errors import ServiceError
from local_aws.pace import AS_AWS, Pace

LOG_GROUP = "/aws/sagemaker/Endpoints"
MOST_WAITING = 512
"""Requests that one process may have at once: training.serve itself says 503 long before; others may not."""


@dataclass(frozen=True)
class Host:
    """What the endpoints of this machine share.

    folder: for the models' files; starts: processes started at once; hidden: what they must not see (see OptMl);
    access: lets them work as their role; pace: how fast instances start; metrics: where it is told what they use;
    waiting: requests that one process may have; serverless: processes that all serverless variants may have together
    beside the provisioned ones; drain: seconds that a process which is taken away has for the requests it has;
    as_role: what is done as a variant's role, None: everything.
    """

    folder: Path
    objects: Objects
    logs: LogSink
    private: bool
    command: Sequence[str] = SERVE_COMMAND
    startup: float = 60.0
    starts: int = 2
    hidden: Path | None = None
    access: Access | None = None
    pace: Pace = AS_AWS
    metrics: MetricSink | None = None
    waiting: int = MOST_WAITING
    serverless: int = 4
    drain: float = 60.0
    as_role: AsRole | None = None

    def working_as(self, role: str, region: str) -> "Host":
        """The same for a variant that works as a role: it reads and writes what that role may."""
        if self.as_role is None:
            return self
        objects = self.as_role.storage(role, region, self.objects)
        return replace(self, objects=objects, logs=self.as_role.logs(role, region, self.logs))

    def may_tell(self, role: str, region: str, namespace: str) -> bool:
        """Whether what a variant uses may be told there as its role."""
        return self.as_role is None or self.as_role.may_tell(role, region, namespace)

    def place(self, endpoint: Endpoint, variant: Variant) -> OptMl:
        """Where a variant's files lie; each generation of an endpoint has its own."""
        of = f"{endpoint.arn}/{variant.name}" + (f"/{endpoint.generation}" if endpoint.generation else "")
        name = hashlib.sha256(of.encode()).hexdigest()[:12]
        return OptMl(self.folder / name, self.private, self.hidden)

    def fetch(self, variant: Variant, place: OptMl, region: str = "") -> None:
        """Put the model's files into the place, as the variant's role; they appear complete or not at all.

        Raises ClientFaultError.
        """
        source = (
            f"arn:aws:sagemaker:{region}:{ACCOUNT}:*"  # of no single endpoint: a trust that wants one is too narrow
        )
        refused = self.as_role.start_refusal(variant.role, region, variant.image, source) if self.as_role else ""
        if refused:
            raise ClientFaultError(refused)
        place.remove()
        coming = replace(place, folder=place.folder.with_suffix(".new"))
        coming.remove()
        incoming = coming.folder / "model"
        incoming.mkdir(parents=True)
        if variant.model:
            try:
                self.working_as(variant.role, region)._fill(variant.model, incoming)
            except BaseException as error:
                coming.remove()
                if not isinstance(error, ServiceError | EngineError):
                    raise
                why = error.message if isinstance(error, ServiceError) else str(error)
                raise ClientFaultError(f"the model data {variant.model.source.uri} cannot be used: {why}") from error
        coming.folder.rename(place.folder)

    def _fill(self, model: ModelFiles, folder: Path) -> None:
        if not model.packed:
            fetch(self.objects, model.source, folder)
            return
        archive = folder.with_suffix(".tar.gz")
        bucket, key = model.source.bucket, model.source.key
        copy(self.objects, bucket, self.objects.get(bucket, key), archive)
        artifacts.unpack(archive, folder)
        archive.unlink()
