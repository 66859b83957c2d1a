"""The operations on trails: making, describing, switching on and off, selecting, tagging and deleting them.

Source of names, limits and errors: CloudTrail API Reference; User Guide, "Naming requirements" and "Quotas".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.services.cloudtrail_selectors import DEFAULT, check_advanced, check_basic
from local_aws.services.cloudtrail_store import moment
from local_aws.services.cloudtrail_trails import Trail, Trails

MOST_TRAILS = 5
"""Of a region."""
MOST_TAGS = 50
_NAME = re.compile(r"[A-Za-z0-9](?:[._-]?[A-Za-z0-9])*")
_ADDRESS = re.compile(r"\d+\.\d+\.\d+\.\d+")
_ARN = re.compile(r"arn:aws:cloudtrail:([a-z0-9-]+):(\d{12}):trail/(.+)")
_REFUSED = {
    "SnsTopicName": "sends no notifications of files",
    "EnableLogFileValidation": "writes no digest files",
    "CloudWatchLogsLogGroupArn": "delivers to S3 only, not to CloudWatch Logs",
    "CloudWatchLogsRoleArn": "delivers to S3 only, not to CloudWatch Logs",
    "KmsKeyId": "encrypts no files",
    "IsOrganizationTrail": "has one account and no organization",
    "RecursiveLogging": "records none of its own deliveries",
}

Params = dict[str, Any]


class TrailCalls:
    """Mixed into the service. bucket_region: raises ServiceError NoSuchBucket for a bucket that is not there."""

    trails: Trails
    _now: Callable[[], datetime]
    _bucket_region: Callable[[str], str]

    def create_trail(self, params: Params, caller: Caller) -> Params:
        name = _checked_name(params["Name"])
        settings = self._settings(params)
        mine = [one for one in self.trails.all() if one.region == caller.region]
        arn = _arn_of(name, caller)
        if self.trails.get(arn) is not None:
            raise _exists(name)
        if len(mine) >= MOST_TRAILS:
            raise ServiceError(
                "MaximumNumberOfTrailsExceededException",
                f"User: {caller.account} already has {MOST_TRAILS} trails in {caller.region}.",
            )
        settings["tags"] = _tags({}, params.get("TagsList") or ())
        trail = Trail(arn, name, caller.region, **settings)
        _check_reach(trail)
        if not self.trails.add(trail):
            raise _exists(name)
        return _answered(trail)

    def update_trail(self, params: Params, caller: Caller) -> Params:
        settings = self._settings(params)
        trail = self._home(params["Name"], caller)
        _check_reach(replace(trail, **settings))
        return _answered(self._changed(trail, caller, **settings))

    def delete_trail(self, params: Params, caller: Caller) -> Params:
        trail = self._home(params["Name"], caller)
        self.trails.remove(trail.arn)
        return {}

    def describe_trails(self, params: Params, caller: Caller) -> Params:
        named = params.get("trailNameList") or ()
        if named:
            return {"trailList": [found.described() for name in named if (found := self._find(name, caller))]}
        shadows = params.get("includeShadowTrails", True)
        seen = [t for t in self.trails.all() if t.region == caller.region or (shadows and t.multi_region)]
        return {"trailList": [one.described() for one in seen]}

    def get_trail(self, params: Params, caller: Caller) -> Params:
        return {"Trail": self._named(params["Name"], caller).described()}

    def list_trails(self, params: Params, caller: Caller) -> Params:
        if params.get("NextToken"):
            raise ServiceError("InvalidNextTokenException", "The token is not valid: all trails are in the first page.")
        return {
            "Trails": [
                {"TrailARN": one.arn, "Name": one.name, "HomeRegion": one.region}
                for one in self.trails.all()
                if one.region == caller.region or one.multi_region
            ]
        }

    def get_trail_status(self, params: Params, caller: Caller) -> Params:
        trail = self._named(params["Name"], caller)
        times = {
            "StartLoggingTime": trail.started,
            "StopLoggingTime": trail.stopped,
            "LatestDeliveryTime": trail.delivered,
        }
        texts = {
            "LatestDeliveryError": trail.error,
            "LatestDeliveryAttemptTime": _iso(trail.tried),
            "LatestDeliveryAttemptSucceeded": _iso(trail.delivered),
            "TimeLoggingStarted": _iso(trail.started),
            "TimeLoggingStopped": _iso(trail.stopped),
        }
        return {
            "IsLogging": trail.logging,
            **{name: moment(at) for name, at in times.items() if at is not None},
            **{name: text for name, text in texts.items() if text},
        }

    def start_logging(self, params: Params, caller: Caller) -> Params:
        trail = self._home(params["Name"], caller)
        if not trail.logging:
            self._changed(trail, caller, logging=True, started=self._now().timestamp())
        return {}

    def stop_logging(self, params: Params, caller: Caller) -> Params:
        trail = self._home(params["Name"], caller)
        if trail.logging:
            self._changed(trail, caller, logging=False, stopped=self._now().timestamp())
        return {}

    def get_event_selectors(self, params: Params, caller: Caller) -> Params:
        trail = self._named(params["TrailName"], caller)
        if trail.advanced:
            return {"TrailARN": trail.arn, "AdvancedEventSelectors": list(trail.advanced)}
        return {"TrailARN": trail.arn, "EventSelectors": list(trail.basic) or [DEFAULT]}

    def put_event_selectors(self, params: Params, caller: Caller) -> Params:
        basic, advanced = params.get("EventSelectors"), params.get("AdvancedEventSelectors")
        if (basic is None) is (advanced is None):
            raise ServiceError(
                "InvalidEventSelectorsException", "Give either EventSelectors or AdvancedEventSelectors, and not both."
            )
        trail = self._home(params["TrailName"], caller)
        if advanced is not None:
            kept = check_advanced(advanced)
            self._changed(trail, caller, advanced=tuple(kept), basic=())
            return {"TrailARN": trail.arn, "AdvancedEventSelectors": kept}
        checked = check_basic(basic or ())
        self._changed(trail, caller, basic=tuple(checked), advanced=())
        return {"TrailARN": trail.arn, "EventSelectors": checked}

    def add_tags(self, params: Params, caller: Caller) -> Params:
        trail = self._tagged(params["ResourceId"], caller)
        self._changed(trail, caller, tags=_tags(trail.tags, params["TagsList"]))
        return {}

    def remove_tags(self, params: Params, caller: Caller) -> Params:
        trail = self._tagged(params["ResourceId"], caller)
        gone = {one["Key"] for one in params["TagsList"]}
        self._changed(trail, caller, tags={key: value for key, value in trail.tags.items() if key not in gone})
        return {}

    def list_tags(self, params: Params, caller: Caller) -> Params:
        if params.get("NextToken"):
            raise ServiceError("InvalidTokenException", "The token is not valid: all tags are in the first page.")
        found = [self._tagged(arn, caller) for arn in params["ResourceIdList"]]
        return {
            "ResourceTagList": [
                {"ResourceId": one.arn, "TagsList": [{"Key": key, "Value": value} for key, value in one.tags.items()]}
                for one in found
            ]
        }

    def _settings(self, params: Params) -> Params:
        """What a request sets of a trail, by Trail's names."""
        for member, why in _REFUSED.items():
            if params.get(member):
                raise ServiceError("UnsupportedOperationException", f"The embedded AWS {why} ({member}). Leave it out.")
        settings: Params = {}
        if "S3BucketName" in params:
            try:
                self._bucket_region(params["S3BucketName"])
            except ServiceError:
                raise ServiceError(
                    "S3BucketDoesNotExistException", f"S3 bucket {params['S3BucketName']} does not exist!", 404
                ) from None
            settings["bucket"] = params["S3BucketName"]
        if "S3KeyPrefix" in params:
            prefix = params["S3KeyPrefix"] or ""
            if len(prefix) > 200:
                raise ServiceError("InvalidS3PrefixException", "The S3 key prefix has more than 200 characters.")
            settings["prefix"] = prefix.strip("/")
        if "IsMultiRegionTrail" in params:
            settings["multi_region"] = params["IsMultiRegionTrail"]
        if "IncludeGlobalServiceEvents" in params:
            settings["global_events"] = params["IncludeGlobalServiceEvents"]
        return settings

    def _find(self, told: str, caller: Caller) -> Trail | None:
        """By name (of this region, or a trail of all regions) or by ARN."""
        if told.startswith("arn:"):
            found = _ARN.fullmatch(told)
            if found is None:
                raise ServiceError("CloudTrailARNInvalidException", f"{told} is no ARN of a trail.")
            return self.trails.get(told)
        name = _checked_name(told)
        mine = self.trails.get(_arn_of(name, caller))
        return mine or next((one for one in self.trails.all() if one.name == name and one.multi_region), None)

    def _named(self, told: str, caller: Caller) -> Trail:
        found = self._find(told, caller)
        if found is None:
            raise _unknown(told, caller)
        return found

    def _home(self, told: str, caller: Caller) -> Trail:
        """A trail is changed in its own region only."""
        found = self._named(told, caller)
        if found.region != caller.region:
            raise ServiceError(
                "InvalidHomeRegionException",
                f"The home region of the trail {found.name} is {found.region}; this request went to {caller.region}.",
            )
        return found

    def _tagged(self, arn: str, caller: Caller) -> Trail:
        found = self._find(arn, caller) if arn.startswith("arn:") else None
        if found is None:
            raise ServiceError("ResourceNotFoundException", f"There is no trail {arn}.")
        return found

    def _changed(self, trail: Trail, caller: Caller, **changes: Any) -> Trail:
        found = self.trails.change(trail.arn, lambda one: replace(one, **changes))
        if found is None:
            raise _unknown(trail.name, caller)
        return found


