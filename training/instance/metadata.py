"""The instance metadata service, version 2: who this instance is, and whether EC2 takes it back."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime

ADDRESS = "http://169.254.169.254"
_SECONDS = 2.0
_LIFETIME = "21600"  # the longest that the service allows
# Straight there: a proxy's machine has metadata of its own.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Metadata:
    """Answers of the service at `address`. Where nothing answers, this is no instance."""

    def __init__(self, address: str = "", environ: Mapping[str, str] = os.environ) -> None:
        self._address = (address or environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") or ADDRESS).rstrip("/")
        self._token = ""

    def get(self, path: str) -> str | None:
        """The text of /latest/<path>; None when there is no such thing. Raises OSError when nothing answers."""
        for attempt in (1, 2):
            request = urllib.request.Request(f"{self._address}/latest/{path}")
            request.add_header("X-aws-ec2-metadata-token", self._token or self._new_token())
            try:
                with _DIRECT.open(request, timeout=_SECONDS) as answer:
                    return str(answer.read().decode("utf-8", "replace"))
            except urllib.error.HTTPError as error:
                error.close()
                if error.code == 404:
                    return None
                if error.code != 401 or attempt == 2:
                    raise
                self._token = ""  # it has expired
        return None

    def instance_id(self) -> str:
        """ "i-…", or "" outside an instance."""
        try:
            return self.get("meta-data/instance-id") or ""
        except OSError:
            return ""

    def taken_back_at(self) -> datetime | None:
        """When EC2 ends this spot instance, once it has said so: about two minutes before. Raises OSError."""
        told = self.get("meta-data/spot/instance-action")
        if told is None:
            return None
        moment = datetime.fromisoformat(json.loads(told)["time"])
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def _new_token(self) -> str:
        request = urllib.request.Request(f"{self._address}/latest/api/token", method="PUT")
        request.add_header("X-aws-ec2-metadata-token-ttl-seconds", _LIFETIME)
        with _DIRECT.open(request, timeout=_SECONDS) as answer:
            self._token = str(answer.read().decode("ascii"))
        return self._token
