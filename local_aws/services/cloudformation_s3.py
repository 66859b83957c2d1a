"""Buckets and logs as CloudFormation makes them: AWS::S3::Bucket, AWS::S3::BucketPolicy, AWS::Logs::LogGroup."""

import json
from typing import Any

from local_aws.services.cloudformation_kinds import Call, Kind, Params, Place, pairs, tags, there, unless

_NO_BUCKET = ("NoSuchBucket", "404")


class BucketKind(Kind):
    type = "AWS::S3::Bucket"
    takes = frozenset(
        {
            "BucketName",
            "BucketEncryption",
            "OwnershipControls",
            "PublicAccessBlockConfiguration",
            "Tags",
            "VersioningConfiguration",
        }
    )
    named = "BucketName"
    replaced = frozenset({"BucketName"})
    attributes = frozenset({"Arn", "DomainName", "RegionalDomainName", "DualStackDomainName"})
    has_tags = True

    def physical(self, properties: Params, generated: str, place: Place) -> str:
        return str(properties.get("BucketName") or generated.lower())

    def foreseen(self, properties: Params, place: Place) -> dict[str, str]:
        name = properties.get("BucketName")
        return _of_bucket(name, place) if isinstance(name, str) else {}

    def exists(self, call: Call, physical: str, properties: Params) -> bool:
        return there(call, _NO_BUCKET, "s3", "HeadBucket", Bucket=physical)

    def make(self, call: Call, physical: str, properties: Params, place: Place) -> None:
        where = {} if place.region == "us-east-1" else {"LocationConstraint": place.region}
        more: Params = {"CreateBucketConfiguration": where} if where else {}
        unless(("BucketAlreadyOwnedByYou",), call, "s3", "CreateBucket", Bucket=physical, **more)
        self.change(call, physical, {}, properties)

    def change(self, call: Call, physical: str, before: Params, after: Params) -> None:
        def differs(name: str) -> bool:
            return bool(before.get(name) != after.get(name))

        if differs("PublicAccessBlockConfiguration"):
            block = after.get("PublicAccessBlockConfiguration")
            if block:
                asked = {name: _true(value) for name, value in block.items()}
                call("s3", "PutPublicAccessBlock", Bucket=physical, PublicAccessBlockConfiguration=asked)
            else:
                call("s3", "DeletePublicAccessBlock", Bucket=physical)
        if differs("BucketEncryption"):
            encryption = after.get("BucketEncryption")
            if encryption:
                rules = [_rule(one) for one in encryption["ServerSideEncryptionConfiguration"]]
                call("s3", "PutBucketEncryption", Bucket=physical, ServerSideEncryptionConfiguration={"Rules": rules})
            else:
                call("s3", "DeleteBucketEncryption", Bucket=physical)
        if differs("OwnershipControls") and after.get("OwnershipControls"):
            controls = {"Rules": after["OwnershipControls"]["Rules"]}
            call("s3", "PutBucketOwnershipControls", Bucket=physical, OwnershipControls=controls)
        if differs("VersioningConfiguration"):
            status = (after.get("VersioningConfiguration") or {"Status": "Suspended"})["Status"]
            call("s3", "PutBucketVersioning", Bucket=physical, VersioningConfiguration={"Status": status})
        if tags(before) != tags(after):
            if given := pairs(tags(after)):
                call("s3", "PutBucketTagging", Bucket=physical, Tagging={"TagSet": given})
            else:
                call("s3", "DeleteBucketTagging", Bucket=physical)

    def remove(self, call: Call, physical: str, properties: Params) -> None:
        unless(_NO_BUCKET, call, "s3", "DeleteBucket", Bucket=physical)

    def told(self, call: Call, physical: str, properties: Params, place: Place) -> dict[str, str]:
        return _of_bucket(physical, place)


