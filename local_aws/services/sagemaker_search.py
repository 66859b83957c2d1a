"""SageMaker's Search over training jobs and tuning jobs: filters, nested filters, subexpressions, any order, pages."""

import json
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any

from botocore.model import OperationModel
from starlette.requests import Request
from starlette.responses import Response

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import sagemaker_job_record
from local_aws.services.sagemaker_refusals import Refusal, other_than, refuse
from local_aws.services.sagemaker_resources import Document, Resources, last_shown, listing_digest, take
from local_aws.services.sagemaker_search_expression import condition, creation_window
from local_aws.services.sagemaker_search_property import Described, comparable, members_of
from local_aws.services.sagemaker_tuning import Tunings

_SEARCH = (
    Refusal("CrossAccountFilterOption", "searches across accounts", other_than("SameAccount")),
    Refusal("VisibilityConditions", "visibility conditions"),
)


class Search(Tunings):
    """The operation Search."""

    def search(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        refuse(params, _SEARCH)
        kind = params["Resource"]
        resources, describe = self._searched(kind)
        described = Described(describe)
        wanted = condition(params.get("SearchExpression", {}), kind, described)
        sort_by = params.get("SortBy", "LastModifiedTime")
        descending = params.get("SortOrder", "Descending") == "Descending"
        digest = listing_digest(kind, caller.region, params)
        after = last_shown(params["NextToken"], digest) if params.get("NextToken") else None
        ours = f":sagemaker:{caller.region}:"
        arn = f"{kind}Arn"
        found: dict[str, Document] = {}
        keys: list[tuple[Any, str]] = []
        read = comparable(kind, sort_by, described)
        low, high = creation_window(params.get("SearchExpression", {}))
        for document in resources.between("CreationTime", low, high):
            name = document[arn]
            if ours in name and wanted(document):
                found[name] = document
                keys.append((read(document), name))
        total = len(keys)
        if after is not None:
            keys = [key for key in keys if (key < after if descending else key > after)]
        keys.sort(reverse=descending)
        shown, more = take(keys, found, params, digest)
        members = members_of(kind)
        return {
            "Results": [{kind: _whole(document, described, members)} for document in shown],
            "TotalHits": {"Value": total, "Relation": "EqualTo"},
            **more,
        }

    def _searched(self, kind: str) -> tuple[Resources, Callable[[Document], Mapping[str, Any]]]:
        match kind:
            case "TrainingJob":
                return self.training_jobs, sagemaker_job_record.description
            case "HyperParameterTuningJob":
                return self.tuning_jobs, self.tuning_description
            case _:
                raise ServiceError(
                    "ValidationException",
                    f"The embedded AWS searches TrainingJob and HyperParameterTuningJob, not {kind}.",
                )

    def respond(self, request: Request, operation: OperationModel, result: Mapping[str, Any]) -> Response:
        """A page of a hundred jobs, written ten times as fast as by the general serializer.

        Nothing in it has another name in JSON than here, and times are epoch seconds.
        """
        if operation.name != "Search":
            return super().respond(request, operation, result)
        headers = {"x-amzn-RequestId": request.scope.get("aws_request_id", "")}
        body = json.dumps(result, default=datetime.timestamp).encode()
        return Response(body, headers=headers, media_type="application/x-amz-json-1.1")


def _whole(
    document: Document, described: Callable[[Document], Mapping[str, Any]], members: Collection[str]
) -> dict[str, Any]:
    """The resource as Search tells it: its description, as far as it goes there, and its tags."""
    told = {name: value for name, value in described(document).items() if name in members}
    return {**told, "Tags": document.get("Tags", [])}
