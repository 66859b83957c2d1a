"""EC2: moto keeps the record of networks, images, volumes and instances; what an instance does is ours."""

import base64
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from botocore.model import OperationModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from local_aws import ACCOUNT
from local_aws.engine.container import count_cpus
from local_aws.engine.instance import GRACE_SECONDS, Sandbox, namespaces_allowed
from local_aws.engine.machine_room import NOTICE_SECONDS
from local_aws.engine.opt_ml import holds_python
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto, MotoService
from local_aws.protocol import Caller
from local_aws.quotas import Quotas
from local_aws.run_keys import RunKeys
from local_aws.services import ec2_describe, ec2_images, ec2_request, ec2_spot
from local_aws.services.cloudwatch_store import MetricStore
from local_aws.services.ec2_instances import Instances
from local_aws.services.ec2_record import translated

Params = dict[str, Any]
_MOST_INSTANCES = 1000
_WHEN_STOPPED = {"InstanceType": "instanceType", "UserData": "userData", "EbsOptimized": "ebsOptimized"}


class Ec2(MotoService):
    """The service.

    directory: for the folders of instances; runs: the keys of instances' roles; places: instances at once, None for two
    a core; private: None to find out whether instances can have a world of their own; grace: seconds to shut down;
    notice: seconds between a spot notice and the end.
    """

    invalid_code = "MissingParameter"

    def __init__(
        self,
        moto: Moto,
        directory: Path,
        runs: RunKeys | None = None,
        *,
        quotas: Quotas | None = None,
        metrics: MetricStore | None = None,
        places: int | None = None,
        private: bool | None = None,
        grace: float = GRACE_SECONDS,
        notice: float = NOTICE_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        super().__init__("ec2", moto)
        self._directory = directory
        self._private = private
        self._grace = grace
        self._now = now
        self._instances = Instances(
            moto,
            directory,
            runs,
            sandbox=self._sandbox,
            places=places or 2 * count_cpus(),
            quotas=quotas,
            metrics=metrics,
            notice=notice,
            now=now,
        )

    async def start(self) -> None:
        if any(self._directory.glob("*/running")):  # else nothing of EC2 is loaded before somebody asks for it
            await run_in_threadpool(self._instances.recover)

    async def stop(self) -> None:
        await run_in_threadpool(self._instances.close)

    async def handle(self, request: Request, operation: OperationModel, caller: Caller) -> Response:
        await run_in_threadpool(self._register, caller.region)
        if operation.name == "ModifyInstanceAttribute":
            await run_in_threadpool(
                self._check_is_stopped, self.parse(request, operation, await request.body()), caller
            )
        return await super().handle(request, operation, caller)

    def _register(self, region: str) -> None:
        with self._moto.using("ec2") as backends:
            ec2_images.register(backends[ACCOUNT][region])

    def _sandbox(self) -> Sandbox:
        state = self._directory.parent.absolute()
        private = namespaces_allowed() if self._private is None else self._private
        return Sandbox(private, None if holds_python(state) else state, self._grace)

    @contextmanager
    def _backend(self, caller: Caller, *, changes: bool = False) -> Iterator[Any]:
        """moto's EC2 of the caller's region, held."""
        with self._moto.using("ec2", changes=changes) as backends, translated():
            yield backends[ACCOUNT][caller.region]

    # instances

    def run_instances(self, params: Params, caller: Caller) -> Params:
        with self._moto.using("iam") as iam, self._backend(caller) as backend:
            launch = ec2_request.read(params, backend, iam[ACCOUNT]["aws"])
        _check_dry_run(params)
        with self._backend(caller, changes=True) as backend:
            reservation = self._instances.run(launch, backend)
            return ec2_describe.reservation(reservation, [ec2_describe.instance(one) for one in reservation.instances])

    def describe_instances(self, params: Params, caller: Caller) -> Params:
        ids, most = params.get("InstanceIds") or (), params.get("MaxResults")
        if ids and most:
            raise ServiceError(
                "InvalidParameterCombination",
                "The parameter instancesSet cannot be used with the parameter maxResults",
            )
        passes = ec2_describe.matcher(params.get("Filters") or ())
        _check_dry_run(params)
        with self._backend(caller) as backend:
            self._instances.forget_old(backend)
            wanted = {one.id for one in _found(backend, ids)} if ids else None
            described = [
                (one, ec2_describe.instance(found))
                for one in backend.reservations.values()
                for found in one.instances
                if wanted is None or found.id in wanted
            ]
        matching = [(one, document) for one, document in described if passes(document)]
        matching.sort(key=lambda pair: (pair[1]["LaunchTime"], pair[1]["InstanceId"]))
        page, token = _page(matching, params, most)
        groups: dict[str, Params] = {}
        for one, document in page:
            groups.setdefault(one.id, ec2_describe.reservation(one, []))["Instances"].append(document)
        return {"Reservations": list(groups.values()), **({"NextToken": token} if token else {})}

    def describe_instance_status(self, params: Params, caller: Caller) -> Params:
        passes = ec2_describe.matcher(params.get("Filters") or (), ec2_describe.STATUS_FILTERS)
        _check_dry_run(params)
        with self._backend(caller) as backend:
            self._instances.forget_old(backend)
            found = _found(backend, params.get("InstanceIds") or ()) or _all(backend)
            described = [
                ec2_describe.status(one)
                for one in found
                if params.get("IncludeAllInstances") or one._state.name == "running"
            ]
        page, token = _page([one for one in described if passes(one)], params, params.get("MaxResults"))
        return {"InstanceStatuses": page, **({"NextToken": token} if token else {})}

    def start_instances(self, params: Params, caller: Caller) -> Params:
        return {
            "StartingInstances": self._changed(params, caller, lambda one: self._instances.start(one, caller.region))
        }

    def stop_instances(self, params: Params, caller: Caller) -> Params:
        if params.get("Hibernate"):
            raise ServiceError("UnsupportedOperation", "The embedded AWS cannot do hibernation yet (Hibernate).")
        force = _at_once(params)
        return {"StoppingInstances": self._changed(params, caller, lambda one: self._instances.stop(one, force=force))}

    def terminate_instances(self, params: Params, caller: Caller) -> Params:
        force = _at_once(params)
        told = self._changed(params, caller, lambda one: self._instances.terminate(one, force=force))
        return {"TerminatingInstances": told}

    def reboot_instances(self, params: Params, caller: Caller) -> Params:
        self._changed(params, caller, self._instances.reboot)
        return {}

    def get_console_output(self, params: Params, caller: Caller) -> Params:
        _check_dry_run(params)
        with self._backend(caller) as backend:
            (found,) = _found(backend, [params["InstanceId"]])
        printed = self._instances.console(found.id)
        told: Params = {"InstanceId": found.id, "Timestamp": self._now()}
        return told | ({"Output": base64.b64encode(printed).decode()} if printed else {})

    def modify_instance_metadata_options(self, params: Params, caller: Caller) -> Params:
        if params.get("HttpProtocolIpv6") == "enabled":
            raise ServiceError("UnsupportedOperation", "The embedded AWS cannot do metadata over IPv6 yet.")
        _check_dry_run(params)
        with self._backend(caller, changes=True) as backend:
            (found,) = _found(backend, [params["InstanceId"]])
            options = found.metadata_options
            options.http_tokens = params.get("HttpTokens") or options.http_tokens
            options.http_endpoint = params.get("HttpEndpoint") or options.http_endpoint
            hops = params.get("HttpPutResponseHopLimit")
            options.http_put_response_hop_limit = hops or options.http_put_response_hop_limit
            options.instance_metadata_tags = params.get("InstanceMetadataTags") or options.instance_metadata_tags
            return {"InstanceId": found.id, "InstanceMetadataOptions": ec2_describe.metadata_options(options)}

    def create_tags(self, params: Params, caller: Caller) -> Params:
        listed = params.get("Tags") or []
        tags = ec2_request.tags([{"ResourceType": "any", "Tags": listed}])["any"]
        resources = list(params.get("Resources") or ())
        _check_dry_run(params)
        with self._backend(caller, changes=True) as backend:
            requests = {one.kennel["spot"]["id"]: one for one in ec2_spot.requests(_all(backend))}
            _found(backend, [one for one in resources if one.startswith("i-")])
            backend.do_resources_exist([one for one in resources if one not in requests and not one.startswith("i-")])
            backend.create_tags([one for one in resources if one not in requests], tags)
            for one in resources:
                if one in requests:
                    requests[one].kennel["spot"]["tags"] |= tags
            for found in _found(backend, [one for one in resources if one.startswith("i-")]):
                self._instances.tagged(found, tags)
        return {}

    # spot

    def describe_spot_instance_requests(self, params: Params, caller: Caller) -> Params:
        passes = ec2_describe.matcher(params.get("Filters") or (), ec2_describe.SPOT_FILTERS)
        _check_dry_run(params)
        with self._backend(caller) as backend:
            self._instances.forget_old(backend)
            described = [ec2_spot.describe_request(one) for one in ec2_spot.requests(_all(backend))]
        ids = set(params.get("SpotInstanceRequestIds") or ())
        missing = ids - {one["SpotInstanceRequestId"] for one in described}
        if missing:
            raise ServiceError(
                "InvalidSpotInstanceRequestID.NotFound", f"The spot instance request ID '{min(missing)}' does not exist"
            )
        wanted = [one for one in described if (not ids or one["SpotInstanceRequestId"] in ids) and passes(one)]
        page, token = _page(wanted, params, params.get("MaxResults"))
        return {"SpotInstanceRequests": page, **({"NextToken": token} if token else {})}

    def cancel_spot_instance_requests(self, params: Params, caller: Caller) -> Params:
        ids = params.get("SpotInstanceRequestIds") or []
        _check_dry_run(params)
        with self._backend(caller, changes=True) as backend:
            requests = {one.kennel["spot"]["id"]: one.kennel["spot"] for one in ec2_spot.requests(_all(backend))}
            for one in ids:
                if one not in requests:
                    raise ServiceError(
                        "InvalidSpotInstanceRequestID.NotFound", f"The spot instance request ID '{one}' does not exist"
                    )
                if requests[one]["state"] == "active":
                    ec2_spot.changed(requests[one], "request-canceled-and-instance-running", self._now(), "cancelled")
            told = [{"SpotInstanceRequestId": one, "State": requests[one]["state"]} for one in ids]
        return {"CancelledSpotInstanceRequests": told}

    def describe_spot_price_history(self, params: Params, caller: Caller) -> Params:
        _check_dry_run(params)
        with self._backend(caller) as backend:
            zones = {zone.zone_id: zone.name for zone in backend.describe_availability_zones()}
        return ec2_spot.describe_history(params, zones, self._now())

    # within

    def _changed(self, params: Params, caller: Caller, change: Callable[[Any], None]) -> list[Params]:
        """Change instances, all or none where one of them is not there; their states before and after."""
        _check_dry_run(params)
        told = []
        with self._backend(caller, changes=True) as backend:
            for found in _found(backend, params["InstanceIds"]):
                before = ec2_describe.state(found._state.name)
                change(found)
                after = ec2_describe.state(found._state.name)
                told.append({"InstanceId": found.id, "PreviousState": before, "CurrentState": after})
        return told

    def _check_is_stopped(self, params: Params, caller: Caller) -> None:
        """Raises ServiceError IncorrectInstanceState for a change that AWS makes to stopped instances only."""
        if (
            not any(params.get(name) for name in _WHEN_STOPPED)
            and params.get("Attribute") not in _WHEN_STOPPED.values()
        ):
            return
        with self._backend(caller) as backend:
            (found,) = _found(backend, [params["InstanceId"]])
            if found._state.name != "stopped":
                raise ServiceError(
                    "IncorrectInstanceState", f"The instance '{found.id}' is not in the 'stopped' state."
                )


def _at_once(params: Params) -> bool:
    """Whether an instance is to end without its system shutting down."""
    return bool(params.get("Force") or params.get("SkipOsShutdown"))


def _check_dry_run(params: Params) -> None:
    if params.get("DryRun"):
        raise ServiceError("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)


def _all(backend: Any) -> list[Any]:
    return [found for reservation in backend.reservations.values() for found in reservation.instances]


def _found(backend: Any, ids: Iterable[str]) -> list[Any]:
    """Instances by id, in that order. Raises ServiceError InvalidInstanceID.Malformed or .NotFound."""
    asked = list(dict.fromkeys(ids))
    wrong = next((one for one in asked if not one.startswith("i-")), None)
    if wrong is not None:
        raise ServiceError("InvalidInstanceID.Malformed", f'Invalid id: "{wrong}"')
    known = {found.id: found for found in _all(backend)} if asked else {}
    missing = [one for one in asked if one not in known]
    if missing:
        many = f"s '{', '.join(missing)}' do" if len(missing) > 1 else f" '{missing[0]}' does"
        raise ServiceError("InvalidInstanceID.NotFound", f"The instance ID{many} not exist")
    return [known[one] for one in asked]


def _page(found: list[Any], params: Params, most: int | None) -> tuple[list[Any], str]:
    token = params.get("NextToken")
    if token and not token.isdigit():
        raise ServiceError("InvalidNextToken", "The token is not one of this operation.")
    start = int(token or 0)
    size = min(most or _MOST_INSTANCES, _MOST_INSTANCES)
    return found[start : start + size], str(start + size) if len(found) > start + size else ""
