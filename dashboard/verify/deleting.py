"""Delete one thing that a verification made; what is not there any more counts as deleted."""

import time
from collections.abc import Callable
from contextlib import suppress

from dashboard.core.aws import Aws
from dashboard.core.costs.prices import PriceBook
from dashboard.core.errors import InvalidInput, NotFound, ServiceFault
from dashboard.core.runs import watch
from dashboard.core.runs.delete import delete_objects
from dashboard.core.runs.log import delete_log
from dashboard.core.serving.delete import delete_endpoint, plan_delete
from dashboard.core.serving.functions import act as function_act
from dashboard.core.serving.functions import delete as function_delete
from dashboard.core.serving.functions import functions, role
from dashboard.core.setup import stack
from dashboard.verify.made import Kind, Thing

WAIT = 1200.0
"""The longest that a thing is waited for to go: endpoints and stacks take minutes."""
PAUSE = 5.0


class Deleting:
    """Deletes with the rights of one connection. sleep: seconds between two looks."""

    def __init__(
        self, aws: Aws, prices: PriceBook, *, sleep: Callable[[float], None] = time.sleep, pause: float = PAUSE
    ) -> None:
        self._aws = aws
        self._prices = prices
        self._sleep = sleep
        self._pause = pause

    def __call__(self, thing: Thing) -> None:
        """Raises the errors of `Aws.call`, and ServiceFault for what does not go in time."""
        does: dict[Kind, Callable[[str], None]] = {
            Kind.STACK: self._stack,
            Kind.BUCKET: self._bucket,
            Kind.OBJECTS: lambda address: delete_objects(self._aws, address),
            Kind.TRAINING: self._training,
            Kind.ENDPOINT: self._endpoint,
            Kind.FUNCTION: self._function,
            Kind.LOG_GROUP: lambda name: self._aws_call("logs", "DeleteLogGroup", logGroupName=name),
            Kind.LOG_STREAMS: lambda run: delete_log(self._aws, run),
        }
        with suppress(NotFound):
            does[thing.kind](thing.name)

    def _aws_call(self, service: str, operation: str, **parameters: object) -> None:
        self._aws.call(service, operation, **parameters)

    def _training(self, name: str) -> None:
        run = watch.get_run(self._aws, name)
        if run.status.is_active:
            watch.stop(self._aws, name)
        self._until(lambda: not watch.get_run(self._aws, name).status.is_active, f"the training {name}")
        self._aws_call("sagemaker", "DeleteTrainingJob", TrainingJobName=name)

    def _endpoint(self, name: str) -> None:
        try:
            plan = plan_delete(self._aws, self._prices, name)
        except NotFound:
            self._parts(name)
            return
        delete_endpoint(self._aws, plan)

        def is_gone() -> bool:
            try:
                self._aws_call("sagemaker", "DescribeEndpoint", EndpointName=name)
            except NotFound:
                return True
            return False

        self._until(is_gone, f"the endpoint {name}")

    def _parts(self, name: str) -> None:
        """What an endpoint is made of, where it was never made itself."""
        for kind in ("EndpointConfig", "Model"):
            for page in self._aws.pages("sagemaker", f"List{kind}s", NameContains=name):
                for one in page[f"{kind}s"]:
                    if str(one[f"{kind}Name"]).startswith(f"{name}-"):
                        self._aws_call("sagemaker", f"Delete{kind}", **{f"{kind}Name": one[f"{kind}Name"]})

    def _function(self, name: str) -> None:
        try:
            plan = function_delete.plan_delete(self._aws, functions.read(self._aws, name))
        except NotFound:  # its role may have been made before it
            for call in role.delete_calls(name):
                with suppress(NotFound):
                    self._aws_call(call.service, call.operation, **call.parameters)
            return
        function_act.act(self._aws, plan, sleep=self._sleep)

    def _stack(self, name: str) -> None:
        # one that is still being made would go on to make what it does not take along, such as its bucket
        self._until(lambda: not stack.is_busy(self._aws), f"what goes on with the stack {name}")
        self._aws_call("cloudformation", "DeleteStack", StackName=name)

        def is_gone() -> bool:
            try:
                told = self._aws.call("cloudformation", "DescribeStacks", StackName=name)["Stacks"][0]
            except (NotFound, InvalidInput):
                return True  # "Stack with id … does not exist" is a ValidationError
            if told["StackStatus"] == "DELETE_FAILED":
                raise ServiceFault(f"the stack {name} could not be deleted", told.get("StackStatusReason", ""), "")
            return bool(told["StackStatus"] == "DELETE_COMPLETE")

        self._until(is_gone, f"the stack {name}")

    def _bucket(self, name: str) -> None:
        delete_objects(self._aws, f"s3://{name}/")
        self._aws_call("s3", "DeleteBucket", Bucket=name)

    def _until(self, is_done: Callable[[], bool], what: str) -> None:
        left = WAIT
        while not is_done():
            if left <= 0:
                raise ServiceFault(f"{what} does not end", f"it was waited for {WAIT:.0f} s", "look at it in AWS")
            self._sleep(self._pause)
            left -= self._pause