def _answered(trail: Trail) -> Params:
    left_out = ("HomeRegion", "HasCustomEventSelectors", "HasInsightSelectors")
    return {name: value for name, value in trail.described().items() if name not in left_out}


def _check_reach(trail: Trail) -> None:
    if trail.multi_region and not trail.global_events:
        raise ServiceError(
            "InvalidParameterCombinationException", "Multi-Region trail must include global service events."
        )


def _checked_name(name: str) -> str:
    if not 3 <= len(name) <= 128 or not _NAME.fullmatch(name) or _ADDRESS.fullmatch(name):
        raise ServiceError(
            "InvalidTrailNameException",
            "A trail's name has 3 to 128 letters, digits, periods, underscores and dashes, begins and ends with a "
            "letter or digit, has no two of those marks side by side, and is no IP address.",
        )
    return name


def _tags(before: Mapping[str, str], added: Sequence[Mapping[str, str]]) -> dict[str, str]:
    tags = {**before, **{one["Key"]: one.get("Value", "") for one in added}}
    if any(
        not key or len(key) > 128 or len(value) > 256 or key.lower().startswith("aws:") for key, value in tags.items()
    ):
        raise ServiceError(
            "InvalidTagParameterException",
            "A tag's key has 1 to 128 characters and does not begin with aws:, its value has at most 256.",
        )
    if len(tags) > MOST_TAGS:
        raise ServiceError("TagsLimitExceededException", f"A trail has at most {MOST_TAGS} tags.")
    return tags


def _arn_of(name: str, caller: Caller) -> str:
    return f"arn:aws:cloudtrail:{caller.region}:{caller.account}:trail/{name}"


def _iso(at: float | None) -> str:
    return "" if at is None else f"{moment(at):%Y-%m-%dT%H:%M:%SZ}"


def _exists(name: str) -> ServiceError:
    return ServiceError("TrailAlreadyExistsException", f"Trail {name} already exists.")


def _unknown(told: str, caller: Caller) -> ServiceError:
    arn = told if told.startswith("arn:") else _arn_of(told, caller)
    return ServiceError("TrailNotFoundException", f"Unknown trail: {arn} for the user: {caller.account}")
