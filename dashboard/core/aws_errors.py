"""botocore's exceptions → core/errors.py, by meaning, each with what to do next. Secrets never pass."""

import json
import re
from collections.abc import Mapping
from typing import Any

from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from dashboard.core.aws_writes import changes
from dashboard.core.errors import (
    AccessDenied,
    AlreadyExists,
    CredentialsProblem,
    InvalidInput,
    KennelError,
    NoCapacity,
    NotFound,
    QuotaExceeded,
    Refused,
    ServiceFault,
    Throttled,
    Unreachable,
)

DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError",
          "AuthorizationErrorException", "NotAuthorized", "Forbidden", "403"}  # fmt: skip
NO_FUNCTION_ROLE = "cannot be assumed by Lambda"
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
WRONG_KEYS = {"InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "AuthFailure",
              "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature",
              "IncompleteSignatureException", "MissingAuthenticationToken",
              "MissingAuthenticationTokenException", "InvalidToken", "OptInRequired"}  # fmt: skip
THROTTLED = {"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled",
             "RequestThrottledException", "RequestLimitExceeded", "TooManyRequestsException", "SlowDown",
             "ProvisionedThroughputExceededException", "PriorRequestNotComplete",
             "BandwidthLimitExceeded", "429"}  # fmt: skip
NONE_FREE = {
    "ReservedFunctionConcurrentInvocationLimitExceeded": "all that are reserved for it are busy; reserved 0 stops it",
    "ConcurrentInvocationLimitExceeded": "all that this account may run at once in the region are busy",
}
"""Why Lambda refuses an invocation. Source: Lambda API Reference, Invoke, TooManyRequestsException."""
QUOTA = {"ResourceLimitExceeded", "LimitExceeded", "LimitExceededException", "ServiceQuotaExceededException",
         "InstanceLimitExceeded", "VcpuLimitExceeded", "MaxSpotInstanceCountExceeded",
         "SecurityGroupLimitExceeded", "VolumeLimitExceeded", "CreationLimitExceededException"}  # fmt: skip
MISSING = {"ResourceNotFound", "ResourceNotFoundException", "NoSuchBucket", "NoSuchKey", "NoSuchEntity",
           "NoSuchEntityException", "NotFound", "NotFoundException", "ObjectNotFoundException", "404",
           "ProvisionedConcurrencyConfigNotFoundException",
           "NoSuchBucketPolicy", "NoSuchPublicAccessBlockConfiguration", "NoSuchTagSet",
           "ServerSideEncryptionConfigurationNotFoundError", "OwnershipControlsNotFoundError",
           "ChangeSetNotFound"}  # fmt: skip
TAKEN = {"ResourceInUse", "ResourceInUseException", "EntityAlreadyExists", "BucketAlreadyExists",
         "BucketAlreadyOwnedByYou", "ResourceAlreadyExistsException", "ResourceConflictException",
         "PreconditionFailed", "ConditionalRequestConflict", "InvalidGroup.Duplicate", "InvalidPermission.Duplicate",
         "IdempotentParameterMismatch", "DuplicateRecordException", "AlreadyExistsException"}  # fmt: skip
INVALID = {"ValidationException", "ValidationError", "InvalidParameter", "InvalidParameterException",
           "InvalidParameterValue", "InvalidParameterValueException", "InvalidRequestException",
           "InvalidArgument", "MalformedPolicyDocument", "MalformedPolicyDocumentException"}  # fmt: skip
NO_CAPACITY = {"InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientCapacity", "CapacityError",
               "InsufficientCapacityException", "SpotMaxPriceTooLow"}  # fmt: skip

ROLE_PROBLEM = re.compile(r"could not assume role (?P<role>arn:\S+?)[.,]?(?:\s|$)", re.IGNORECASE)
ENUMERATION = re.compile(r"Member must satisfy enum value set: \[[^\]]*\]?", re.DOTALL)
NOT_THERE = re.compile(r"could not find|does not exist|not found|cannot find|^RecordNotFound$", re.IGNORECASE)
ALREADY_THERE = re.compile(r"already exist|must be unique|cannot create a duplicate", re.IGNORECASE)
DENIAL = re.compile(r"not authorized to perform: (?P<action>[\w-]+:\w+)(?: on resource: \"?(?P<resource>[^\s\"]+))?")
SECRET = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"
    r"|(?i:(?:x-amz-)?(?:signature|security-token|credential)=[^\s&,]+)"
    r"|(?i:(?:secret[\w-]*key|password|session[_-]?token)\W{1,3}\S+)"
)

