"""SageMaker's endpoints: created, described, listed, updated, deleted; their processes are local_aws.engine's."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from local_aws.engine.endpoint import Endpoint, Status, Variant, View
from local_aws.engine.endpoints import Fleet
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.sagemaker_base import arn_of, merged
from local_aws.services.sagemaker_deployment import plan
from local_aws.services.sagemaker_endpoint_told import description, endpoint_of, pending_of, summary
from local_aws.services.sagemaker_models import Models
from local_aws.services.sagemaker_refusals import ENDPOINT, UPDATE_ENDPOINT, refuse
from local_aws.services.sagemaker_resources import Document

AlarmState = Callable[[str, str], str | None]
"""(region, name of an alarm) → "OK", "ALARM" or "INSUFFICIENT_DATA"; None where there is no such alarm."""


def no_alarms(region: str, name: str) -> str | None:
    """The alarms of an account that has none."""
    return None


class Endpoints(Models):
    """The operations on endpoints. The class that completes it sets `fleet`, `most_processes` and `now`.

    alarm_state: what the alarms that watch an update are asked by; is_scaled: whether Application Auto Scaling has a
    resource id in a region; both set by who has them.
    """

    fleet: Fleet
    most_processes: int
    now: Callable[[], float] = staticmethod(time.time)
    alarm_state: AlarmState = staticmethod(no_alarms)
    is_scaled: Callable[[str, str], bool] = staticmethod(lambda region, resource: False)
    _updating = threading.Lock()

    def create_endpoint(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        arn = arn_of("endpoint", params["EndpointName"], caller)
        refuse(params, ENDPOINT)
        if self.endpoints.get(arn):
            raise _already(arn)
        name = params["EndpointConfigName"]
        config = self._find(self.endpoint_configs, "endpoint configuration", name, caller)
        endpoint = Endpoint(params["EndpointName"], arn, self.variants_of(config, caller))
        self._check_room(endpoint.kept)
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
        return description(found, self.fleet.view(found["EndpointArn"]))

    def list_endpoints(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found, more = self.endpoints.page(caller.region, params, newest_first=True)
        return {"Endpoints": [summary(one) for one in found], **more}

    def delete_endpoint(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found = self._endpoint(params, caller)
        arn = found["EndpointArn"]
        if found["EndpointStatus"] != Status.DELETING:
            self.endpoints.change(arn, lambda one: self._in_status(one, Status.DELETING))
            self.fleet.delete(endpoint_of(found), partial(self.endpoints.remove, arn))
        return {}

    def update_endpoint_weights_and_capacities(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found = self._endpoint(params, caller)
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
            self._check_room(endpoint_of({**found, "Variants": variants}).kept - endpoint_of(found).kept)
            changed = self.endpoints.change(found["EndpointArn"], lambda one: self._updated(one, wanted))
            if changed is not None:
                self.fleet.update(endpoint_of(changed))
        return {"EndpointArn": found["EndpointArn"]}

    def _updated(self, one: Document, wanted: Mapping[str, Mapping[str, Any]]) -> Document:
        _check_in_service(one)
        variants = [_resized(variant, wanted.get(variant["name"], {})) for variant in one["Variants"]]
        return {**self._in_status(one, Status.UPDATING), "Variants": variants}

    def update_endpoint(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found = self._endpoint(params, caller)
        refuse(params, UPDATE_ENDPOINT)
        name = params["EndpointConfigName"]
        config = self._find(self.endpoint_configs, "endpoint configuration", name, caller)
        arn = found["EndpointArn"]
        retained = params.get("DeploymentConfig") is None and params.get("RetainDeploymentConfig")
        deployment = found.get("LastDeploymentConfig", {}) if retained else params.get("DeploymentConfig", {})
        with self._updating:
            variants = _retained(self.variants_of(config, caller), found, params)
            if any(one.serverless for one in variants) and not any(one.get("serverless") for one in found["Variants"]):
                raise ServiceError(
                    "ValidationException",
                    "An endpoint with instances cannot be made serverless. Create another endpoint for that.",
                )
            self._check_types(found, variants, caller)
            planned = plan(deployment, variants)
            self._check_alarms(planned.alarms, caller)
            self._check_update(sum(one.kept for one in variants), endpoint_of(found).kept)
            changed = self.endpoints.change(arn, lambda one: self._deploying(one, name, variants, deployment))
            if changed is not None:
                self._deploy(changed)
        return {"EndpointArn": arn}

    def _check_types(self, found: Document, variants: Sequence[Variant], caller: Caller) -> None:
        """A variant that is scaled keeps its type (Developer Guide, "Update endpoints that use automatic scaling")."""
        before = {one["name"]: one["instance_type"] for one in found["Variants"]}
        for one in variants:
            resource = f"endpoint/{found['EndpointName']}/variant/{one.name}"
            if before.get(one.name, one.instance_type) != one.instance_type and self.is_scaled(caller.region, resource):
                raise ServiceError(
                    "ValidationException",
                    f"The variant {one.name} is a target of automatic scaling: its instance type cannot be changed "
                    f"from {before[one.name]} to {one.instance_type}. Deregister {resource} as a scalable target.",
                )

    def _deploying(
        self, one: Document, config: str, variants: Sequence[Variant], deployment: Mapping[str, Any]
    ) -> Document:
        _check_in_service(one)
        attempt = one.get("Attempts", 0) + 1
        pending = {
            "EndpointConfigName": config,
            "Variants": [asdict(variant) for variant in variants],
            "Deployment": deployment,
            "Generation": attempt,
            "StartTime": self.now(),
        }
        after = {**self._in_status(one, Status.UPDATING), "Pending": pending, "Attempts": attempt, "FailureReason": ""}
        return after | ({"LastDeploymentConfig": deployment} if deployment else {})

    def _deploy(self, document: Document) -> None:
        """Begin, or after a start of the server begin again, what is pending."""
        pending = pending_of(document)
        if pending is None:
            return
        planned = plan(document["Pending"]["Deployment"], pending.variants)
        region = pending.arn.split(":")[3]
        self.fleet.deploy(pending, planned, lambda: self._tripped(region, planned.alarms))

    def _check_alarms(self, alarms: Sequence[str], caller: Caller) -> None:
        missing = [name for name in alarms if self.alarm_state(caller.region, name) is None]
        if missing:
            raise ServiceError("ValidationException", f"Could not find CloudWatch alarm(s): {', '.join(missing)}.")

    def _tripped(self, region: str, alarms: Sequence[str]) -> str:
        names = [name for name in alarms if self.alarm_state(region, name) == "ALARM"]
        return f"The deployment was rolled back: in ALARM state: {', '.join(names)}." if names else ""

    def resume_endpoints(self) -> None:
        """After a start of the server: endpoints come up again in the background; what was being deleted is deleted."""
        everything = self.endpoints.all()
        known = [endpoint_of(one) for one in everything] + [pending_of(one) for one in everything]
        self.fleet.sweep([one for one in known if one])
        for found in everything:
            arn, status = found["EndpointArn"], found["EndpointStatus"]
            if status == Status.DELETING:
                self.fleet.delete(endpoint_of(found), partial(self.endpoints.remove, arn))
            elif status != Status.FAILED:
                if found["WasInService"]:
                    self.endpoints.change(arn, lambda one: self._in_status(one, Status.SYSTEM_UPDATING))
                self.fleet.create(endpoint_of(found), was_in_service=found["WasInService"])
                self._deploy(found)

    def endpoint_changed(self, arn: str, view: View) -> None:
        """Write down how an endpoint is now. Called by the fleet."""

        def change(one: Document) -> Document:
            pending = one.get("Pending")
            if one["EndpointStatus"] == Status.DELETING or (pending and view.attempt < pending["Generation"]):
                return one  # what is told is older than what was asked for since
            after: Document = one
            if pending and view.pending is None and not view.failure:
                after = {name: value for name, value in one.items() if name != "Pending"}
                if view.generation == pending["Generation"]:
                    after |= {name: pending[name] for name in ("EndpointConfigName", "Variants", "Generation")}
                after |= {"FailureReason": view.refused}
            if after is one and one["EndpointStatus"] == view.status:
                return one
            after = {**self._in_status(after, view.status)}
            after |= {"FailureReason": view.failure} if view.failure else {}
            return after | ({"WasInService": True} if view.status is Status.IN_SERVICE else {})

        self.endpoints.change(arn, change)

    def _in_status(self, one: Document, status: Status) -> Document:
        return {**one, "EndpointStatus": str(status), "LastModifiedTime": self.now()}

    def _endpoint(self, params: Mapping[str, Any], caller: Caller) -> Document:
        return self._find(self.endpoints, "endpoint", params["EndpointName"], caller)

    def _check_room(self, wanted: int) -> None:
        running = self.fleet.processes
        if wanted > 0 and running + wanted > self.most_processes:
            raise ServiceError(
                "ResourceLimitExceeded",
                f"This machine's limit for endpoint instances is {self.most_processes}, with a current utilization of "
                f"{running} and a request delta of {wanted}. Delete an endpoint, or ask for fewer instances.",
            )

    def _check_update(self, new: int, old: int) -> None:
        """A new fleet stands beside the old one for a while: twice the limit is there for that, and no more."""
        self._check_room(new - old)
        running, most = self.fleet.processes, 2 * self.most_processes
        if running + new > most:
            raise ServiceError(
                "ResourceLimitExceeded",
                f"This machine's limit for endpoint instances while endpoints are updated is {most}, with a current "
                f"utilization of {running} and a request delta of {new}. Wait until other updates have ended.",
            )


def _check_in_service(one: Document) -> None:
    if one["EndpointStatus"] == Status.FAILED:
        sentence = f'Cannot update failed endpoint "{one["EndpointArn"]}". Delete it, and create it anew.'
        raise ServiceError("ValidationException", sentence)
    if one["EndpointStatus"] != Status.IN_SERVICE:
        raise ServiceError("ValidationException", f'Cannot update in-progress endpoint "{one["EndpointArn"]}".')


def _retained(variants: Sequence[Variant], found: Document, params: Mapping[str, Any]) -> tuple[Variant, ...]:
    """The new variants with the weight and number of instances that those of their names have now, where asked for."""
    if not params.get("RetainAllVariantProperties"):
        return tuple(variants)
    left = {one["VariantPropertyType"] for one in params.get("ExcludeRetainedVariantProperties", ())}
    now = {one["name"]: one for one in found["Variants"]}
    kept = []
    for variant in variants:
        before = now.get(variant.name)
        if before and "DesiredWeight" not in left:
            variant = replace(variant, weight=before["weight"])
        if before and "DesiredInstanceCount" not in left and before["count"] and not variant.serverless:
            variant = replace(variant, count=before["count"])
        kept.append(variant)
    return tuple(kept)


def _resized(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """A variant with the weight and the capacity that were asked for; what was not stays.

    Raises ServiceError ValidationException for instances of a serverless variant, and the other way round.
    """
    weight, number, update = (
        wanted.get(name) for name in ("DesiredWeight", "DesiredInstanceCount", "ServerlessUpdateConfig")
    )
    serverless = kept.get("serverless")
    if update and not serverless:
        raise ServiceError("ValidationException", f"The variant {kept['name']} is not serverless.")
    if number is not None and serverless:
        raise ServiceError("ValidationException", f"The variant {kept['name']} is serverless: it has no instances.")
    if serverless and update:
        most = update.get("MaxConcurrency", serverless["most"])
        provisioned = update.get("ProvisionedConcurrency", serverless["provisioned"])
        if provisioned > most:
            raise ServiceError("ValidationException", "ProvisionedConcurrency must be at most MaxConcurrency.")
        serverless = {**serverless, "most": most, "provisioned": provisioned}
    return {
        **kept,
        "weight": kept["weight"] if weight is None else weight,
        "count": kept["count"] if number is None else number,
        "serverless": serverless,
    }


def _already(arn: str) -> ServiceError:
    return ServiceError("ValidationException", f'Cannot create already existing endpoint "{arn}".')
