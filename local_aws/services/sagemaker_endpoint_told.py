"""Endpoints as they are stored, and as DescribeEndpoint and ListEndpoints tell them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from local_aws.engine.endpoint import Endpoint, ModelFiles, Pending, Phase, Serverless, Variant, VariantView, View
from local_aws.engine.objects import Location
from local_aws.services.sagemaker_resources import Document, moment


def endpoint_of(document: Document) -> Endpoint:
    """What a stored endpoint runs."""
    variants = tuple(map(_stored, document["Variants"]))
    return Endpoint(document["EndpointName"], document["EndpointArn"], variants, document.get("Generation", 0))


def pending_of(document: Document) -> Endpoint | None:
    """What is to replace that, None where nothing is."""
    pending = document.get("Pending")
    if not pending:
        return None
    variants = tuple(map(_stored, pending["Variants"]))
    return Endpoint(document["EndpointName"], document["EndpointArn"], variants, pending["Generation"])


def _stored(kept: Mapping[str, Any]) -> Variant:
    model, serverless = kept["model"], kept.get("serverless")
    files = ModelFiles(Location(**model["source"]), model["packed"]) if model else None
    return Variant(**{**kept, "model": files, "serverless": Serverless(**serverless) if serverless else None})


def summary(document: Document) -> dict[str, Any]:
    """The endpoint in ListEndpoints."""
    return {
        **{name: document[name] for name in ("EndpointName", "EndpointArn", "EndpointStatus")},
        **{name: moment(document[name]) for name in ("CreationTime", "LastModifiedTime")},
    }


def description(document: Document, view: View | None) -> dict[str, Any]:
    """The endpoint in DescribeEndpoint. view: how it is at this moment, None when nothing of it runs."""
    told = summary(document) | {"EndpointConfigName": document["EndpointConfigName"]}
    for member in ("FailureReason", "LastDeploymentConfig"):
        if document.get(member):
            told[member] = document[member]
    views = {one.name: one for one in view.variants} if view else {}
    told["ProductionVariants"] = [
        _variant(one, views.get(one["name"]), document)
        for one in document["Variants"]
        if document["WasInService"] or views
    ]
    if document.get("Pending"):
        told["PendingDeploymentSummary"] = _pending(document["Pending"], view.pending if view else None)
    return told


def _variant(kept: Mapping[str, Any], view: VariantView | None, document: Document) -> dict[str, Any]:
    """A production variant, with how many of its processes answer at this moment."""
    told = _about(kept, view, moment(document["CreationTime"]))
    if view and view.running < view.desired:  # one that is being taken away is counted no more
        status = "Updating" if document["WasInService"] else "Creating"
        message = view.message or f"{view.running} of {view.desired} serving processes answer /ping"
        told["VariantStatus"] = [_status(status, message, moment(document["LastModifiedTime"]))]
    return told


def _pending(kept: Mapping[str, Any], view: Pending | None) -> dict[str, Any]:
    """PendingDeploymentSummary. view: None when the server has just been started again, or the update just came."""
    views = {one.name: one for one in view.variants} if view else {}
    begun = moment(kept["StartTime"])
    phase = view.phase if view else Phase.CREATING
    since = moment(view.since) if view and view.since else begun
    share = f"{100 * view.share if view else 0:.0f} percent of the requests go to it"
    variants = []
    for one in kept["Variants"]:
        now = views.get(one["name"])
        told = _about(one, now, begun)
        told["VariantStatus"] = [_status(phase, (now.message if now else "") or share, since)]
        if one["instance_type"]:
            told["InstanceType"] = one["instance_type"]
        variants.append(told)
    return {"EndpointConfigName": kept["EndpointConfigName"], "StartTime": begun, "ProductionVariants": variants}


def _about(kept: Mapping[str, Any], view: VariantView | None, made: datetime) -> dict[str, Any]:
    image, serverless = kept["image"], kept.get("serverless")
    told: dict[str, Any] = {
        "VariantName": kept["name"],
        "DeployedImages": [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": made}],
        "CurrentWeight": kept["weight"],
        "DesiredWeight": kept["weight"],
    }
    if kept.get("routing"):
        told["RoutingConfig"] = {"RoutingStrategy": kept["routing"]}
    if not serverless:
        counts = {"CurrentInstanceCount": view.running if view else 0, "DesiredInstanceCount": kept["count"]}
        return told | counts
    wanted = {"MemorySizeInMB": serverless["memory"], "MaxConcurrency": serverless["most"]}
    now = dict(wanted)
    if serverless["provisioned"]:
        wanted["ProvisionedConcurrency"] = serverless["provisioned"]
        if view and view.running:
            now["ProvisionedConcurrency"] = min(view.running, serverless["provisioned"])
    return told | {"CurrentServerlessConfig": now, "DesiredServerlessConfig": wanted}


def _status(status: str, message: str, since: datetime) -> dict[str, Any]:
    return {"Status": str(status), "StatusMessage": message[:1024], "StartTime": since}