# Operations whose IAM action is not "service:Operation" (Service Authorization Reference).
ACTION_SERVICE = {"sagemaker-runtime": "sagemaker", "service-quotas": "servicequotas"}
ACTIONS = {
    ("s3", "ListObjectsV2"): "s3:ListBucket",
    ("s3", "ListObjects"): "s3:ListBucket",
    ("s3", "HeadBucket"): "s3:ListBucket",
    ("s3", "HeadObject"): "s3:GetObject",
    ("s3", "ListBuckets"): "s3:ListAllMyBuckets",
    ("s3", "GetBucketEncryption"): "s3:GetEncryptionConfiguration",
    ("s3", "PutBucketEncryption"): "s3:PutEncryptionConfiguration",
    ("s3", "GetPublicAccessBlock"): "s3:GetBucketPublicAccessBlock",
    ("s3", "PutPublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("s3", "CreateMultipartUpload"): "s3:PutObject",
    ("s3", "UploadPart"): "s3:PutObject",
    ("s3", "CompleteMultipartUpload"): "s3:PutObject",
    ("s3", "CopyObject"): "s3:PutObject",
    ("s3", "DeleteObjects"): "s3:DeleteObject",
    ("lambda", "Invoke"): "lambda:InvokeFunction",
}


def translate(
    error: Exception,
    *,
    service: str,
    operation: str,
    parameters: Mapping[str, Any] | None = None,
    profile: str = "",
) -> KennelError:
    """The error of our tree that `error` (from botocore) means.

    `profile` is the real profile's name, "" for the embedded AWS; it only shapes what to do next.
    """
    if isinstance(error, KennelError):
        return error
    if isinstance(error, boto.ClientError):
        return _from_answer(error.response, service, operation, parameters or {}, profile)
    return _from_botocore(error, service, operation, profile)


def of_keys(error: BaseException) -> bool:
    """Whether an error that is none of botocore's arose where it gets keys: a program that hands out nonsense, a file
    of a token that is gone.
    """
    at = error.__traceback__
    while at is not None:
        if at.tb_frame.f_globals.get("__name__") in ("botocore.credentials", "botocore.tokens"):
            return True
        at = at.tb_next
    return False


def redact(text: str) -> str:
    """`text` without anything that looks like a key, a signature or a token."""
    return SECRET.sub("[removed]", text)


def action_of(service: str, operation: str) -> str:
    """The IAM action an operation needs, e.g. "sagemaker:InvokeEndpoint"."""
    if service == "budgets":  # two actions for all of its operations
        return "budgets:ModifyBudget" if changes(operation) else "budgets:ViewBudget"
    return ACTIONS.get((service, operation), f"{ACTION_SERVICE.get(service, service)}:{operation}")


def _from_answer(
    response: Mapping[str, Any], service: str, operation: str, parameters: Mapping[str, Any], profile: str
) -> KennelError:
    code = str(response.get("Error", {}).get("Code", ""))
    message = redact(str(response.get("Error", {}).get("Message", ""))).strip()
    message = ENUMERATION.sub("it is none of the values that AWS knows", message)  # hundreds of them
    status = int(response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    call = f"{service} {operation}"
    if code == "AccessDeniedException" and NO_FUNCTION_ROLE in message:  # of the function's rights, not the caller's
        return Refused(
            f"the function {parameters.get('FunctionName', 'asked for')} cannot run",
            "its role does not exist any more, or does not trust lambda.amazonaws.com",
            "give the function a role that is there, or make that one again",
        )
    if code in DENIED:
        return _denied(message, service, operation, parameters)
    if code in EXPIRED:
        return CredentialsProblem("the AWS session has expired", f"{call} answered {code}", _sign_in(profile))
    if code in WRONG_KEYS:
        # AWS's own text may quote the signed request, so it is left out.
        return CredentialsProblem("AWS does not accept these keys", f"{call} answered {code}", _keys(profile))
    if code in THROTTLED and response.get("Reason") in NONE_FREE:
        return _none_free(str(response["Reason"]), parameters)
    if code in THROTTLED:
        return Throttled(
            f"AWS is throttling {call}",
            "too many calls a second in this account and region; the retries were used up",
            "wait a minute, then try again",
        )
    if code in QUOTA:
        return QuotaExceeded(
            "the account's limit is reached",
            message or f"{call} answered {code}",
            "stop something of the same kind, choose another instance type, or ask for more in Service Quotas",
        )
    if code in NO_CAPACITY:
        return NoCapacity(
            "AWS has no such instance free at the moment",
            message,
            "try again later, or another instance type, zone or region",
        )
    if code == "ModelError":
        return _model_error(response, message)
    # ConflictException also says that something is being changed at this moment
    if code in TAKEN or (code in {*INVALID, "ConflictException"} and ALREADY_THERE.search(message)):
        return AlreadyExists("the name is already taken", message, "choose another name")
    if found := ROLE_PROBLEM.search(message):
        service = f"{service.split('-')[0]}.amazonaws.com"
        trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
        return Refused(
            f"{service} cannot act as the role {found['role'].rsplit('/', 1)[-1]}",
            "it does not exist, or its trust policy does not allow it",
            f"create it, or add this statement to its trust policy: {json.dumps(trust)}",
        )
    if code in MISSING or code.endswith(".NotFound") or (code in INVALID and NOT_THERE.search(message)):
        return NotFound(
            message or f"{call} did not find it",
            "",
            "check the name, the region and the account; it may have been deleted",
        )
    if code in INVALID or code.endswith(".Malformed"):
        return InvalidInput(f"AWS refused {call}", message or code, "correct the value it names")
    if status == 501 or code in ("NotImplemented", "NotImplementedException"):
        return ServiceFault(f"{call} is not available here", message, "")
    if code == "UnsupportedOperation":  # EC2: the call is there, and something in it is not
        return Refused(f"{call} cannot do what was asked for", message, "leave that out, or ask for something else")
    if status >= 500 or status == 0 or code in ("InternalFailure", "InternalError", "ServiceUnavailable"):
        return ServiceFault(
            f"{call} failed inside AWS", message or f"{code or 'no code'}, HTTP {status}", "try again in a minute"
        )
    return Refused(f"AWS refused {call}", f"{code}: {message}" if message else code, "")


def _denied(message: str, service: str, operation: str, parameters: Mapping[str, Any]) -> AccessDenied:
    found = DENIAL.search(message)
    action = found["action"] if found else action_of(service, operation)
    resource = (found["resource"] or "").rstrip(".,") if found else ""
    resource = resource or _resource(service, action, parameters)
    error = AccessDenied(f"not allowed to {action}", action=action, resource=resource)
    on = f" on {resource}" if resource else ""
    if "explicit deny" in message:
        error.why = f"a policy explicitly denies {action}{on}; no further permission can override that"
        error.next_step = "ask the account's owner to lift that Deny"
    else:
        error.why = f"no policy of this identity allows it{on}"
        error.next_step = f"ask for this statement: {json.dumps(error.statement)}"
    return error


def _resource(service: str, action: str, parameters: Mapping[str, Any]) -> str:
    bucket = parameters.get("Bucket")
    if service != "s3" or not bucket:
        return ""
    of_objects = action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject")
    return f"arn:aws:s3:::{bucket}" + (f"/{parameters.get('Key', '*')}" if of_objects else "")


def _none_free(reason: str, parameters: Mapping[str, Any]) -> KennelError:
    """Lambda's Invoke: no environment may take this one."""
    name = str(parameters.get("FunctionName", "")).rpartition(":function:")[2] or "asked for"
    return Throttled(
        f"Lambda refused to invoke the function {name}",
        NONE_FREE[reason],
        "try again in a moment, or change what is reserved under Concurrency on its page",
    )


def _model_error(response: Mapping[str, Any], message: str) -> KennelError:
    """InvokeEndpoint: the container answered an error; a 4xx of its own means the photo, 5xx the container."""
    status = int(response.get("OriginalStatusCode") or 0)
    said = redact(_sentence(str(response.get("OriginalMessage") or "")) or message)
    if 400 <= status < 500:
        return InvalidInput("the model could not use this photo", said, "try another photo", field="photo")
    return ServiceFault(
        "the model failed on this photo", said or f"its container answered HTTP {status}", "see the endpoint's log"
    )


def _sentence(body: str) -> str:
    try:
        answer = json.loads(body)
    except ValueError:
        return body.strip()[:300]
    return str(answer.get("error", "")) if isinstance(answer, dict) else ""


def _from_botocore(error: Exception, service: str, operation: str, profile: str) -> KennelError:
    text = redact(str(error))
    call = f"{service} {operation}"
    if isinstance(error, boto.ProfileNotFound):
        return CredentialsProblem(
            f"there is no AWS profile named {profile}",
            "neither ~/.aws/config nor ~/.aws/credentials has it",
            f"create it with: aws configure --profile {profile}, or choose another in KENNEL_AWS_PROFILE",
        )
    if isinstance(error, (boto.SSOError, boto.UnauthorizedSSOTokenError, boto.TokenRetrievalError)):
        return CredentialsProblem(
            "the AWS session has expired", "its sign-in token is not valid any more", _sign_in(profile)
        )
    if isinstance(error, (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError)):
        return CredentialsProblem("no usable AWS keys were found", _why_no_keys(error, text), _keys(profile))
    if isinstance(error, (boto.ConfigNotFound, boto.ConfigParseError)):
        return CredentialsProblem("the AWS configuration file cannot be read", text, "mend ~/.aws/config")
    if isinstance(error, boto.NoRegionError):
        return InvalidInput(
            "no AWS region is set",
            "the profile names none",
            f"choose one on Settings, or: aws configure set region us-east-1 --profile {profile}",
        )
    if isinstance(error, boto.ParamValidationError):
        return InvalidInput(f"{call} was not sent", text, "correct the value it names")
    if isinstance(error, boto.ReadTimeoutError):
        # connected to, and then silent: of this service alone, so that what others tell is still shown
        return ServiceFault(f"{call} got no answer in time", _where(error), "try again in a minute")
    if isinstance(
        error, (boto.ConnectionError, boto.HTTPClientError)
    ):  # refused, unresolved, connect time-out, TLS, proxy, closed
        where = "AWS is not answering" if profile else "the embedded AWS is not answering"
        address = _where(error)
        return Unreachable(f"{where} at {address}" if address else where, type(error).__name__, _reach(profile))
    if isinstance(error, (boto.ResponseStreamingError, boto.IncompleteReadError)):
        return Unreachable(f"the answer to {call} broke off", "", "try again")
    if isinstance(error, ResponseParserError):  # its text holds the whole answer
        return ServiceFault(
            f"{call} answered what AWS never answers",
            "the answer is not in the form of its protocol",
            "see whether a proxy stands between, then try again",
        )
    return ServiceFault(f"{call} failed", f"{type(error).__name__}: {text}", "try again in a minute")


def _where(error: Any) -> str:
    return str(getattr(error, "kwargs", {}).get("endpoint_url") or "").split("?")[0].rstrip("/")


def _reach(profile: str) -> str:
    return "check the network, a proxy, and the region" if profile else "start it with make run"


def _sign_in(profile: str) -> str:
    return f"sign in again: aws sso login --profile {profile}" if profile else "restart it with make run"


def _why_no_keys(error: Exception, text: str) -> str:
    if isinstance(error, boto.NoCredentialsError):
        return "neither the configuration files nor the environment nor this machine's role has any"
    return text  # which half is missing, or what kept them from being fetched


def _keys(profile: str) -> str:
    if profile:
        return f"renew them: aws configure --profile {profile}, or aws sso login --profile {profile}"
    return "the embedded AWS has been set up anew; restart it with make run"
