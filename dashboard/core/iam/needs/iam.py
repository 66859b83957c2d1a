"""IAM and STS. The ARN of a role, user or group has its path in it, which most requests do not say: a Lookup does."""

from collections.abc import Callable, Iterator
from functools import partial

from dashboard.core.iam.needs.request import Context, Needs, Request
from dashboard.core.iam.rights import Right

_MEMBERS = {
    "role": "RoleName",
    "user": "UserName",
    "group": "GroupName",
    "instance-profile": "InstanceProfileName",
}
# operations by what they are about; those of a policy and those that need nothing are in the table itself
_ABOUT = {
    "role": """
        AttachRolePolicy CreateRole DeleteRole DeleteRolePermissionsBoundary DeleteRolePolicy DetachRolePolicy GetRole
        GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies ListRoleTags
        PutRolePermissionsBoundary PutRolePolicy TagRole UntagRole UpdateAssumeRolePolicy UpdateRole
        UpdateRoleDescription DeleteServiceLinkedRole
    """,
    "user": """
        AttachUserPolicy CreateAccessKey CreateLoginProfile CreateUser DeactivateMFADevice DeleteAccessKey
        DeleteLoginProfile DeleteSSHPublicKey DeleteSigningCertificate DeleteUser DeleteUserPermissionsBoundary
        DeleteUserPolicy DetachUserPolicy EnableMFADevice GetLoginProfile GetSSHPublicKey GetUser GetUserPolicy
        ListAccessKeys ListAttachedUserPolicies ListGroupsForUser ListMFADevices ListSSHPublicKeys
        ListSigningCertificates ListUserPolicies ListUserTags PutUserPermissionsBoundary PutUserPolicy TagUser UntagUser
        UpdateAccessKey UpdateLoginProfile UpdateSSHPublicKey UpdateSigningCertificate UpdateUser UploadSSHPublicKey
        UploadSigningCertificate GetAccessKeyLastUsed ChangePassword ResyncMFADevice
    """,
    "group": """
        AddUserToGroup AttachGroupPolicy CreateGroup DeleteGroup DeleteGroupPolicy DetachGroupPolicy GetGroup
        GetGroupPolicy ListAttachedGroupPolicies ListGroupPolicies PutGroupPolicy RemoveUserFromGroup UpdateGroup
    """,
    "instance-profile": """
        AddRoleToInstanceProfile CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile
        ListInstanceProfileTags RemoveRoleFromInstanceProfile TagInstanceProfile UntagInstanceProfile
    """,
}
_BOUNDED = ("role", "user")
# whose condition key is the boundary that there is, where the others' is the one that is asked for
_KEEPS_BOUNDARY = (
    "AttachRolePolicy",
    "DetachRolePolicy",
    "PutRolePolicy",
    "DeleteRolePolicy",
    "DeleteRolePermissionsBoundary",
    "AttachUserPolicy",
    "DetachUserPolicy",
    "PutUserPolicy",
    "DeleteUserPolicy",
    "DeleteUserPermissionsBoundary",
)


def _named(request: Request, kind: str) -> str:
    """The ARN of what a request names, by the path it gives or the one that there is."""
    name, path = request.value(_MEMBERS[kind]), request.value("Path") or "/"
    if not name:
        return request.arn("iam", f"{kind}/*", region="")
    return request.lookup.iam_arn(kind, name) or request.arn("iam", f"{kind}{path}{name}", region="")


def _on(kind: str, request: Request) -> Iterator[Right]:
    operation = request.operation
    context: Context = {**request.context({"iam:PolicyARN": "PolicyArn"}), **request.tags()}
    if kind in _BOUNDED:
        asked = request.value("PermissionsBoundary")
        if operation in _KEEPS_BOUNDARY:
            asked = request.lookup.boundary(kind, request.value(_MEMBERS[kind])) or ""
        if asked:
            context["iam:PermissionsBoundary"] = (asked,)
    arn = _named(request, kind)
    yield Right(f"iam:{operation}", arn, context)
    if operation.startswith("Create") and request.tags():
        yield Right(f"iam:Tag{kind.title().replace('-', '')}", arn, request.tags())
    if operation == "AddRoleToInstanceProfile":
        role = request.value("RoleName")
        yield from request.passes(role, "ec2.amazonaws.com")


