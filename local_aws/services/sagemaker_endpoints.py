"""SageMaker's endpoints: created, described, listed, deleted; their processes are local_aws.engine's."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from local_aws.engine.endpoint import Endpoint, ModelFiles, Status, Variant, VariantView, View
from local_aws.engine.endpoints import Fleet
from local_aws.engine.objects import Location
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.sagemaker_base import arn_of, merged
from local_aws.services.sagemaker_models import Models
from local_aws.services.sagemaker_refusals import ENDPOINT, WEIGHTS_AND_CAPACITIES, refuse
from local_aws.services.sagemaker_resources import Document, moment


AlarmState = Callable[[str, str], str | None]
"""(region, name of an alarm) → "OK", "ALARM" or "INSUFFICIENT_DATA"; None where there is no such alarm."""


def no_alarms(region: str, name: str) -> str | None:
    """The alarms of an account that has none."""
    return None


class Endpoints(Models):
    """The operations on endpoints. The class that completes it sets `fleet`, `most_processes` and `now`.

    alarm_state: what the alarms that watch an update are asked by; set by who has both.
    """

    fleet: Fleet
    most_processes: int
    now: Callable[[], float] = staticmethod(time.time)
    alarm_state: AlarmState = staticmethod(no_alarms)
    _updating = threading.Lock()

    def create_endpoint(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        arn = arn_of("endpoint", params["EndpointName"], caller)
        refuse(params, ENDPOINT)
        if self.endpoints.get(arn):
            raise _already(arn)
        name = params["EndpointConfigName"]
        config = self._find(self.endpoint_configs, "endpoint configuration", name, caller)
        endpoint = Endpoint(params["EndpointName"], arn, self.variants_of(config, caller))
        self._check_capacity(endpoint)
        now = self.now()
        document = {
            "EndpointName": endpoint.name,
            "EndpointArn": arn,
            "EndpointConfigName": name,
            "EndpointStatus": str(Status.CREATING),
            "CreationTime": now,
            "LastModifiedTime": now,
            "Tags": merged((), params.get("Tags", ())),
            "Variants": [asdict(variant) for variant in endpoint.variants],
            "WasInService": False,
        }
        if not self.endpoints.add(arn, document):
            raise _already(arn)
        self.fleet.create(endpoint)
        return {"EndpointArn": arn}

    def describe_endpoint(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found = self._endpoint(params, caller)
        told = _summary(found) | {"EndpointConfigName": found["EndpointConfigName"]}
        if found.get("FailureReason"):
            told["FailureReason"] = found["FailureReason"]
        view = self.fleet.view(found["EndpointArn"])
        views = {one.name: one for one in view.variants} if view else {}
        told["ProductionVariants"] = [
            _variant(one, views.get(one["name"]), found) for one in found["Variants"] if found["WasInService"] or views
        ]
        return told

    def list_endpoints(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found, more = self.endpoints.page(caller.region, params, newest_first=True)
        return {"Endpoints": [_summary(one) for one in found], **more}

    def delete_endpoint(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found = self._endpoint(params, caller)
        arn = found["EndpointArn"]
        if found["EndpointStatus"] != Status.DELETING:
            self.endpoints.change(arn, lambda one: self._in_status(one, Status.DELETING))
            self.fleet.delete(_endpoint(found), partial(self.endpoints.remove, arn))
        return {}

    def update_endpoint_weights_and_capacities(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found = self._endpoint(params, caller)
        refuse(params, WEIGHTS_AND_CAPACITIES)
        wanted = {one["VariantName"]: one for one in params["DesiredWeightsAndCapacities"]}
        if len(wanted) < len(params["DesiredWeightsAndCapacities"]):
            raise ServiceError("ValidationException", "Each variant can be named once in DesiredWeightsAndCapacities.")
        unknown = sorted(wanted.keys() - {one["name"] for one in found["Variants"]})
        if unknown:
            raise ServiceError(
                "ValidationException",
                f'Variant(s) "{", ".join(unknown)}" not found in endpoint "{found["EndpointArn"]}".',
            )
        if any(one.get("DesiredInstanceCount") == 0 for one in wanted.values()):
            raise ServiceError(
                "ValidationException", "DesiredInstanceCount must be at least 1: a variant has one instance or more."
            )
        with self._updating:  # two updates at once would both find room for their instances
            variants = [_resized(one, wanted.get(one["name"], {})) for one in found["Variants"]]
            self._check_room(sum(one["count"] for one in variants) - sum(one["count"] for one in found["Variants"]))
            changed = self.endpoints.change(found["EndpointArn"], lambda one: self._updated(one, wanted))
            if changed is not None:
                self.fleet.update(_endpoint(changed))
        return {"EndpointArn": found["EndpointArn"]}

    def _updated(self, one: Document, wanted: Mapping[str, Mapping[str, Any]]) -> Document:
        if one["EndpointStatus"] != Status.IN_SERVICE:
            raise ServiceError("ValidationException", f'Cannot update in-progress endpoint "{one["EndpointArn"]}".')
        variants = [_resized(variant, wanted.get(variant["name"], {})) for variant in one["Variants"]]
        return {**self._in_status(one, Status.UPDATING), "Variants": variants}

    def resume_endpoints(self) -> None:
        """After a start of the server: endpoints come up again in the background; what was being deleted is deleted."""
        for found in self.endpoints.all():
            arn, status = found["EndpointArn"], found["EndpointStatus"]
            if status == Status.DELETING:
                self.fleet.delete(_endpoint(found), partial(self.endpoints.remove, arn))
            elif status != Status.FAILED:
                if found["WasInService"]:
                    self.endpoints.change(arn, lambda one: self._in_status(one, Status.SYSTEM_UPDATING))
                self.fleet.create(_endpoint(found), was_in_service=found["WasInService"])

    def endpoint_changed(self, arn: str, view: View) -> None:
        """Write down how an endpoint is now. Called by the fleet."""

        def change(one: Document) -> Document:
            if one["EndpointStatus"] in (view.status, Status.DELETING):
                return one
            after = {**self._in_status(one, view.status), "FailureReason": view.failure}
            return after | ({"WasInService": True} if view.status is Status.IN_SERVICE else {})

        self.endpoints.change(arn, change)

    def _in_status(self, one: Document, status: Status) -> Document:
        return {**one, "EndpointStatus": str(status), "LastModifiedTime": self.now()}

    def _endpoint(self, params: Mapping[str, Any], caller: Caller) -> Document:
        return self._find(self.endpoints, "endpoint", params["EndpointName"], caller)

    def _check_capacity(self, endpoint: Endpoint) -> None:
        self._check_room(sum(variant.count for variant in endpoint.variants))

    def _check_room(self, wanted: int) -> None:
        running = self.fleet.processes
        if wanted > 0 and running + wanted > self.most_processes:
            raise ServiceError(
                "ResourceLimitExceeded",
                f"This machine's limit for endpoint instances is {self.most_processes}, with a current utilization of "
                f"{running} and a request delta of {wanted}. Delete an endpoint, or ask for fewer instances.",
            )


def _resized(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A variant with the weight and the number of instances that were asked for; what was not stays."""
    weight, number = wanted.get("DesiredWeight"), wanted.get("DesiredInstanceCount")
    return {
        **kept,
        "weight": kept["weight"] if weight is None else weight,
        "count": kept["count"] if number is None else number,
    }


