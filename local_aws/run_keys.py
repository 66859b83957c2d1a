"""The access of what runs here, to this server, as their role: training jobs, endpoints' processes, EC2 instances,
Lambda functions.

In AWS a container gets its role's temporary credentials, an instance asks its metadata service for them. Here a job
finds them in its variables, with the address of this server, so that boto3 in it needs no setting; they are made anew
at every start of the server and are never written down. They open what the role's policies allow, as they are at the
moment of each request, and nothing else.
"""

import secrets
import string
import threading
from collections.abc import Mapping

from local_aws import ACCOUNT
from local_aws.principal import Principal, session_of
from local_aws.sigv4 import Key

SAGEMAKER = "SageMaker"
"""What SageMaker calls its sessions."""
_LETTERS = string.ascii_uppercase + "234567"


class RunKeys:
    """One key a role for jobs and endpoints, one an instance, one a function and role.

    endpoint_url: this server's address for children.
    """

    def __init__(self, endpoint_url: str) -> None:
        self.endpoint_url = endpoint_url
        self._by_session: dict[Principal, Key] = {}
        self._by_id: dict[str, Key] = {}
        self._lock = threading.Lock()

    def variables(self, role_arn: str, region: str) -> Mapping[str, str]:
        """What boto3 in a run has to find, to work as that role in that region."""
        return self._variables(self._of(role_arn, SAGEMAKER), region)

    def of_function(self, role_arn: str, region: str, function: str) -> Mapping[str, str]:
        """The same for a Lambda function."""
        arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{function}"
        return self._variables(self._of(role_arn, function, {"lambda:SourceFunctionArn": arn}), region)

    def _variables(self, key: Key, region: str) -> Mapping[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": key.access_key_id,
            "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_SESSION_TOKEN": key.session_token or "",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def of_instance(self, role_arn: str, region: str, instance_id: str) -> Key:
        """The key with which an instance works as the role of its profile."""
        arn = f"arn:aws:ec2:{region}:{ACCOUNT}:instance/{instance_id}"
        return self._of(role_arn, instance_id, {"ec2:SourceInstanceARN": arn})

    def forget(self, instance_id: str) -> None:
        """An instance is gone: its keys open nothing any more."""
        with self._lock:
            for session in [one for one in self._by_session if one.name == instance_id]:
                del self._by_id[self._by_session.pop(session).access_key_id]

    def find(self, access_key_id: str) -> Key | None:
        return self._by_id.get(access_key_id)

    def _of(self, role_arn: str, name: str, facts: Mapping[str, str] | None = None) -> Key:
        session = session_of(role_arn, name, facts)
        with self._lock:
            known = self._by_session.get(session)
            if known is None:
                known = Key(
                    "ASIA" + "".join(secrets.choice(_LETTERS) for _ in range(16)),
                    secrets.token_urlsafe(30),
                    session.arn,
                    secrets.token_urlsafe(60),
                    principal=session,
                )
                self._by_session[session] = self._by_id[known.access_key_id] = known
            return known
