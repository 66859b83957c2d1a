"""What the engine does for a job or an endpoint it does as its role, as SageMaker does: no more than that role may.

Without one of these the engine may do everything, as in tests of it alone.
"""

from typing import Protocol

from local_aws.engine.objects import Objects
from local_aws.engine.output import LogSink


class AsRole(Protocol):
    """role: its ARN; "" for a model that has none, for which SageMaker does everything by itself."""

    def storage(self, role: str, region: str, objects: Objects) -> Objects:
        """S3 as the role finds it: what it may not list, read or write raises ServiceError AccessDenied."""

    def logs(self, role: str, region: str, logs: LogSink) -> LogSink:
        """CloudWatch Logs as the role finds it. What it may not write is lost, and nobody says so: as in AWS."""

    def may_tell(self, role: str, region: str, namespace: str) -> bool:
        """Whether it may put figures into a namespace of CloudWatch. AWS says nothing of those it may not put."""

    def start_refusal(self, role: str, region: str, image: str, source: str) -> str:
        """Why nothing can be started as the role, "" when it can: SageMaker cannot assume it for `source` (an ARN), or
        it may not pull the image (one that lies in no registry of AWS needs no right).
        """