def _already(arn: str) -> ServiceError:
    return ServiceError("ValidationException", f'Cannot create already existing endpoint "{arn}".')


def _endpoint(document: Document) -> Endpoint:
    return Endpoint(document["EndpointName"], document["EndpointArn"], tuple(map(_stored, document["Variants"])))


def _stored(kept: Mapping[str, Any]) -> Variant:
    model = kept["model"]
    files = ModelFiles(Location(**model["source"]), model["packed"]) if model else None
    return Variant(**{**kept, "model": files})


def _summary(document: Document) -> dict[str, Any]:
    """The endpoint in ListEndpoints."""
    return {
        **{name: document[name] for name in ("EndpointName", "EndpointArn", "EndpointStatus")},
        **{name: moment(document[name]) for name in ("CreationTime", "LastModifiedTime")},
    }


def _variant(kept: Mapping[str, Any], view: VariantView | None, document: Document) -> dict[str, Any]:
    """A production variant in DescribeEndpoint, with how many of its processes answer at this moment."""
    image, created = kept["image"], moment(document["CreationTime"])
    told = {
        "VariantName": kept["name"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": created}],
        "CurrentWeight": kept["weight"],
        "DesiredWeight": kept["weight"],
        "CurrentInstanceCount": view.running if view else 0,
        "DesiredInstanceCount": kept["count"],
    }
    if view and view.running < view.desired:  # one that is being taken away is counted no more
        status = "Updating" if document["WasInService"] else "Creating"
        message = view.message or f"{view.running} of {view.desired} serving processes answer /ping"
        started = moment(document["LastModifiedTime"])
        told["VariantStatus"] = [{"Status": status, "StatusMessage": message[:1024], "StartTime": started}]
    return told
