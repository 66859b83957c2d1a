"""How an instance starts: what moto's record of it says, as the machine room needs it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from local_aws.engine.instance import Boot
from local_aws.services import ec2_request


def of(found: Any, folder: Path, server: str) -> Callable[[str, bool], Boot]:
    """What makes a start of moto's instance, given its metadata service's address and whether its user data runs.

    folder: where its files are; server: this server's address for AWS_ENDPOINT_URL, "" for none. The record is read
    now, while moto is held.
    """
    image = found.ec2_backend.amis.get(found.image_id)
    name = image.name if image is not None else found.image_id
    user_data = ec2_request.user_data(str(found.user_data)) if found.user_data else b""
    address = str(found.private_ip_address or "10.0.0.1").replace(".", "-")
    instance_id, title = found.id, f"{found.id} ({found.instance_type}) starts: this machine's Linux stands for {name}"

    def boot(metadata_url: str, first: bool) -> Boot:
        # botocore gives up after one second and one attempt, which a busy machine may need
        patience = {"AWS_METADATA_SERVICE_TIMEOUT": "5", "AWS_METADATA_SERVICE_NUM_ATTEMPTS": "3"}
        environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata_url} | patience
        return Boot(
            id=instance_id,
            folder=folder,
            user_data=user_data,
            first=first,
            environment=environment | ({"AWS_ENDPOINT_URL": server} if server else {}),
            host_name=f"ip-{address}",
            title=title,
            pytorch="PyTorch" in name,
        )

    return boot