def _policy_made(request: Request) -> Iterator[Right]:
    path = request.value("Path") or "/"
    arn = request.arn("iam", f"policy{path}{request.value('PolicyName') or '*'}", region="")
    yield Right("iam:CreatePolicy", arn, request.tags())
    if request.tags():
        yield Right("iam:TagPolicy", arn, request.tags())


def _linked_role(request: Request) -> Iterator[Right]:
    service = request.value("AWSServiceName") or "*"
    arn = request.arn("iam", f"role/aws-service-role/{service}/*", region="")
    yield Right("iam:CreateServiceLinkedRole", arn, request.context({"iam:AWSServiceName": "AWSServiceName"}))


_SPECIAL: dict[str, Callable[[Request], Iterator[Right]]] = {
    operation: partial(_on, kind) for kind, operations in _ABOUT.items() for operation in operations.split()
}

IAM = Needs(
    prefix="iam",
    base="arn:{partition}:iam::{account}:",
    resources={
        "*": """
            CreateAccountAlias DeleteAccountAlias DeleteAccountPasswordPolicy GenerateCredentialReport
            GetAccountAuthorizationDetails GetAccountPasswordPolicy GetAccountSummary GetContextKeysForCustomPolicy
            GetCredentialReport GetServiceLastAccessedDetails GetServiceLastAccessedDetailsWithEntities
            ListAccountAliases ListGroups ListInstanceProfiles ListOpenIDConnectProviders ListPolicies ListRoles
            ListSAMLProviders ListServerCertificates ListUsers ListVirtualMFADevices SimulateCustomPolicy
            UpdateAccountPasswordPolicy
        """,
        "policy/{PolicyArn}": """
            CreatePolicyVersion DeletePolicy DeletePolicyVersion GetPolicy GetPolicyVersion ListEntitiesForPolicy
            ListPolicyTags ListPolicyVersions SetDefaultPolicyVersion TagPolicy UntagPolicy
        """,
        "{PolicySourceArn}": "GetContextKeysForPrincipalPolicy SimulatePrincipalPolicy",
        "{Arn}": "GenerateServiceLastAccessedDetails ListPoliciesGrantingServiceAccess",
        "role/*": "GetServiceLinkedRoleDeletionStatus",
        "oidc-provider/{OpenIDConnectProviderArn}": """
            DeleteOpenIDConnectProvider GetOpenIDConnectProvider ListOpenIDConnectProviderTags
            TagOpenIDConnectProvider UntagOpenIDConnectProvider UpdateOpenIDConnectProviderThumbprint
        """,
        "oidc-provider/{Url}": "CreateOpenIDConnectProvider",
        "saml-provider/{SAMLProviderArn}": "DeleteSAMLProvider GetSAMLProvider UpdateSAMLProvider",
        "saml-provider/{Name}": "CreateSAMLProvider",
        "server-certificate/{ServerCertificateName}": """
            DeleteServerCertificate GetServerCertificate UploadServerCertificate
        """,
        "mfa/{VirtualMFADeviceName}": "CreateVirtualMFADevice",
        "mfa/{SerialNumber}": "DeleteVirtualMFADevice",
    },
    special={**_SPECIAL, "CreatePolicy": _policy_made, "CreateServiceLinkedRole": _linked_role},
)

STS = Needs(
    prefix="sts",
    base="arn:{partition}:iam::{account}:",
    resources={
        "*": "GetCallerIdentity GetSessionToken GetAccessKeyInfo DecodeAuthorizationMessage",
        "role/{RoleArn}": "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity",
    },
    contexts={
        "AssumeRole": {
            "sts:ExternalId": "ExternalId",
            "sts:RoleSessionName": "RoleSessionName",
            "sts:SourceIdentity": "SourceIdentity",
            "sts:TransitiveTagKeys": "TransitiveTagKeys",
        },
        "AssumeRoleWithWebIdentity": {"sts:RoleSessionName": "RoleSessionName"},
    },
)
