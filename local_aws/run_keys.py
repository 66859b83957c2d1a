"""The access of what runs here, training jobs and endpoints' processes: to S3 of this server, as their role.

In AWS a container gets its role's temporary credentials. Here it finds them in its variables, with the address of this
server, so that boto3 in it needs no setting; they are made anew at every start of the server and are never written
down. They open S3 only: what a run of this machine could do with the rest of the account, it has no business with.
"""

import secrets
import string
import threading
from collections.abc import Mapping

from local_aws import ACCOUNT
from local_aws.sigv4 import Key

SERVICES = frozenset({"s3"})
"""What a run may call, by signing name."""
_LETTERS = string.ascii_uppercase + "234567"


class RunKeys:
    """One key a role. endpoint_url: this server's address, as children reach it."""

    def __init__(self, endpoint_url: str) -> None:
        self._endpoint_url = endpoint_url
        self._by_role: dict[str, Key] = {}
        self._by_id: dict[str, Key] = {}
        self._lock = threading.Lock()

    def variables(self, role_arn: str, region: str) -> Mapping[str, str]:
        """What boto3 in a run has to find, to work as that role in that region."""
        key = self._of(role_arn)
        return {
            "AWS_ENDPOINT_URL": self._endpoint_url,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_SESSION_TOKEN": key.session_token or "",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def find(self, access_key_id: str) -> Key | None:
        return self._by_id.get(access_key_id)

    def _of(self, role_arn: str) -> Key:
        with self._lock:
            if role_arn not in self._by_role:
                role = role_arn.rpartition("/")[2] or "none"
                key = Key(
                    "ASIA" + "".join(secrets.choice(_LETTERS) for _ in range(16)),
                    secrets.token_urlsafe(30),
                    f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/SageMaker",
                    secrets.token_urlsafe(60),
                )
                self._by_role[role_arn] = self._by_id[key.access_key_id] = key
            return self._by_role[role_arn]
