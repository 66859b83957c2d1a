"""Service Quotas: what the account may run, and requests for more.

The embedded AWS decides at once, as nobody sits behind it: what a young account usually gets within minutes is approved
(up to MOST_GRANTED_INSTANCES instances, MOST_GRANTED_VCPUS vCPUs); more, and anything of the large GPU families, is
answered as AWS answers it, with a case that a person would have to decide, and stays CASE_OPENED. Lambda's concurrency
can be lowered as well, which AWS does not do: many accounts have 10 or 100 of it instead of 1,000, and what they may
reserve then is worth trying.
"""

import base64
import json
import math
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.quotas import EC2, LAMBDA, SERVICES, Quota, Quotas
from local_aws.store import Documents, Store

MOST_GRANTED_INSTANCES = 50
MOST_GRANTED_VCPUS = 256
MOST_GRANTED_EXECUTIONS = 10_000
PAGE = 100

Params = dict[str, Any]


def _no_such() -> ServiceError:
    return ServiceError("NoSuchResourceException", "The request failed because the specified quota does not exist.")


class ServiceQuotas(Service):
    """quotas: the ones that the other services ask. now: epoch seconds."""

    name = "service-quotas"
    invalid_code = "IllegalArgumentException"

    def __init__(self, store: Store, quotas: Quotas, *, now: Callable[[], float] = time.time) -> None:
        self._quotas = quotas
        self._requests = Documents(store, "quota-request")
        self._now = now

    def list_services(self, params: Params, caller: Caller) -> Params:
        found = [{"ServiceCode": code, "ServiceName": name} for code, name in sorted(SERVICES.items())]
        page, token = _page(found, params)
        return {"Services": page, "NextToken": token}

    def list_service_quotas(self, params: Params, caller: Caller) -> Params:
        _account_level(params.get("QuotaAppliedAtLevel"))
        found = self._all(params["ServiceCode"])
        if params.get("QuotaCode"):
            found = [quota for quota in found if quota.code == params["QuotaCode"]]
        page, token = _page(found, params)
        return {"Quotas": [self._told(quota, caller) for quota in page], "NextToken": token}

    def get_service_quota(self, params: Params, caller: Caller) -> Params:
        _no_context(params)
        return {"Quota": self._told(self._one(params), caller)}

    def list_aws_default_service_quotas(self, params: Params, caller: Caller) -> Params:
        page, token = _page(self._all(params["ServiceCode"]), params)
        return {"Quotas": [self._told(quota, caller, quota.default) for quota in page], "NextToken": token}

    def get_aws_default_service_quota(self, params: Params, caller: Caller) -> Params:
        quota = self._one(params)
        return {"Quota": self._told(quota, caller, quota.default)}

    def request_service_quota_increase(self, params: Params, caller: Caller) -> Params:
        _no_context(params)
        quota, wanted = self._one(params), params["DesiredValue"]
        if not math.isfinite(wanted) or not _may_become(quota, self._quotas.applied(quota, caller.region), wanted):
            raise ServiceError(
                "IllegalArgumentException",
                "The desired value must be greater than the current quota value. Ask for more than the account has.",
            )
        waiting = [one for one in self._of(caller) if one["QuotaCode"] == quota.code and one["Status"] == "CASE_OPENED"]
        if waiting:
            raise ServiceError(
                "ResourceAlreadyExistsException",
                f"A request for an increase of this quota is open already ({waiting[0]['Id']}).",
            )
        granted = _is_granted(quota, wanted)
        now = self._now()
        request: Params = {
            "Id": uuid.uuid4().hex,
            "ServiceCode": quota.service,
            "ServiceName": SERVICES[quota.service],
            "QuotaCode": quota.code,
            "QuotaName": quota.name,
            "QuotaArn": quota.arn(caller.account, caller.region),
            "DesiredValue": float(wanted),
            "Status": "APPROVED" if granted else "CASE_OPENED",
            "Created": now,
            "LastUpdated": now,
            "Requester": json.dumps({"accountId": caller.account, "callerArn": caller.arn}),
            "GlobalQuota": False,
            "Unit": quota.unit,
            "QuotaRequestedAtLevel": "ACCOUNT",
        }
        if granted:
            self._quotas.set(quota, caller.region, wanted)
        elif params.get("SupportCaseAllowed") is False:
            request["Status"] = "NOT_APPROVED"
        else:
            request["CaseId"] = str(int(now * 1000))
        self._requests.put(f"{caller.region}/{request['Id']}", {**request, "Region": caller.region})
        return {"RequestedQuota": _dated(request)}

    def get_requested_service_quota_change(self, params: Params, caller: Caller) -> Params:
        found = self._requests.get(f"{caller.region}/{params['RequestId']}")
        if found is None:
            raise ServiceError(
                "NoSuchResourceException", "The request failed because the specified request does not exist."
            )
        return {"RequestedQuota": _dated(found)}

    def list_requested_service_quota_change_history(self, params: Params, caller: Caller) -> Params:
        _account_level(params.get("QuotaRequestedAtLevel"))
        found = [
            one
            for one in self._of(caller)
            if params.get("ServiceCode") in (None, one["ServiceCode"])
            and params.get("QuotaCode") in (None, one["QuotaCode"])
            and params.get("Status") in (None, one["Status"])
        ]
        page, token = _page(sorted(found, key=lambda one: -one["Created"]), params)
        return {"RequestedQuotas": [_dated(one) for one in page], "NextToken": token}

    def list_requested_service_quota_change_history_by_quota(self, params: Params, caller: Caller) -> Params:
        self._one(params)
        return self.list_requested_service_quota_change_history(params, caller)

    def _of(self, caller: Caller) -> list[Params]:
        return [one for one in self._requests.all() if one["Region"] == caller.region]

    def _all(self, service_code: str) -> list[Quota]:
        found = self._quotas.all(service_code)
        if not found:
            raise ServiceError(
                "NoSuchResourceException",
                f"The request failed because the service {service_code} has no quotas. The embedded AWS has those of "
                f"{' and '.join(sorted(SERVICES))}.",
            )
        return found

    def _one(self, params: Params) -> Quota:
        for quota in self._all(params["ServiceCode"]):
            if quota.code == params["QuotaCode"]:
                return quota
        raise _no_such()

    def _told(self, quota: Quota, caller: Caller, value: float | None = None) -> Params:
        return {
            "ServiceCode": quota.service,
            "ServiceName": SERVICES[quota.service],
            "QuotaArn": quota.arn(caller.account, caller.region),
            "QuotaCode": quota.code,
            "QuotaName": quota.name,
            "Value": self._quotas.applied(quota, caller.region) if value is None else value,
            "Unit": quota.unit,
            "Adjustable": quota.adjustable,
            "GlobalQuota": False,
            "QuotaAppliedAtLevel": "ACCOUNT",
        }


