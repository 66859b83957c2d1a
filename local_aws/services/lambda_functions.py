"""Functions: made, read, listed, changed, deleted, tagged; versions published from them.

A function is Active as soon as it is there: a package is on disk before the request is answered, and nothing else has
to be made ready. An environment that runs it starts with the first request, as in AWS.
"""

import json
from collections.abc import Mapping
from typing import Any

from local_aws.protocol import Caller
from local_aws.services import lambda_refusals
from local_aws.services.lambda_base import LambdaBase, Params, revision
from local_aws.services.lambda_code import Code
from local_aws.services.lambda_names import LATEST, Named, conflict, invalid, named, not_found, of
from local_aws.services.lambda_record import Document, check_revision, new, page, told

PRINCIPAL = "lambda.amazonaws.com"
MOST_TAGS = 50
DEFAULT_TIMEOUT = 3  # seconds
_UNLISTED = ("State", "LastUpdateStatus")
_KEPT = ("Role", "Handler", "Description", "Timeout", "MemorySize", "Runtime", "EphemeralStorage")
_SINCE_VERSION = ("Version", "FunctionArn", "LastModified", "RevisionId", "Description")


class FunctionOperations(LambdaBase):
    """The operations on functions and their versions."""

    def create_function(self, params: Params, caller: Caller) -> Params:
        which = named(params["FunctionName"], caller)
        if which.qualifier:
            raise invalid("A function is made under a name without a version or an alias.")
        lambda_refusals.check(params)
        if not params.get("Runtime") or not params.get("Handler"):
            raise invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        self._check_role(params["Role"], which)
        _check_tags(params.get("Tags") or {})
        network = self._network(params.get("VpcConfig"), caller)
        with self.functions.holding():
            code = self.code.keep(params["Code"])
            made = {
                "FunctionName": which.name,
                "FunctionArn": which.arn,
                "Runtime": params["Runtime"],
                "Role": params["Role"],
                "Handler": params["Handler"],
                "Description": params.get("Description") or "",
                "Timeout": params.get("Timeout") or DEFAULT_TIMEOUT,
                "MemorySize": params.get("MemorySize") or lambda_refusals.LEAST_MEMORY,
                "TracingConfig": {"Mode": "PassThrough"},
                "PackageType": "Zip",
                "Architectures": params.get("Architectures") or ["x86_64"],
                "EphemeralStorage": {"Size": lambda_refusals.EPHEMERAL},
                "SnapStart": {"ApplyOn": "None", "OptimizationStatus": "Off"},
                "LoggingConfig": _logging(params.get("LoggingConfig"), which),
                **_variables(params.get("Environment")),
                **network,
                **self._coded(code),
            }
            kept = {name: value for name, value in made.items() if value is not None}
            self.functions.add(which, new(which, kept, params.get("Tags") or {}))
        if params.get("Publish"):
            return self._publish(which, "")
        return told(self.functions.find(which), which)

    def get_function(self, params: Params, caller: Caller) -> Params:
        which = of(params, caller)
        document = self.functions.find(which)
        configuration = told(document, which)
        answer: Params = {
            "Configuration": configuration,
            "Code": {"RepositoryType": "S3", "Location": self.links.link(configuration["CodeSha256"])},
            "Tags": dict(document["Tags"]),
        }
        if document["Reserved"] is not None:
            answer["Concurrency"] = {"ReservedConcurrentExecutions": document["Reserved"]}
        return answer

    def get_function_configuration(self, params: Params, caller: Caller) -> Params:
        which = of(params, caller)
        return told(self.functions.find(which), which)

    def list_functions(self, params: Params, caller: Caller) -> Params:
        found: list[Params] = []
        for document in self.functions.of_region(caller.region):
            found.append(_listed(document["Latest"]))
            if params.get("FunctionVersion") == "ALL":
                found[-1] = {**found[-1], "FunctionArn": f"{found[-1]['FunctionArn']}:{LATEST}"}
                found += [_listed(one) for one in document["Versions"].values()]
        found.sort(key=lambda one: str(one["FunctionArn"]))
        shown, marker = page(found, params, "FunctionArn")
        return {"Functions": shown, "NextMarker": marker}

    def update_function_code(self, params: Params, caller: Caller) -> Params:
        which = self._unpublished(params, caller)
        lambda_refusals.check(params)
        with self.functions.holding():
            check_revision(self.functions.find(which)["Latest"], params.get("RevisionId"))
            code = self.code.keep(params)
            changes = self._coded(code)
            if params.get("Architectures"):
                changes["Architectures"] = params["Architectures"]
            if params.get("DryRun"):
                return {**self.functions.find(which)["Latest"], **changes}
            self._change_latest(which, changes)
        if params.get("Publish"):
            return self._publish(which, "")
        return told(self.functions.find(which), which)

    def update_function_configuration(self, params: Params, caller: Caller) -> Params:
        which = self._unpublished(params, caller)
        lambda_refusals.check(params)
        if params.get("Role"):
            self._check_role(params["Role"], which)
        changes: Params = {name: params[name] for name in _KEPT if params.get(name) is not None}
        changes |= _variables(params.get("Environment"))
        if params.get("VpcConfig") is not None:
            changes |= self._network(params["VpcConfig"], caller) or {"VpcConfig": None}
        if params.get("LoggingConfig"):
            changes["LoggingConfig"] = _logging(params["LoggingConfig"], which)
        with self.functions.holding():
            check_revision(self.functions.find(which)["Latest"], params.get("RevisionId"))
            self._change_latest(which, {**changes, **self._changed()})
        return told(self.functions.find(which), which)

    def delete_function(self, params: Params, caller: Caller) -> Params:
        which = of(params, caller)
        if which.qualifier:
            self._delete_version(which)
        else:
            self.functions.remove(which)
        with self.functions.holding():
            self.code.keep_only(packages(self.functions.all()))
        return {"StatusCode": 204}

    # versions

    def publish_version(self, params: Params, caller: Caller) -> Params:
        which = self._unpublished(params, caller)
        with self.functions.holding():
            latest = self.functions.find(which)["Latest"]
            check_revision(latest, params.get("RevisionId"))
            asked = params.get("CodeSha256")
            if asked and asked != latest["CodeSha256"]:
                raise invalid(
                    f"CodeSHA256 ({asked}) is different from current CodeSHA256 in $LATEST ({latest['CodeSha256']})."
                )
            return self._publish(which, params.get("Description") or "")

    def list_versions_by_function(self, params: Params, caller: Caller) -> Params:
        which = of(params, caller)
        document = self.functions.find(which)
        latest = {**document["Latest"], "FunctionArn": f"{which.arn}:{LATEST}"}
        numbered = sorted(document["Versions"].values(), key=lambda one: int(one["Version"]))
        found = [{**_listed(one), "order": f"{number:09d}"} for number, one in enumerate([latest, *numbered])]
        shown, marker = page(found, params, "order")
        return {"Versions": [_without(one, "order") for one in shown], "NextMarker": marker}

    # tags

    def list_tags(self, params: Params, caller: Caller) -> Params:
        return {"Tags": dict(self.functions.find(_tagged(params, caller))["Tags"])}

    def tag_resource(self, params: Params, caller: Caller) -> Params:
        def change(document: Document) -> Document:
            tags = {**document["Tags"], **params["Tags"]}
            _check_tags(tags)
            return {**document, "Tags": tags}

        self.functions.change(_tagged(params, caller), change)
        return {}

    def untag_resource(self, params: Params, caller: Caller) -> Params:
        def change(document: Document) -> Document:
            kept = {key: value for key, value in document["Tags"].items() if key not in params["TagKeys"]}
            return {**document, "Tags": kept}

        self.functions.change(_tagged(params, caller), change)
        return {}

    # within

    def _coded(self, code: Code) -> Params:
        return {"CodeSha256": code.sha256, "CodeSize": code.size, **self._changed()}

    def _changed(self) -> Params:
        return {
            "Version": LATEST,
            "LastModified": self._stamp(),
            "RevisionId": revision(),
            "State": "Active",
            "LastUpdateStatus": "Successful",
        }

    def _change_latest(self, which: Named, changes: Mapping[str, Any]) -> None:
        def change(document: Document) -> Document:
            latest = {**document["Latest"], **changes}
            return {**document, "Latest": {name: value for name, value in latest.items() if value is not None}}

        self.functions.change(which, change)

    def _publish(self, which: Named, description: str) -> Params:
        """The next version of what $LATEST is; the one before when nothing has changed since."""
        number = ""

        def change(document: Document) -> Document:
            nonlocal number
            last = document["Versions"].get(str(document["Next"] - 1))
            latest = document["Latest"]
            if last is not None and _same(last, latest):
                number = last["Version"]
                return document
            number = str(document["Next"])
            made = {
                **latest,
                "Version": number,
                "FunctionArn": f"{which.arn}:{number}",
                "RevisionId": revision(),
                "LastModified": self._stamp(),
            }
            if description:
                made["Description"] = description
            return {**document, "Versions": {**document["Versions"], number: made}, "Next": document["Next"] + 1}

        after = self.functions.change(which, change)
        return dict(after["Versions"][number])

    def _delete_version(self, which: Named) -> None:
        def change(document: Document) -> Document:
            version = which.qualifier
            if version == LATEST:
                raise invalid("$LATEST version cannot be deleted without deleting the function.")
            if version not in document["Versions"]:
                raise not_found(which.qualified_arn)
            users = [one["Name"] for one in document["Aliases"].values() if version in versions_of(one)]
            if users:
                raise conflict(
                    f"Unable to delete version because the following aliases reference it: [{', '.join(users)}]"
                )
            gone = {
                kind: _without(document[kind], version) for kind in ("Versions", "Provisioned", "Policies", "Events")
            }
            return {**document, **gone}

        self.functions.change(which, change)

    def _unpublished(self, params: Params, caller: Caller) -> Named:
        """Raises ServiceError when a version or alias is named: they do not change."""
        which = named(params["FunctionName"], caller)
        if which.qualifier not in ("", LATEST):
            raise invalid(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support it."
            )
        return Named(which.region, which.account, which.name)

    def _check_role(self, role: str, which: Named) -> None:
        if not self._facts.role_exists(role, PRINCIPAL, which.arn):
            raise invalid("The role defined for the function cannot be assumed by Lambda.")

    def _network(self, told: Params | None, caller: Caller) -> Params:
        subnets, groups = (list((told or {}).get(name) or ()) for name in ("SubnetIds", "SecurityGroupIds"))
        if not subnets and not groups:
            return {}
        if not subnets or not groups:
            raise invalid("SubnetIds and SecurityIds must coexist or be both empty list.")
        missing = self._facts.missing_network(caller.region, subnets, groups)
        if missing:
            raise invalid(f"Error occurred while describing the VPC of the function. {missing}.")
        vpc = self._facts.vpc_of(caller.region, subnets[0])
        return {"VpcConfig": {"SubnetIds": subnets, "SecurityGroupIds": groups, "VpcId": vpc}}


