"""SageMaker's model registry: groups of model packages, their versions, and whether one may be deployed.

Rules from the API reference of CreateModelPackage: versions are counted from 1 and never used twice; one that nobody
has decided about is PendingManualApproval; a versioned package has its group's tags and none of its own; it has to be
Approved to be deployed.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from local_aws.engine.errors import EngineError
from local_aws.engine.objects import Location, Objects
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.sagemaker_base import SageMakerBase, arn_of, merged
from local_aws.services.sagemaker_refusals import Refusal, other_than, refuse
from local_aws.services.sagemaker_resources import (
    Document,
    Resources,
    epoch,
    last_shown,
    listing_digest,
    moment,
    take,
)

APPROVED, PENDING = "Approved", "PendingManualApproval"
NOT_KEPT = ("Tags", "ClientToken")

_SPECIFICATION = (
    Refusal("InferenceSpecification.Containers", "packages of several containers", lambda found: len(found) > 1),
    Refusal("InferenceSpecification.Containers[].ModelDataSource", "model data that is not one archive"),
    Refusal("InferenceSpecification.Containers[].AdditionalModelDataSources", "additional model data"),
    Refusal("InferenceSpecification.Containers[].AdditionalS3DataSource", "additional model data"),
    Refusal("InferenceSpecification.Containers[].ModelDataETag", "a check of the archive's ETag"),
    Refusal("InferenceSpecification.Containers[].ProductId", "products of the marketplace"),
    Refusal("InferenceSpecification.Containers[].BaseModel", "hub content"),
)
CREATE = (
    *_SPECIFICATION,
    Refusal("ValidationSpecification", "validation by batch transform"),
    Refusal("SourceAlgorithmSpecification", "algorithm resources"),
    Refusal("CertifyForMarketplace", "the marketplace"),
    Refusal("AdditionalInferenceSpecifications", "additional inference specifications"),
    Refusal("SkipModelValidation", "model validation", other_than("All", "None")),
    Refusal("SecurityConfig", "encryption with a KMS key"),
    Refusal("ManagedStorageType", "managed storage"),
)
UPDATE = (
    *_SPECIFICATION,
    Refusal("AdditionalInferenceSpecificationsToAdd", "additional inference specifications"),
)
GROUP = (Refusal("ManagedConfiguration", "managed groups"),)


class ModelRegistry(SageMakerBase):
    """The operations on groups and model packages. The class that completes it sets `objects` and `now`."""

    objects: Objects
    now: Callable[[], float] = staticmethod(time.time)

    def create_model_package_group(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        refuse(params, GROUP)
        name = params["ModelPackageGroupName"]
        arn = arn_of(self.model_package_groups.kind, name, caller)
        document = {
            "ModelPackageGroupName": name,
            "ModelPackageGroupArn": arn,
            "ModelPackageGroupDescription": params.get("ModelPackageGroupDescription"),
            "ModelPackageGroupStatus": "Completed",
            "CreationTime": self.now(),
            "CreatedBy": _by(caller),
            "Tags": merged((), params.get("Tags", ())),
            "LastVersion": 0,
        }
        if not self.model_package_groups.add(arn, document):
            raise _wrong(f"Model Package Group already exists: {arn}")
        return {"ModelPackageGroupArn": arn}

    def describe_model_package_group(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return _told(self._group(params["ModelPackageGroupName"], caller))

    def list_model_package_groups(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        refuse(params, (Refusal("CrossAccountFilterOption", "groups of other accounts", other_than("SameAccount")),))
        found, more = _page(self.model_package_groups, params, caller, lambda one: True)
        return {"ModelPackageGroupSummaryList": [_told(one) for one in found], **more}

    def delete_model_package_group(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        arn = self._group(params["ModelPackageGroupName"], caller)["ModelPackageGroupArn"]
        with self._registering:
            if any(one.get("GroupArn") == arn for one in self.model_packages.all()):
                raise ServiceError(
                    "ConflictException",
                    f"Model Package Group {arn} still has model packages. Delete them before the group.",
                )
            self.model_package_groups.remove(arn)
        return {}

    def create_model_package(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        refuse(params, CREATE)
        name, group_name = params.get("ModelPackageName"), params.get("ModelPackageGroupName")
        if bool(name) == bool(group_name):
            raise _wrong("A model package needs either a ModelPackageName or a ModelPackageGroupName.")
        if not params.get("InferenceSpecification"):
            raise _wrong("A model package needs an InferenceSpecification.")
        self._check_specification(params["InferenceSpecification"], caller)
        with self._registering:
            if group_name:
                return {"ModelPackageArn": self._add_version(self._group(group_name, caller), params, caller)}
            arn = arn_of(self.model_packages.kind, str(name), caller)
            document = self._package(params, caller) | {"ModelPackageName": name, "ModelPackageArn": arn}
            if not self.model_packages.add(arn, document):
                raise _wrong(f"Model Package already exists: {arn}")
            return {"ModelPackageArn": arn}

    def describe_model_package(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        return _package(self.package(params["ModelPackageName"], caller))

    def batch_describe_model_package(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        found, missing = {}, {}
        for arn in params["ModelPackageArnList"]:
            one = self.model_packages.get(arn)
            if one is None:
                missing[arn] = {"ErrorCode": "ValidationException", "ErrorResponse": _missing(arn)}
            else:
                found[arn] = _package(one)
        return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": missing}

    def list_model_packages(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        group = params.get("ModelPackageGroupName")
        arn = self._group(group, caller)["ModelPackageGroupArn"] if group else None
        # without a group, versioned packages are told only to who asks for them
        kind = params.get("ModelPackageType", "Versioned" if group else "Unversioned")

        def wanted(one: Document) -> bool:
            return (
                (arn is None or one.get("GroupArn") == arn)
                and kind in ("Both", "Versioned" if one.get("GroupArn") else "Unversioned")
                and params.get("ModelApprovalStatus") in (None, one.get("ModelApprovalStatus"))
            )

        found, more = _page(self.model_packages, params, caller, wanted)
        return {"ModelPackageSummaryList": [_package(one) for one in found], **more}

    def update_model_package(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        refuse(params, UPDATE)
        arn = params["ModelPackageArn"]
        before = self.package(arn, caller)
        if "ModelApprovalStatus" in params and not before.get("GroupArn"):
            raise _wrong("The approval status can be set of versioned model packages only.")
        if params.get("InferenceSpecification"):
            self._check_specification(params["InferenceSpecification"], caller)
        told = {
            name: value
            for name, value in params.items()
            if name not in ("ModelPackageArn", "ClientToken", "CustomerMetadataPropertiesToRemove")
        }

        def change(document: Document) -> Document:
            marks = {**document.get("CustomerMetadataProperties", {}), **told.get("CustomerMetadataProperties", {})}
            for gone in params.get("CustomerMetadataPropertiesToRemove", ()):
                marks.pop(gone, None)
            return {
                **document,
                **told,
                "CustomerMetadataProperties": marks,
                "LastModifiedTime": self.now(),
                "LastModifiedBy": _by(caller),
            }

        self.model_packages.change(arn, change)
        return {"ModelPackageArn": arn}

    def delete_model_package(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        self.model_packages.remove(self.package(params["ModelPackageName"], caller)["ModelPackageArn"])
        return {}

    def container_of(self, name: str, caller: Caller) -> Mapping[str, Any]:
        """The container of a model package by its ARN or "name/version". Raises ServiceError when it is not approved.

        "For versioned models, the value of this parameter must be set to Approved to deploy the model."
        """
        found = self.package(name, caller)
        if found.get("GroupArn") and found.get("ModelApprovalStatus") != APPROVED:
            raise _wrong(
                f"The model package {found['ModelPackageArn']} is {found.get('ModelApprovalStatus')}: only an "
                "Approved version can be deployed."
            )
        container: Mapping[str, Any] = found["InferenceSpecification"]["Containers"][0]
        return container

    def package(self, name: str, caller: Caller) -> Document:
        """A model package by its ARN or name. Raises ServiceError when there is none."""
        arn = name if name.startswith("arn:") else arn_of(self.model_packages.kind, name, caller)
        found = self.model_packages.get(arn)
        if found is None:
            raise _wrong(_missing(arn))
        return found

    def _group(self, name: str, caller: Caller) -> Document:
        arn = name if name.startswith("arn:") else arn_of(self.model_package_groups.kind, name, caller)
        found = self.model_package_groups.get(arn)
        if found is None:
            raise _wrong(f"ModelPackageGroup {arn} does not exist.")
        return found

    def _add_version(self, group: Document, params: Mapping[str, Any], caller: Caller) -> str:
        if params.get("Tags"):
            raise _wrong("A versioned model package has the tags of its group: it cannot have Tags of its own.")
        if params.get("ClientToken"):
            same = (one for one in self.model_packages.all() if one.get("ClientToken") == params["ClientToken"])
            for one in same:
                if one.get("GroupArn") == group["ModelPackageGroupArn"]:
                    return str(one["ModelPackageArn"])

        def counted(document: Document) -> Document:
            return {**document, "LastVersion": document["LastVersion"] + 1}

        counting = self.model_package_groups.change(group["ModelPackageGroupArn"], counted)
        if counting is None:
            raise _wrong(f"ModelPackageGroup {group['ModelPackageGroupArn']} does not exist.")
        name, number = group["ModelPackageGroupName"], counting["LastVersion"]
        arn = arn_of(self.model_packages.kind, f"{name}/{number}", caller)
        document = self._package(params, caller) | {
            "ModelPackageName": name,
            "ModelPackageGroupName": name,
            "GroupArn": group["ModelPackageGroupArn"],
            "ModelPackageVersion": number,
            "ModelPackageArn": arn,
            "ModelApprovalStatus": params.get("ModelApprovalStatus", PENDING),
            "ClientToken": params.get("ClientToken"),
        }
        self.model_packages.add(arn, document)
        return arn

    def _package(self, params: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        given = {name: value for name, value in params.items() if name not in NOT_KEPT and value is not None}
        return {
            "ModelPackageRegistrationType": "Registered",
            **given,
            "ModelPackageStatus": "Completed",
            "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
            "CreationTime": self.now(),
            "CreatedBy": _by(caller),
            "Tags": merged((), params.get("Tags", ())),
        }

    def _check_specification(self, specification: Mapping[str, Any], caller: Caller) -> None:
        """Each container needs an image, and its archive has to be there."""
        for container in specification["Containers"]:
            if not container.get("Image"):
                raise _wrong("Each container of an InferenceSpecification needs an Image.")
            if container.get("ModelDataUrl"):
                self._check_archive(container["ModelDataUrl"], caller)

    def _check_archive(self, address: str, caller: Caller) -> None:
        try:
            source = Location.parse(address)
            self.objects.get(source.bucket, source.key)
        except EngineError as error:
            raise _wrong(str(error)) from error
        except ServiceError as error:
            raise _wrong(
                f"Could not access model data at {address}. Please ensure that the object exists and is located in "
                f"{caller.region}."
            ) from error


def _page(
    resources: Resources, params: Mapping[str, Any], caller: Caller, wanted: Callable[[Document], bool]
) -> tuple[list[Document], dict[str, str]]:
    """One page of those that `wanted` lets through, by time or name; a registry holds few: all are looked at."""
    field = f"{resources.title}Name" if params.get("SortBy") == "Name" else "CreationTime"
    descending = params.get("SortOrder", "Descending") == "Descending"
    digest = listing_digest(resources.kind, caller.region, params)
    after = last_shown(params["NextToken"], digest) if params.get("NextToken") else None
    documents = {one[f"{resources.title}Arn"]: one for one in resources.all()}
    ours = f":sagemaker:{caller.region}:"

    def asked(arn: str, one: Document) -> bool:
        since, until = params.get("CreationTimeAfter"), params.get("CreationTimeBefore")
        return (
            ours in arn
            and params.get("NameContains", "") in one[f"{resources.title}Name"]
            and (since is None or one["CreationTime"] > epoch(since))
            and (until is None or one["CreationTime"] < epoch(until))
            and wanted(one)
        )

    keys = sorted(((one[field], arn) for arn, one in documents.items() if asked(arn, one)), reverse=descending)
    left = (key for key in keys if after is None or (key < after if descending else key > after))
    return take(left, documents, params, digest)


def _told(document: Document) -> dict[str, Any]:
    """The document as a response: what is not in the operation's shape is left out of it, and so is what is empty."""
    times = {name: moment(document[name]) for name in ("CreationTime", "LastModifiedTime") if name in document}
    return {name: value for name, value in document.items() if value not in (None, {})} | times


def _package(document: Document) -> dict[str, Any]:
    """A package as a response: a versioned one is named by its group and version alone."""
    told = _told(document)
    if document.get("GroupArn"):
        del told["ModelPackageName"]
    return told


def _by(caller: Caller) -> dict[str, Any]:
    return {"IamIdentity": {"Arn": caller.arn, "PrincipalId": caller.access_key_id}}


def _missing(arn: str) -> str:
    return f"ModelPackage {arn} does not exist."


def _wrong(sentence: str) -> ServiceError:
    return ServiceError("ValidationException", sentence)
