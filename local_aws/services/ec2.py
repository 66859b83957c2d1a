"""EC2: moto keeps the record of networks, images, volumes and instances; the instances themselves are ours."""

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from local_aws import ACCOUNT
from local_aws.moto_app import Moto, MotoService
from local_aws.protocol import Caller
from local_aws.services import ec2_images


class Ec2(MotoService):
    """The service."""

    def __init__(self, moto: Moto) -> None:
        super().__init__("ec2", moto)

    async def handle(self, request: Request, operation: OperationModel, caller: Caller) -> Response:
        await run_in_threadpool(self._register, caller.region)
        return await super().handle(request, operation, caller)

    def _register(self, region: str) -> None:
        with self._moto.using("ec2") as backends:
            ec2_images.register(backends[ACCOUNT][region])
