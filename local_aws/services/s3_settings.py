"""What is set for a bucket as a whole: tags, encryption, who owns objects, whether it may be public, versions."""

from typing import Any

from local_aws.errors import NotThereError, ServiceError
from local_aws.protocol import Caller
from local_aws.services import s3_tags
from local_aws.services.s3_base import OWNER, S3Base, check_params

BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
"""What a new bucket has (S3 User Guide, "Blocking public access to your Amazon S3 storage": since April 2023)."""
_DEFAULT_ENCRYPTION = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
_DEFAULT_OWNERSHIP = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}

Params = dict[str, Any]


class Settings(S3Base):
    """Operations on them."""

    def get_bucket_tagging(self, params: Params, caller: Caller) -> Params:
        return {"TagSet": s3_tags.tag_set(self.setting(params, "tags", "NoSuchTagSet", "The TagSet does not exist"))}

    def put_bucket_tagging(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        self.index.change_setting(
            params["Bucket"], "tags", s3_tags.check(params["Tagging"].get("TagSet", []), 50) or None
        )
        return {}

    def delete_bucket_tagging(self, params: Params, caller: Caller) -> Params:
        return self.unset(params, "tags")

    def get_public_access_block(self, params: Params, caller: Caller) -> Params:
        code, message = "NoSuchPublicAccessBlockConfiguration", "The public access block configuration was not found"
        return {"PublicAccessBlockConfiguration": self.setting(params, "public_access_block", code, message)}

    def put_public_access_block(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        asked = dict.fromkeys(BLOCKED, False) | params["PublicAccessBlockConfiguration"]
        self.index.change_setting(params["Bucket"], "public_access_block", asked)
        return {}

    def delete_public_access_block(self, params: Params, caller: Caller) -> Params:
        return self.unset(params, "public_access_block")

    def get_bucket_encryption(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        settings = self.index.bucket(params["Bucket"]).settings
        return {"ServerSideEncryptionConfiguration": settings.get("encryption", _DEFAULT_ENCRYPTION)}

    def put_bucket_encryption(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        self.index.change_setting(params["Bucket"], "encryption", params["ServerSideEncryptionConfiguration"])
        return {}

    def delete_bucket_encryption(self, params: Params, caller: Caller) -> Params:
        return self.unset(params, "encryption")

    def get_bucket_ownership_controls(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        settings = self.index.bucket(params["Bucket"]).settings
        return {"OwnershipControls": settings.get("ownership", _DEFAULT_OWNERSHIP)}

    def put_bucket_ownership_controls(self, params: Params, caller: Caller) -> Params:
        """Objects always belong to the bucket's owner here: nothing else can be asked for."""
        check_params(params)
        rules = params["OwnershipControls"]["Rules"]
        for rule in rules:
            if rule["ObjectOwnership"] != "BucketOwnerEnforced":
                raise NotThereError(f"S3's ObjectOwnership {rule['ObjectOwnership']}")
        self.index.change_setting(params["Bucket"], "ownership", {"Rules": rules})
        return {}

    def get_bucket_acl(self, params: Params, caller: Caller) -> Params:
        """ACLs are off, as they are for every bucket whose owner owns all objects: the owner alone stands in it."""
        check_params(params)
        self.index.bucket(params["Bucket"])
        grantee = {**OWNER, "Type": "CanonicalUser"}
        return {"Owner": OWNER, "Grants": [{"Grantee": grantee, "Permission": "FULL_CONTROL"}]}

    def get_bucket_versioning(self, params: Params, caller: Caller) -> Params:
        check_params(params)
        status = self.index.bucket(params["Bucket"]).settings.get("versioning")
        return {"Status": status} if status else {}

    def put_bucket_versioning(self, params: Params, caller: Caller) -> Params:
        """A bucket here keeps one version of an object, which is what "Suspended" says of a bucket that had no more."""
        check_params(params)
        asked = params["VersioningConfiguration"]
        if asked.get("Status") == "Enabled":
            raise NotThereError("S3's versioning of objects")
        if asked.get("MFADelete") == "Enabled":
            raise NotThereError("S3's MFA delete")
        if "Status" not in asked:
            raise ServiceError("IllegalVersioningConfigurationException", "The Versioning element must be specified")
        self.index.change_setting(params["Bucket"], "versioning", asked["Status"])
        return {}

    def setting(self, params: Params, name: str, code: str, message: str) -> Any:
        """One that was put. Raises ServiceError with that code when it was not."""
        check_params(params)
        settings = self.index.bucket(params["Bucket"]).settings
        if name not in settings:
            raise ServiceError(code, message, 404)
        return settings[name]

    def unset(self, params: Params, name: str) -> Params:
        check_params(params)
        self.index.change_setting(params["Bucket"], name, None)
        return {}
