"""What auto scaling finds around it in the account: its service-linked role, and the limit of instances."""

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.core.aws import Account, Aws
from dashboard.core.errors import CredentialsProblem, KennelError, NotFound, Unreachable
from dashboard.core.runs.permissions import Need, caller_may
from dashboard.core.runs.quota import Limits
from dashboard.core.serving.scaling.variant import Kind, Variant

ROLE = "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
PRINCIPAL = "sagemaker.application-autoscaling.amazonaws.com"
MAKE = "iam:CreateServiceLinkedRole"


@dataclass(frozen=True)
class Around:
    """`has_role` and `may_make_role`: None where that could not be asked, and `role_why` says why.

    `limit`: how many instances of this type all endpoints of the account may have; None when unknown.
    """

    has_role: bool | None = None
    may_make_role: bool | None = None
    role_why: str = ""
    limit: int | None = None
    limit_why: str = ""

    @property
    def lacks_role(self) -> bool:
        """The role is not there, and this identity may not have it made: registering would be refused."""
        return self.has_role is False and self.may_make_role is False


def role_arn(account: Account) -> str:
    """Of the service-linked role (Application Auto Scaling User Guide, "Service-linked roles")."""
    return account.role_arn(f"aws-service-role/{PRINCIPAL}/{ROLE}")


def quota_name(instance_type: str) -> str:
    return f"{instance_type} for endpoint usage"


def look(aws: Aws, variant: Variant, limits: Callable[[], Limits]) -> Around:
    """What is around a variant. Not being told is no error; raises Unreachable and CredentialsProblem."""
    has_role, may_make, why = _role(aws)
    if variant.kind is Kind.SERVERLESS or not variant.instance_type:
        return Around(has_role, may_make, why)
    known = limits()
    value = known.values.get(quota_name(variant.instance_type))
    return Around(
        has_role,
        may_make,
        why,
        None if value is None else int(value),
        "" if value is not None else known.why or f"Service Quotas lists no {quota_name(variant.instance_type)}",
    )


def _role(aws: Aws) -> tuple[bool | None, bool | None, str]:
    try:
        aws.call("iam", "GetRole", RoleName=ROLE)
        return True, None, ""
    except NotFound:
        pass
    except (Unreachable, CredentialsProblem):
        raise
    except KennelError as problem:
        return None, None, problem.what
    need = Need(MAKE, role_arn(aws.account), {"iam:AWSServiceName": PRINCIPAL})
    told = caller_may(aws, [need])
    if not told:  # the account's root user
        return False, True, ""
    return False, told[0].allowed, told[0].why