def _is_granted(quota: Quota, wanted: float) -> bool:
    if quota.applied == 0:  # the large GPUs: asked about, never just given
        return False
    most = {EC2: MOST_GRANTED_VCPUS, LAMBDA: MOST_GRANTED_EXECUTIONS}
    return wanted <= most.get(quota.service, MOST_GRANTED_INSTANCES)


def _may_become(quota: Quota, applied: float, wanted: float) -> bool:
    """Whether a request makes sense at all: more than there is, or, of Lambda's executions, another whole number."""
    if quota.service == LAMBDA:
        return wanted != applied and wanted >= 1 and wanted == int(wanted)
    return wanted > applied


def _account_level(level: str | None) -> None:
    if level == "RESOURCE":
        raise ServiceError(
            "IllegalArgumentException", "The embedded AWS has quotas of the account only, none of single resources."
        )


def _no_context(params: Params) -> None:
    if params.get("ContextId"):
        raise ServiceError(
            "IllegalArgumentException",
            "The embedded AWS has quotas of the account only, none of single resources (ContextId). Leave it out.",
        )


def _dated(request: Params) -> Params:
    times = {key: datetime.fromtimestamp(request[key], UTC) for key in ("Created", "LastUpdated")}
    return {key: value for key, value in request.items() if key != "Region"} | times


def _page(found: Sequence[Any], params: Params) -> tuple[Sequence[Any], str | None]:
    """At most MaxResults (100) of what was found, from where NextToken says; and the next token."""
    most, first = params.get("MaxResults") or PAGE, 0
    if params.get("NextToken"):
        try:
            first = int(base64.b64decode(params["NextToken"], validate=True))
        except ValueError:
            first = -1
        if not 0 <= first < len(found):
            raise ServiceError("InvalidPaginationTokenException", "Invalid token was used.")
    rest = first + most
    return found[first:rest], base64.b64encode(str(rest).encode()).decode() if rest < len(found) else None
