"""Aliases: names for versions, with a second version that gets a share of the requests."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.protocol import Caller
from local_aws.services import lambda_provisioned
from local_aws.services.lambda_base import LambdaBase, Params, revision
from local_aws.services.lambda_functions import versions_of
from local_aws.services.lambda_names import LATEST, Named, conflict, invalid, named, not_found
from local_aws.services.lambda_record import Document, check_revision, page


class AliasOperations(LambdaBase):
    """An alias is kept as Name, FunctionVersion, Description, RevisionId and Weights (by the second version)."""

    def create_alias(self, params: Params, caller: Caller) -> Params:
        which = named(params["FunctionName"], caller)
        name = params["Name"]

        def change(document: Document) -> Document:
            if name in document["Aliases"]:
                raise conflict(f"Alias already exists: {which.arn}:{name}")
            made = {
                "Name": name,
                "FunctionVersion": params["FunctionVersion"],
                "Description": params.get("Description") or "",
                "Weights": _weights(params.get("RoutingConfig")),
                "RevisionId": revision(),
            }
            _check(document, made, which)
            return {**document, "Aliases": {**document["Aliases"], name: made}}

        return _told(self.functions.change(which, change), which, name)

    def get_alias(self, params: Params, caller: Caller) -> Params:
        which = named(params["FunctionName"], caller)
        return _told(self.functions.find(which), which, params["Name"])

    def list_aliases(self, params: Params, caller: Caller) -> Params:
        which = named(params["FunctionName"], caller)
        document, version = self.functions.find(which), params.get("FunctionVersion")
        found = [
            _told(document, which, name)
            for name, alias in sorted(document["Aliases"].items())
            if version is None or version in versions_of(alias)
        ]
        shown, marker = page(found, params, "Name")
        return {"Aliases": shown, "NextMarker": marker}

    def update_alias(self, params: Params, caller: Caller) -> Params:
        which = named(params["FunctionName"], caller)

        def change(alias: Mapping[str, Any], document: Document) -> Mapping[str, Any]:
            check_revision(alias, params.get("RevisionId"))
            given = {name: params[name] for name in ("FunctionVersion", "Description") if params.get(name) is not None}
            if params.get("RoutingConfig") is not None:
                given["Weights"] = _weights(params["RoutingConfig"])
            made = {**alias, **given, "RevisionId": revision()}
            _check(document, made, which)
            lambda_provisioned.check_moved(document, which.at(params["Name"]), made)
            return made

        return _told(self._change_alias(which, params["Name"], change), which, params["Name"])

    def delete_alias(self, params: Params, caller: Caller) -> Params:
        which, name = named(params["FunctionName"], caller), params["Name"]

        def change(document: Document) -> Document:
            kinds = ("Aliases", "Provisioned", "Policies", "Urls", "Events")
            gone = {kind: {key: one for key, one in document[kind].items() if key != name} for kind in kinds}
            return {**document, **gone}

        self.functions.change(which, change)
        return {}

    def _change_alias(
        self, which: Named, name: str, change: Callable[[Mapping[str, Any], Document], Mapping[str, Any]]
    ) -> Document:
        def changed(document: Document) -> Document:
            if name not in document["Aliases"]:
                raise not_found(f"{which.arn}:{name}")
            return {**document, "Aliases": {**document["Aliases"], name: change(document["Aliases"][name], document)}}

        return self.functions.change(which, changed)


def _weights(routing: Mapping[str, Any] | None) -> dict[str, float]:
    return dict((routing or {}).get("AdditionalVersionWeights") or {})


def _check(document: Document, alias: Mapping[str, Any], which: Named) -> None:
    """Raises ServiceError for an alias of versions that are not there, or with weights that are none."""
    weights = alias["Weights"]
    for version in versions_of(alias):
        if version != LATEST and version not in document["Versions"]:
            raise not_found(f"{which.arn}:{version}")
    if not weights:
        return
    if len(weights) > 1:
        raise invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
    if LATEST in versions_of(alias):
        raise invalid(f"$LATEST is not supported for an alias pointing to more than 1 version: {alias['Name']}")
    if alias["FunctionVersion"] in weights:
        raise invalid(f"Invalid function version {alias['FunctionVersion']}. Function version is already in use.")
    if not all(0.0 <= weight <= 1.0 for weight in weights.values()):
        raise invalid("AdditionalVersionWeights must be between 0 and 1")


def _told(document: Document, which: Named, name: str) -> Params:
    """Raises ServiceError ResourceNotFoundException."""
    alias = document["Aliases"].get(name)
    if alias is None:
        raise not_found(f"{which.arn}:{name}")
    told = {key: alias[key] for key in ("Name", "FunctionVersion", "Description", "RevisionId")}
    routing = {"RoutingConfig": {"AdditionalVersionWeights": dict(alias["Weights"])}} if alias["Weights"] else {}
    return {"AliasArn": f"{which.arn}:{name}", **told, **routing}
