"""SSM: moto's parameters, and among them those by which AWS publishes its Deep Learning AMIs."""

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from local_aws import ACCOUNT
from local_aws.moto_app import Moto, MotoService
from local_aws.protocol import Caller
from local_aws.services import ec2_images

_READS = ("GetParameter", "GetParameters", "GetParametersByPath", "GetParameterHistory")


class Ssm(MotoService):
    """The service. The public parameters are there in every region."""

    def __init__(self, moto: Moto) -> None:
        super().__init__("ssm", moto)

    async def handle(self, request: Request, operation: OperationModel, caller: Caller) -> Response:
        if operation.name in _READS:
            await run_in_threadpool(self._publish, caller.region)
        return await super().handle(request, operation, caller)

    def _publish(self, region: str) -> None:
        with self._moto.using("ssm") as backends:
            ec2_images.publish(backends[ACCOUNT][region])
