"""UpdateEndpoint: another configuration for an endpoint that serves, with its DeploymentConfig and what it retains."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from local_aws.engine.endpoint import Status, Variant
from local_aws.engine.endpoints import Fleet
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.sagemaker_deployment import plan
from local_aws.services.sagemaker_endpoint_told import endpoint_of, pending_of
from local_aws.services.sagemaker_models import Models
from local_aws.services.sagemaker_refusals import UPDATE_ENDPOINT, refuse
from local_aws.services.sagemaker_resources import Document

AlarmState = Callable[[str, str], str | None]
"""(region, name of an alarm) → "OK", "ALARM" or "INSUFFICIENT_DATA"; None where there is no such alarm."""


def no_alarms(region: str, name: str) -> str | None:
    """The alarms of an account that has none."""
    return None


class EndpointUpdates(Models):
    """UpdateEndpoint, and what every change of an endpoint needs.

    The class that completes it sets `fleet`, `most_processes` and `now`. alarm_state: what the alarms that watch an
    update are asked by; is_scaled: whether Application Auto Scaling has a resource id in a region; both set by who has
    them.
    """

    fleet: Fleet
    most_processes: int
    now: Callable[[], float] = staticmethod(time.time)
    alarm_state: AlarmState = staticmethod(no_alarms)
    is_scaled: Callable[[str, str], bool] = staticmethod(lambda region, resource: False)
    _changing = threading.Lock()  # held while an endpoint is made, changed or deleted

    def update_endpoint(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        refuse(params, UPDATE_ENDPOINT)
        name = params["EndpointConfigName"]
        with self._changing:  # two updates at once would both find room for their instances
            found = self._endpoint(params, caller)
            arn = found["EndpointArn"]
            config = self._find(self.endpoint_configs, "endpoint configuration", name, caller)
            retained = params.get("DeploymentConfig") is None and params.get("RetainDeploymentConfig")
            deployment = found.get("LastDeploymentConfig", {}) if retained else params.get("DeploymentConfig", {})
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
        if one["EndpointStatus"] != Status.SYSTEM_UPDATING:  # what keeps dying may be replaced by what does not
            check_in_service(one)
        attempt = one.get("Attempts", 0) + 1
        pending = {
            "EndpointConfigName": config,
            "Variants": [asdict(variant) for variant in variants],
            "Deployment": deployment,
            "Generation": attempt,
            "StartTime": self.now(),
        }
        after = {**self._in_status(one, Status.UPDATING), "Pending": pending, "Attempts": attempt, "FailureReason": ""}
        after.pop("Before", None)  # of a change of capacity that this takes the place of
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

    def _in_status(self, one: Document, status: Status) -> Document:
        """A restart of its processes changes nothing that anybody asked for: it was not modified then."""
        was_up = one["EndpointStatus"] == Status.SYSTEM_UPDATING and status is Status.IN_SERVICE
        is_restart = status is Status.SYSTEM_UPDATING or (was_up and not one.get("Pending"))
        at = one["LastModifiedTime"] if is_restart else self.now()
        return {**one, "EndpointStatus": str(status), "LastModifiedTime": at}

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


def check_in_service(one: Document) -> None:
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