class BucketPolicyKind(Kind):
    type = "AWS::S3::BucketPolicy"
    takes = frozenset({"Bucket", "PolicyDocument"})
    required = takes
    named = "Bucket"
    replaced = frozenset({"Bucket"})

    def exists(self, call: Call, physical: str, properties: Params) -> bool:
        return there(call, ("NoSuchBucketPolicy",), "s3", "GetBucketPolicy", Bucket=physical)

    def make(self, call: Call, physical: str, properties: Params, place: Place) -> None:
        call("s3", "PutBucketPolicy", Bucket=physical, Policy=json.dumps(properties["PolicyDocument"]))

    def change(self, call: Call, physical: str, before: Params, after: Params) -> None:
        call("s3", "PutBucketPolicy", Bucket=physical, Policy=json.dumps(after["PolicyDocument"]))

    def remove(self, call: Call, physical: str, properties: Params) -> None:
        unless(_NO_BUCKET, call, "s3", "DeleteBucketPolicy", Bucket=physical)

    def told(self, call: Call, physical: str, properties: Params, place: Place) -> dict[str, str]:
        return {"": physical}


class LogGroupKind(Kind):
    type = "AWS::Logs::LogGroup"
    takes = frozenset({"LogGroupName", "RetentionInDays", "Tags"})
    named = "LogGroupName"
    replaced = frozenset({"LogGroupName"})
    attributes = frozenset({"Arn"})
    has_tags = True

    def foreseen(self, properties: Params, place: Place) -> dict[str, str]:
        name = properties.get("LogGroupName")
        return {"": name, "Arn": _group_arn(name, place)} if isinstance(name, str) else {}

    def exists(self, call: Call, physical: str, properties: Params) -> bool:
        found = call("logs", "DescribeLogGroups", logGroupNamePrefix=physical)["logGroups"]
        return any(one["logGroupName"] == physical for one in found)

    def make(self, call: Call, physical: str, properties: Params, place: Place) -> None:
        marks = tags(properties)
        more: Params = {"tags": marks} if marks else {}
        taken = ("ResourceAlreadyExistsException",)
        unless(taken, call, "logs", "CreateLogGroup", logGroupName=physical, **more)
        self._keep(call, physical, properties)

    def change(self, call: Call, physical: str, before: Params, after: Params) -> None:
        if before.get("RetentionInDays") != after.get("RetentionInDays"):
            if after.get("RetentionInDays") is None:
                call("logs", "DeleteRetentionPolicy", logGroupName=physical)
            self._keep(call, physical, after)
        old, new = tags(before), tags(after)
        if old == new:
            return
        found = call("logs", "DescribeLogGroups", logGroupNamePrefix=physical)["logGroups"]
        arn = next(one["logGroupArn"] for one in found if one["logGroupName"] == physical)
        if gone := [key for key in old if key not in new]:
            call("logs", "UntagResource", resourceArn=arn, tagKeys=gone)
        if new:
            call("logs", "TagResource", resourceArn=arn, tags=new)

    def remove(self, call: Call, physical: str, properties: Params) -> None:
        unless(("ResourceNotFoundException",), call, "logs", "DeleteLogGroup", logGroupName=physical)

    def told(self, call: Call, physical: str, properties: Params, place: Place) -> dict[str, str]:
        return {"": physical, "Arn": _group_arn(physical, place)}

    @staticmethod
    def _keep(call: Call, physical: str, properties: Params) -> None:
        if properties.get("RetentionInDays") is not None:
            days = int(properties["RetentionInDays"])
            call("logs", "PutRetentionPolicy", logGroupName=physical, retentionInDays=days)


def _group_arn(name: str, place: Place) -> str:
    return f"arn:aws:logs:{place.region}:{place.account}:log-group:{name}:*"


def _of_bucket(name: str, place: Place) -> dict[str, str]:
    return {
        "": name,
        "Arn": f"arn:aws:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{place.region}.amazonaws.com",
        "DualStackDomainName": f"{name}.s3.dualstack.{place.region}.amazonaws.com",
    }


def _rule(given: Params) -> Params:
    """A rule of BucketEncryption in S3's own words."""
    rule: Params = {}
    if default := given.get("ServerSideEncryptionByDefault"):
        rule["ApplyServerSideEncryptionByDefault"] = default
    if "BucketKeyEnabled" in given:
        rule["BucketKeyEnabled"] = _true(given["BucketKeyEnabled"])
    return rule


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