def versions_of(alias: Mapping[str, Any]) -> set[str]:
    """Every version that an alias sends requests to."""
    return {str(alias["FunctionVersion"]), *(alias.get("Weights") or {})}


def _same(version: Mapping[str, Any], latest: Mapping[str, Any]) -> bool:
    """Whether publishing would make a version like the last one."""

    def compared(one: Mapping[str, Any]) -> str:
        return json.dumps({name: value for name, value in one.items() if name not in _SINCE_VERSION}, sort_keys=True)

    return compared(version) == compared(latest)


def _listed(configuration: Mapping[str, Any]) -> Params:
    return {name: value for name, value in configuration.items() if name not in _UNLISTED}


def _without(items: Mapping[str, Any], gone: str) -> Params:
    return {name: value for name, value in items.items() if name != gone}


def _variables(told: Mapping[str, Any] | None) -> Params:
    """An empty map takes the variables away, as in AWS."""
    if told is None:
        return {}
    return {"Environment": {"Variables": dict(told["Variables"])} if told.get("Variables") else None}


def _logging(told: Mapping[str, Any] | None, which: Named) -> Params:
    return {"LogFormat": "Text", "LogGroup": (told or {}).get("LogGroup") or f"/aws/lambda/{which.name}"}


def _tagged(params: Params, caller: Caller) -> Named:
    which = named(params["Resource"], caller)
    if which.qualifier:
        raise invalid("Tags on function aliases and versions are not supported. Please specify either a function ARN.")
    return which


def _check_tags(tags: Mapping[str, str]) -> None:
    if len(tags) > MOST_TAGS:
        raise invalid(f"A function can have {MOST_TAGS} tags, not {len(tags)}.")
    if any(key.lower().startswith("aws:") for key in tags):
        raise invalid("Tag keys that begin with aws: are AWS's own.")


def packages(documents: list[Document]) -> set[str]:
    """The hashes of every package that a function or version still has."""
    return {
        str(one["CodeSha256"]) for document in documents for one in (document["Latest"], *document["Versions"].values())
    }
