"""What requests leave out and the account knows: paths of roles, boundaries, which role a profile holds, and the ids of
what EC2's name otherwise.
"""

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

    def with_ids(self, params: Mapping[str, Any], region: str) -> Mapping[str, Any]:
        """The parameters of a request to EC2 with the ids of the security groups that it names by their names, and of
        the instance that a profile's association is of: rights are about those.
        """
        group, groups, associated = params.get("GroupName"), params.get("SecurityGroups"), params.get("AssociationId")
        if not (group or groups or associated):
            return params
        told = dict(params)
        with self._moto.using("ec2") as backends:
            ec2 = backends[ACCOUNT][region]
            known = [one for of_vpc in ec2.groups.values() for one in of_vpc.values()]
            for names, member in (([group], "GroupId"), (groups, "SecurityGroupIds")):
                ids = [one.id for one in known if one.name in (names or ())]
                if ids:
                    given = told.get(member) or []
                    told[member] = [*(given if isinstance(given, list) else [given]), *ids]
            for one in ec2.iam_instance_profile_associations.values():
                if one.association_id == associated:
                    told["InstanceId"] = one.instance.id
        return told

    def _find(self, kind: str, name: str) -> Any:
        with self._moto.using("iam") as backends:
            kept = getattr(backends[ACCOUNT]["aws"], _KINDS[kind]).values()
            return next((one for one in kept if one.name == name), None)
