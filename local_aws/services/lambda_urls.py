"""Function URLs: their settings. What they answer is served by lambda_url_front."""

import secrets
from collections.abc import Mapping
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.lambda_base import LambdaBase, Params
from local_aws.services.lambda_names import LATEST, Named, conflict, invalid, named, of
from local_aws.services.lambda_record import Document, by_qualifier, version_of
from local_aws.services.sagemaker_refusals import Refusal, other_than, refuse

PATH = "/_kennel/function-url"
_REFUSED = (Refusal("InvokeMode", "streamed answers", other_than("BUFFERED")),)
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"


class UrlOperations(LambdaBase):
    """Kept by qualifier ("" for the function itself). address: of this server, under which they are reached."""

    address = ""

    def create_function_url_config(self, params: Params, caller: Caller) -> Params:
        which = _checked(params, caller)
        stamp = self._stamp()
        made = {
            "Id": "".join(secrets.choice(_LETTERS) for _ in range(32)),
            "AuthType": params["AuthType"],
            "Cors": params.get("Cors"),
            "CreationTime": stamp,
            "LastModifiedTime": stamp,
        }

        def change(document: Document) -> Document:
            _check_qualifier(document, which)
            if which.qualifier in document["Urls"]:
                raise conflict(
                    "Failed to create function url config for [functionArn = "
                    f"{which.qualified_arn}]. Error message:  FunctionUrlConfig exists for this Lambda function"
                )
            return {**document, "Urls": {**document["Urls"], which.qualifier: made}}

        self.functions.change(which, change)
        return self._url(which)

    def get_function_url_config(self, params: Params, caller: Caller) -> Params:
        return self._url(of(params, caller))

    def list_function_url_configs(self, params: Params, caller: Caller) -> Params:
        which = named(params["FunctionName"], caller)
        shown, marker = by_qualifier(self.functions.find(which)["Urls"], which, self._url, params)
        return {"FunctionUrlConfigs": shown, "NextMarker": marker}

    def update_function_url_config(self, params: Params, caller: Caller) -> Params:
        which = _checked(params, caller)

        def change(document: Document) -> Document:
            given = {name: params[name] for name in ("AuthType", "Cors") if params.get(name) is not None}
            made = {**_found(document, which), **given, "LastModifiedTime": self._stamp()}
            return {**document, "Urls": {**document["Urls"], which.qualifier: made}}

        self.functions.change(which, change)
        return self._url(which)

    def delete_function_url_config(self, params: Params, caller: Caller) -> Params:
        which = of(params, caller)

        def change(document: Document) -> Document:
            _found(document, which)
            return {**document, "Urls": {key: one for key, one in document["Urls"].items() if key != which.qualifier}}

        self.functions.change(which, change)
        return {}

    def _url(self, which: Named) -> Params:
        found = _found(self.functions.find(which), which)
        told = {name: found[name] for name in ("AuthType", "CreationTime", "LastModifiedTime")}
        cors = {"Cors": found["Cors"]} if found["Cors"] else {}
        address = f"{self.address}{PATH}/{found['Id']}/"
        return {"FunctionUrl": address, "FunctionArn": which.qualified_arn, "InvokeMode": "BUFFERED", **told, **cors}


def _checked(params: Params, caller: Caller) -> Named:
    refuse(params, _REFUSED)
    return of(params, caller)


def _check_qualifier(document: Document, which: Named) -> None:
    """Raises ServiceError for what has no URL: a version."""
    if which.qualifier == LATEST or which.qualifier in document["Versions"]:
        raise invalid("Function URLs are for functions and aliases. A version has none.")
    version_of(document, which)


def _found(document: Document, which: Named) -> Mapping[str, Any]:
    found: Mapping[str, Any] | None = document["Urls"].get(which.qualifier)
    if found is None:
        raise ServiceError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
    return found
