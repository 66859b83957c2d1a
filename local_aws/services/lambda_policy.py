"""A function's resource policy: who else may invoke it, statement by statement."""

import json
import re
from collections.abc import Mapping
from typing import Any

from dashboard.core.iam.documents import Policy, PolicyError
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.rights import Right
from local_aws.errors import ServiceError
from local_aws.principal import Principal
from local_aws.protocol import Caller
from local_aws.resource_policy import Entry, entry
from local_aws.services.lambda_base import LambdaBase, Params, revision
from local_aws.services.lambda_names import LATEST, Named, conflict, invalid, of
from local_aws.services.lambda_record import Document, check_revision, version_of

LARGEST_POLICY = 20 * 1024
"""Bytes (Lambda quotas, "Function resource-based policy")."""
URL_RIGHTS = ("lambda:InvokeFunctionUrl", "lambda:InvokeFunction")
"""What a request to a function's URL needs."""
_SERVICE = re.compile(r"[a-z0-9.-]+\.amazonaws\.com")
_ARN = re.compile(r"arn:aws:(iam|sts)::\d{12}:\S+")


class PolicyOperations(LambdaBase):
    """Kept by qualifier ("" for the function itself): {"Statements": […], "RevisionId"}."""

    def add_permission(self, params: Params, caller: Caller) -> Params:
        which, sid = of(params, caller), params["StatementId"]
        statement = _statement(params, which)

        def change(document: Document) -> Document:
            _check_qualifier(document, which)
            before = document["Policies"].get(which.qualifier, {"Statements": []})
            if params.get("RevisionId"):
                check_revision({"RevisionId": None, **before}, params["RevisionId"])
            if any(one["Sid"] == sid for one in before["Statements"]):
                raise conflict(
                    f"The statement id ({sid}) provided already exists. Please provide a new statement id, or remove "
                    "the existing statement."
                )
            after = {"Statements": [*before["Statements"], statement], "RevisionId": revision()}
            if len(_text(after)) > LARGEST_POLICY:
                raise ServiceError(
                    "PolicyLengthExceededException", f"The final policy size is bigger than {LARGEST_POLICY}."
                )
            return {**document, "Policies": {**document["Policies"], which.qualifier: after}}

        self.functions.change(which, change)
        return {"Statement": json.dumps(statement)}

    def get_policy(self, params: Params, caller: Caller) -> Params:
        which = of(params, caller)
        document = self.functions.find(which)
        _check_qualifier(document, which)
        found = document["Policies"].get(which.qualifier)
        if found is None:
            raise _no_policy()
        return {"Policy": _text(found), "RevisionId": found["RevisionId"]}

    def remove_permission(self, params: Params, caller: Caller) -> Params:
        which, sid = of(params, caller), params["StatementId"]

        def change(document: Document) -> Document:
            _check_qualifier(document, which)
            found = document["Policies"].get(which.qualifier)
            if found is None:
                raise _no_policy()
            check_revision(found, params.get("RevisionId"))
            kept = [one for one in found["Statements"] if one["Sid"] != sid]
            if len(kept) == len(found["Statements"]):
                raise ServiceError(
                    "ResourceNotFoundException", f"Statement {sid} is not found in resource policy.", 404
                )
            policies = {key: one for key, one in document["Policies"].items() if key != which.qualifier}
            if kept:
                policies[which.qualifier] = {"Statements": kept, "RevisionId": revision()}
            return {**document, "Policies": policies}

        self.functions.change(which, change)
        return {}


def is_public(document: Document, which: Named) -> bool:
    """Whether anybody may use a function's URL without a signature.

    Both rights are needed: lambda:InvokeFunctionUrl, and lambda:InvokeFunction through the URL (Lambda Developer
    Guide, "Control access to Lambda function URLs": so since October 2025).
    """
    found = document["Policies"].get(which.qualifier)
    if found is None:
        return False
    everybody = [
        {name: value for name, value in one.items() if name != "Principal"}
        for one in found["Statements"]
        if one["Principal"] in ("*", {"AWS": "*"})
    ]
    context = {"lambda:FunctionUrlAuthType": "NONE", "lambda:InvokedViaFunctionUrl": "true"}
    if not everybody:
        return False
    try:
        policy = Policy.parse({"Version": "2012-10-17", "Statement": everybody})
        return all(evaluate([policy], action, which.qualified_arn, context).allowed for action in URL_RIGHTS)
    except PolicyError:  # one that cannot be judged opens nothing
        return False


def answer_to(document: Document, which: Named, who: Principal, right: Right) -> Entry:
    """How the function's own policy answers a caller of this account."""
    found = document["Policies"].get(which.qualifier)
    if found is None or not who.is_limited:
        return Entry.NONE
    policy = {"Version": "2012-10-17", "Statement": found["Statements"]}
    return entry(policy, who, right.action, right.resource, right.context)


def _statement(params: Params, which: Named) -> dict[str, Any]:
    conditions: dict[str, dict[str, str]] = {}
    equals = {
        "AWS:SourceAccount": params.get("SourceAccount"),
        "lambda:EventSourceToken": params.get("EventSourceToken"),
        "lambda:FunctionUrlAuthType": params.get("FunctionUrlAuthType"),
        "aws:PrincipalOrgID": params.get("PrincipalOrgID"),
    }
    given = {name: value for name, value in equals.items() if value}
    if given:
        conditions["StringEquals"] = given
    if params.get("SourceArn"):
        conditions["ArnLike"] = {"AWS:SourceArn": params["SourceArn"]}
    if params.get("InvokedViaFunctionUrl") is not None:
        conditions["Bool"] = {"lambda:InvokedViaFunctionUrl": str(params["InvokedViaFunctionUrl"]).lower()}
    if params.get("FunctionUrlAuthType") and params["Action"] != "lambda:InvokeFunctionUrl":
        raise invalid("FunctionUrlAuthType is only supported for lambda:InvokeFunctionUrl action")
    return {
        "Sid": params["StatementId"],
        "Effect": "Allow",
        "Principal": _principal(params["Principal"]),
        "Action": params["Action"],
        "Resource": which.qualified_arn,
        **({"Condition": conditions} if conditions else {}),
    }


def _principal(told: str) -> str | dict[str, str]:
    if told == "*":
        return "*"
    if _SERVICE.fullmatch(told):
        return {"Service": told}
    if re.fullmatch(r"\d{12}", told):
        return {"AWS": f"arn:aws:iam::{told}:root"}
    if _ARN.fullmatch(told):
        return {"AWS": told}
    raise invalid("The provided principal was invalid. Please check the principal and try again.")


def _text(policy: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Id": "default", "Statement": policy["Statements"]})


def _check_qualifier(document: Document, which: Named) -> None:
    if which.qualifier == LATEST:
        raise invalid("We currently do not support adding policies for $LATEST.")
    version_of(document, which)


def _no_policy() -> ServiceError:
    return ServiceError("ResourceNotFoundException", "The resource you requested does not exist.", 404)
