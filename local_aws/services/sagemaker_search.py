"""SageMaker's Search over training jobs and tuning jobs: filters, nested filters, subexpressions, any order, pages."""

from collections.abc import Callable, Mapping
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services import sagemaker_job_record
from local_aws.services.sagemaker_refusals import Refusal, other_than, refuse
from local_aws.services.sagemaker_resources import Document, Resources, last_shown, listing_digest, take
from local_aws.services.sagemaker_search_expression import condition
from local_aws.services.sagemaker_search_property import Record, comparable
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
        resources, described = self._searched(kind)
        wanted = condition(params.get("SearchExpression", {}), kind)
        sort_by = params.get("SortBy", "LastModifiedTime")
        descending = params.get("SortOrder", "Descending") == "Descending"
        digest = listing_digest(kind, caller.region, params)
        after = last_shown(params["NextToken"], digest) if params.get("NextToken") else None
        ours = f":sagemaker:{caller.region}:"
        arn = f"{kind}Arn"
        found: dict[str, Document] = {}
        keys: list[tuple[Any, str]] = []
        read = comparable(kind, sort_by)
        for document in resources.all():
            if ours not in document[arn]:
                continue
            record = Record(document, described)
            if wanted(record):
                found[document[arn]] = document
                keys.append((read(record), document[arn]))
        total = len(keys)
        if after is not None:
            keys = [key for key in keys if (key < after if descending else key > after)]
        keys.sort(reverse=descending)
        shown, more = take(keys, found, params, digest)
        return {
            "Results": [{kind: self._found(document, described)} for document in shown],
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

    @staticmethod
    def _found(document: Document, described: Callable[[Document], Mapping[str, Any]]) -> dict[str, Any]:
        return {**described(document), "Tags": document.get("Tags", [])}
