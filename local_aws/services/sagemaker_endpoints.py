"""SageMaker's endpoints: created, described, listed, resized, deleted; their processes are local_aws.engine's."""

from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

from local_aws.engine.endpoint import Endpoint, Status, View
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.sagemaker_base import arn_of, merged
from local_aws.services.sagemaker_endpoint_told import description, endpoint_of, pending_of, summary
from local_aws.services.sagemaker_endpoint_update import EndpointUpdates, check_in_service
from local_aws.services.sagemaker_refusals import ENDPOINT, refuse
from local_aws.services.sagemaker_resources import Document

_REPLACED = ("EndpointConfigName", "Variants", "Generation")


class Endpoints(EndpointUpdates):
    """The other operations on endpoints, and how what happens to them is written down."""

    def create_endpoint(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        arn = arn_of("endpoint", params["EndpointName"], caller)
        refuse(params, ENDPOINT)
        if self.endpoints.get(arn):
            raise _already(arn)
        name = params["EndpointConfigName"]
        config = self._find(self.endpoint_configs, "endpoint configuration", name, caller)
        endpoint = Endpoint(params["EndpointName"], arn, self.variants_of(config, caller))
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
        with self._changing:  # two at once would both find room for their instances
            self._check_room(endpoint.kept)
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
        with self._changing:  # of two at once one deletes, or the second could meet another endpoint of that name
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
        with self._changing:  # two updates at once would both find room for their instances
            variants = [_resized(one, wanted.get(one["name"], {})) for one in found["Variants"]]
            self._check_room(endpoint_of({**found, "Variants": variants}).kept - endpoint_of(found).kept)
            changed = self.endpoints.change(found["EndpointArn"], lambda one: self._updated(one, wanted))
            if changed is not None:
                self.fleet.update(endpoint_of(changed), changed["Attempts"])
        return {"EndpointArn": found["EndpointArn"]}

    def _updated(self, one: Document, wanted: Mapping[str, Mapping[str, Any]]) -> Document:
        check_in_service(one)
        variants = [_resized(variant, wanted.get(variant["name"], {})) for variant in one["Variants"]]
        if not any(variant["weight"] for variant in variants):
            raise ServiceError("ValidationException", "At least one variant needs a DesiredWeight above 0.")
        after = {"Variants": variants, "Before": one["Variants"], "Attempts": one.get("Attempts", 0) + 1}
        return {**self._in_status(one, Status.UPDATING), **after, "FailureReason": ""}

    def resume_endpoints(self) -> None:
        """After a start of the server: endpoints come up again in the background; what was being deleted is deleted."""
        everything = [self._without_what_was_taken_back(one) for one in self.endpoints.all()]
        left = [one for one in everything if one["EndpointStatus"] != Status.DELETING]
        known = [endpoint_of(one) for one in left] + [pending_of(one) for one in left]
        self.fleet.sweep([one for one in known if one])
        for found in everything:
            arn, status = found["EndpointArn"], found["EndpointStatus"]
            if status == Status.DELETING:
                self.fleet.delete(endpoint_of(found), partial(self.endpoints.remove, arn))
            elif status != Status.FAILED:
                if found["WasInService"]:
                    self.endpoints.change(arn, lambda one: self._in_status(one, Status.SYSTEM_UPDATING))
                attempt = found.get("Attempts", 0) - bool(found.get("Pending"))  # which it is told of only now
                self.fleet.create(endpoint_of(found), was_in_service=found["WasInService"], attempt=attempt)
                self._deploy(found)

    def _without_what_was_taken_back(self, found: Document) -> Document:
        """An update that was being rolled back when the server ended is over: what it replaced is started whole."""
        if found["EndpointStatus"] != Status.ROLLING_BACK:
            return found
        changed = self.endpoints.change(found["EndpointArn"], lambda one: _without(one, "Pending"))
        return changed or found

    def endpoint_changed(self, arn: str, view: View) -> None:
        """Write down how an endpoint is now. Called by the fleet."""

        def change(one: Document) -> Document:
            pending = one.get("Pending")
            if one["EndpointStatus"] == Status.DELETING or view.attempt < one.get("Attempts", 0):
                return one  # what is told is older than what was asked for since
            after: Document = one
            if pending and view.pending is None and not view.failure:
                after = _without(one, "Pending")
                if view.generation == pending["Generation"]:
                    after = {**after, **{name: pending[name] for name in _REPLACED}}
            elif "Before" in one and view.status is Status.IN_SERVICE:
                after = _without(one, "Before")
                after = {**after, "Variants": one["Before"]} if view.refused else after
            if after is one and one["EndpointStatus"] == view.status:
                return one
            after = {**self._in_status(after, view.status)}
            why = view.failure or view.refused
            after |= {"FailureReason": why} if why else {}
            return after | ({"WasInService": True} if view.status is Status.IN_SERVICE else {})

        self.endpoints.change(arn, change)


def _without(document: Document, member: str) -> Document:
    return {name: value for name, value in document.items() if name != member}


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
