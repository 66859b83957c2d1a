"""What requests leave out and the account knows: paths of roles, boundaries, and which role a profile holds."""

from collections.abc import Mapping
from typing import Any

from local_aws import ACCOUNT
from local_aws.moto_app import Moto

_KINDS = {"role": "roles", "user": "users", "group": "groups", "instance-profile": "instance_profiles"}


class IamLookup:
    """Reads of moto's IAM for `dashboard.core.iam.requests`, each while nothing changes it."""

    def __init__(self, moto: Moto) -> None:
        self._moto = moto

    def iam_arn(self, kind: str, name: str) -> str | None:
        found = self._find(kind, name)
        return str(found.arn) if found is not None else None

    def boundary(self, kind: str, name: str) -> str | None:
        found = self._find(kind, name)
        given = getattr(found, "permissions_boundary_arn", None) or getattr(found, "permissions_boundary", None)
        arn = given.get("PermissionsBoundaryArn") if isinstance(given, Mapping) else given
        return str(arn) if arn else None

    def profile_role(self, profile: str) -> str | None:
        found = self._find("instance-profile", profile.rpartition("/")[2])
        return str(found.roles[0].arn) if found is not None and found.roles else None

    def _find(self, kind: str, name: str) -> Any:
        with self._moto.using("iam") as backends:
            kept = getattr(backends[ACCOUNT]["aws"], _KINDS[kind]).values()
            return next((one for one in kept if one.name == name), None)
