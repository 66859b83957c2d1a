"""EC2's instances: launched, stopped, started, restarted, ended, taken back; really, in the machine room.

moto's Instance is the record (network, volumes, tags), kept over restarts with the rest of moto. Its state is written
here alone; what moto has no place for lies in its attribute `kennel`: launched, boots (how many), spot (its request),
reclaims (seconds after a start), interrupt (the tag's last value), terminated (epoch seconds).
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from moto.core.exceptions import ServiceException

from local_aws import ACCOUNT
from local_aws.engine import instance as engine
from local_aws.engine import spot as interruptions
from local_aws.engine.instance import Boot, End, Sandbox
from local_aws.engine.machine_room import NOTICE_SECONDS, MachineRoom, Start
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto
from local_aws.quotas import Quotas
from local_aws.run_keys import RunKeys
from local_aws.services import ec2_describe, ec2_metadata, ec2_request, ec2_spot, ec2_types, ec2_user_data
from local_aws.services.cloudwatch_store import MetricStore
from local_aws.services.ec2_request import Launch

log = logging.getLogger(__name__)

FORGOTTEN_AFTER = 3600.0  # seconds that a terminated instance is still described
_USER, _INSIDE = "Client.UserInitiatedShutdown", "Client.InstanceInitiatedShutdown"
_SPOT, _BROKEN = "Server.SpotInstanceTermination", "Server.InternalError"
_REASONS = {
    _USER: "User initiated shutdown",
    _INSIDE: "Instance initiated shutdown",
    _SPOT: "Spot instance termination",
    _BROKEN: "Internal error",
}
_UP = ("pending", "running")


class Instances:
    """All instances of the account, and the room that they run in. Operations take the backend of their region."""

    def __init__(
        self,
        moto: Moto,
        directory: Path,
        runs: RunKeys | None,
        *,
        sandbox: Callable[[], Sandbox],
        places: int,
        quotas: Quotas | None,
        metrics: MetricStore | None,
        notice: float = NOTICE_SECONDS,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._moto = moto
        self._directory = directory
        self._runs = runs
        self._find_sandbox = sandbox
        self._places = places
        self._metrics = metrics
        self._notice = notice
        self._quotas = quotas
        self._now = now
        self._regions: dict[str, str] = {}
        self._lock = threading.Lock()

    @cached_property
    def _sandbox(self) -> Sandbox:
        """Found out when the first instance is launched, for that takes a moment."""
        return self._find_sandbox()

    @cached_property
    def _room(self) -> MachineRoom:
        now = self._now
        return MachineRoom(
            self._sandbox,
            self,
            self._places,
            metrics=self._metrics,
            notice=self._notice,
            now=lambda: now().timestamp(),
        )

    # the server's start and end

    def recover(self) -> None:
        """Of the instances that ran when the server ended nothing is left: they are terminated, and say why."""
        if not self._directory.is_dir():
            return
        for marker in self._directory.glob("*/running"):
            region, instance_id = marker.read_text().strip(), marker.parent.name
            with self._record(instance_id, region) as found:
                if found is not None and found._state.name not in ("terminated", "stopped"):
                    self._terminated(found, _BROKEN, "the embedded AWS stopped while this instance was running")
            engine.remove(marker.parent, keep_console=True)
            marker.unlink(missing_ok=True)

    def close(self) -> None:
        if "_room" in self.__dict__:
            self._room.close()

    # what the operations do; all are called while moto is held

    def run(self, launch: Launch, backend: Any) -> Any:
        """A reservation with new instances. Raises ServiceError."""
        earlier = self._of_token(launch, backend)
        if earlier is not None:
            return earlier
        if not self._sandbox.private and launch.user_data:
            ec2_user_data.check_is_ours(launch.user_data)
        tags = launch.tags.get("instance", {})
        try:
            reclaims = (
                interruptions.interruptions(tags, seed=launch.token or str(self._now())) if launch.is_spot else ()
            )
        except ValueError as wrong:
            raise ServiceError("InvalidParameterValue", str(wrong)) from wrong
        self._check_quota(launch, backend)
        now = self._now()
        if launch.is_spot:
            ec2_spot.check_price(launch.max_price, launch.instance_type, launch.subnet.availability_zone, now)
        count = min(launch.count, self._room.free)
        if count < launch.params["MinCount"]:
            raise ServiceError(
                "InsufficientInstanceCapacity",
                f"We currently do not have sufficient {launch.instance_type} capacity in the Availability Zone you "
                f"requested ({launch.subnet.availability_zone}): this machine runs {self._room.places} instances at "
                f"once, and {self._room.places - self._room.free} are running. Terminate one, or try again when one "
                "has ended.",
                500,
            )
        with translated():
            reservation = _record(launch, backend, count)
        reservation.kennel_digest = launch.digest
        try:
            self._begin(reservation, launch, reclaims, now)
        except BaseException:  # a record of what never ran would stay for ever
            for found in reservation.instances:
                found.terminate()
            del backend.reservations[reservation.id]
            raise
        return reservation

    def _begin(self, reservation: Any, launch: Launch, reclaims: tuple[float, ...], now: datetime) -> None:
        tags = launch.tags.get("instance", {})
        for found in reservation.instances:
            found.kennel = {
                "launched": now,
                "boots": 0,
                "reclaims": reclaims,
                "interrupt": tags.get(interruptions.INTERRUPT, ""),
                "spot": None,
                "terminated": None,
            }
            if launch.is_spot:
                request_tags = launch.tags.get("spot-instances-request", {})
                found.kennel["spot"] = ec2_spot.new_request(launch.max_price, request_tags, now)
            found.launch_time = now.replace(tzinfo=None, microsecond=0)
            _set(found, "pending", "", "")
        for found in reservation.instances:
            self._start(found, found.ec2_backend.region_name)

    def start(self, found: Any, region: str) -> None:
        """StartInstances. Raises ServiceError IncorrectInstanceState or InsufficientInstanceCapacity."""
        if found._state.name in _UP:
            return
        if found._state.name != "stopped":
            raise _incorrect(found, "started")
        if found.kennel["spot"]:
            raise ServiceError(
                "UnsupportedOperation",
                f"You can't start the Spot Instance '{found.id}'; a one-time request ends with it.",
            )
        if not self._room.free:
            raise ServiceError(
                "InsufficientInstanceCapacity",
                f"This machine runs {self._room.places} instances at once, and has no place now.",
                500,
            )
        for nic in found.nics.values():
            nic.start()
        found.launch_time = self._now().replace(tzinfo=None, microsecond=0)
        _set(found, "pending", "", "")
        self._start(found, region)

    def stop(self, found: Any, *, force: bool = False) -> None:
        """StopInstances. Raises ServiceError."""
        if found._state.name in ("stopping", "stopped"):
            return
        if found._state.name not in _UP:
            raise _incorrect(found, "stopped")
        if found.kennel["spot"]:
            raise ServiceError(
                "UnsupportedOperation",
                f"You can't stop the Spot Instance '{found.id}' because it is associated with a one-time Spot Instance "
                "request. You can only stop Spot Instances associated with persistent Spot Instance requests.",
            )
        if found.disable_api_stop:
            raise ServiceError(
                "OperationNotPermitted", f"The instance '{found.id}' may not be stopped: disableApiStop."
            )
        _set(found, "stopping", _USER, self._stamp())
        self._room.kill(found.id) if force else self._room.shut_down(found.id)

    def reboot(self, found: Any) -> None:
        """RebootInstances. Raises ServiceError."""
        if found._state.name != "running":
            raise _incorrect(found, "rebooted")
        self._room.reboot(found.id)

    def terminate(self, found: Any) -> None:
        """TerminateInstances. Raises ServiceError OperationNotPermitted."""
        if found._state.name in ("terminated", "shutting-down"):
            return
        if found.disable_api_termination:
            raise ServiceError(
                "OperationNotPermitted",
                f"The instance '{found.id}' may not be terminated. Modify its 'disableApiTermination' instance "
                "attribute and try again.",
            )
        if found.kennel["spot"]:
            ec2_spot.changed(found.kennel["spot"], "instance-terminated-by-user", self._now(), "closed")
        if found._state.name == "stopped":
            self._terminated(found, _USER)
            engine.remove(self._folder(found.id), keep_console=True)
            return
        _set(found, "shutting-down", _USER, self._stamp())
        self._room.shut_down(found.id)

    def tagged(self, found: Any, tags: dict[str, str]) -> None:
        """CreateTags was called: a new value of kennel:interrupt takes a spot instance's capacity away now."""
        value = tags.get(interruptions.INTERRUPT)
        if found.kennel["spot"] and value and value != found.kennel["interrupt"]:
            found.kennel["interrupt"] = value
            self._room.reclaim(found.id)

    def console(self, instance_id: str) -> bytes:
        path = self._folder(instance_id) / "console"
        return path.read_bytes()[-engine.CONSOLE_BYTES :] if path.is_file() else b""

    def forget_old(self, backend: Any) -> bool:
        """Drop what was terminated an hour ago from moto's records; whether there was any."""
        limit = self._now().timestamp() - FORGOTTEN_AFTER
        gone = [
            (reservation, found)
            for reservation in backend.reservations.values()
            for found in reservation.instances
            if found.kennel["terminated"] is not None and found.kennel["terminated"] < limit
        ]
        for reservation, found in gone:
            reservation.instances.remove(found)
            backend.tags.pop(found.id, None)
            engine.remove(self._folder(found.id), keep_console=False)
            if not reservation.instances:
                del backend.reservations[reservation.id]
        return bool(gone)

    # what the machine room reports, from its threads

    def running(self, instance_id: str) -> None:
        with self._record(instance_id) as found:
            if found is not None and found._state.name == "pending":
                _set(found, "running", "", "")

    def noticed(self, instance_id: str, at: float) -> None:
        with self._record(instance_id) as found:
            if found is not None and found.kennel["spot"]:
                found.kennel["spot"]["reclaimed_at"] = at
                ec2_spot.changed(found.kennel["spot"], "marked-for-termination", self._now())

    def reclaim(self, instance_id: str) -> None:
        with self._record(instance_id) as found:
            if found is not None and found._state.name in _UP:
                ec2_spot.changed(found.kennel["spot"], "instance-terminated-no-capacity", self._now(), "closed")
                _set(found, "shutting-down", _SPOT, _SPOT)
        self._room.shut_down(instance_id)

    def down(self, instance_id: str, end: End) -> None:
        with self._record(instance_id) as found:
            stays = found is not None and self._came_down(found, end)
        folder = self._folder(instance_id)
        (folder / "running").unlink(missing_ok=True)
        if not stays:
            engine.remove(folder, keep_console=True)
            if self._runs:
                self._runs.forget(instance_id)

    def _came_down(self, found: Any, end: End) -> bool:
        """Write down how it ended; whether its folders stay, for it is only stopped."""
        if found._state.name == "stopping":
            _set(found, "stopped", _USER, found._reason)
        elif found._state.name == "shutting-down":
            self._terminated(found, found.state_reason.code, found._reason)
        elif end is End.SHUT_DOWN and found.instance_initiated_shutdown_behavior == "stop" and not found.kennel["spot"]:
            _set(found, "stopped", _INSIDE, "")
        elif end is End.SHUT_DOWN:
            if found.kennel["spot"]:
                ec2_spot.changed(found.kennel["spot"], "instance-terminated-by-user", self._now(), "closed")
            self._terminated(found, _INSIDE)
        else:
            self._terminated(found, _BROKEN, "the instance broke, or this machine could not run it: see its console")
        if found._state.name == "stopped":
            for nic in found.nics.values():
                nic.stop()
            return True
        return False

    # within

    def _start(self, found: Any, region: str) -> None:
        with self._lock:
            self._regions[found.id] = region
        folder = self._folder(found.id)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "running").write_text(region)
        first = found.kennel["boots"] == 0
        found.kennel["boots"] += 1
        start = Start(
            id=found.id,
            region=region,
            boot=self._boot_of(found),
            look=lambda: self._facts(found.id),
            vcpus=ec2_types.vcpus(found.instance_type),
            volume_gb=_root_size(found),
            reclaims=tuple(found.kennel["reclaims"]),
        )
        if not self._room.start(start, first=first):
            raise ServiceError("InsufficientInstanceCapacity", "This machine has no place for the instance now.", 500)

    def _boot_of(self, found: Any) -> Callable[[str, bool], Boot]:
        image = found.ec2_backend.amis.get(found.image_id)
        name = image.name if image is not None else found.image_id
        data = ec2_request.user_data(str(found.user_data)) if found.user_data else b""
        address = str(found.private_ip_address or "10.0.0.1").replace(".", "-")
        kind, instance_id, server = found.instance_type, found.id, self._runs.endpoint_url if self._runs else ""

        def boot(metadata_url: str, first: bool) -> Boot:
            environment = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata_url}
            return Boot(
                id=instance_id,
                folder=self._folder(instance_id),
                user_data=data,
                first=first,
                environment=environment | ({"AWS_ENDPOINT_URL": server} if server else {}),
                host_name=f"ip-{address}",
                title=f"{instance_id} ({kind}) starts: this machine's Linux stands for {name}",
                pytorch="PyTorch" in name,
            )

        return boot

    def _facts(self, instance_id: str) -> Any:
        region = self._regions[instance_id]
        with self._moto.using("ec2") as backends, self._moto.using("iam") as iam:
            found = backends[ACCOUNT][region].get_instance_by_id(instance_id)
            roles = iam[ACCOUNT]["aws"]
            return ec2_metadata.facts(
                found, region, roles, self._runs, self._room.reclaimed_at(instance_id), self._now()
            )

    @contextmanager
    def _record(self, instance_id: str, region: str = "") -> Iterator[Any]:
        """moto's instance, to be changed; None when it is not there any more."""
        with self._moto.using("ec2", changes=True) as backends:
            yield backends[ACCOUNT][region or self._regions[instance_id]].get_instance_by_id(instance_id)

    def _terminated(self, found: Any, code: str, transition: str | None = None) -> None:
        found.terminate()
        if transition is None:
            transition = self._stamp() if code == _USER else ""
        _set(found, "terminated", code, transition)
        found.kennel["terminated"] = self._now().timestamp()
        if found.kennel["spot"] and found.kennel["spot"]["state"] == "active":
            ec2_spot.changed(found.kennel["spot"], "instance-terminated-no-capacity", self._now(), "closed")

    def _stamp(self) -> str:
        return f"User initiated ({self._now():%Y-%m-%d %H:%M:%S} GMT)"

    def _folder(self, instance_id: str) -> Path:
        return self._directory / instance_id

    def _of_token(self, launch: Launch, backend: Any) -> Any:
        """The reservation that the same request made before. Raises ServiceError IdempotentParameterMismatch."""
        if not launch.token:
            return None
        for reservation in backend.reservations.values():
            if any(found.client_token == launch.token for found in reservation.instances):
                if reservation.kennel_digest != launch.digest:
                    raise ServiceError(
                        "IdempotentParameterMismatch",
                        "Arguments on this idempotent request are inconsistent with arguments used in previous "
                        f"request(s). (client token {launch.token})",
                    )
                return reservation
        return None

    def _check_quota(self, launch: Launch, backend: Any) -> None:
        if self._quotas is None:
            return
        group = ec2_types.quota_group(launch.instance_type)
        limit = 0
        if group:
            name = ec2_types.quota_name(group, spot=launch.is_spot)
            limit = int(self._quotas.value("ec2", name, backend.region_name))
        used = sum(
            ec2_types.vcpus(found.instance_type)
            for reservation in backend.reservations.values()
            for found in reservation.instances
            if found._state.name in _UP
            and bool(found.kennel["spot"]) == launch.is_spot
            and ec2_types.quota_group(found.instance_type) == group
        )
        wanted = launch.params["MinCount"] * ec2_types.vcpus(launch.instance_type)
        if used + wanted <= limit:
            return
        if launch.is_spot:
            raise ServiceError("MaxSpotInstanceCountExceeded", "Max spot instance count exceeded")
        raise ServiceError(
            "VcpuLimitExceeded",
            f"You have requested more vCPU capacity than your current vCPU limit of {limit} allows for the instance "
            "bucket that the specified instance type belongs to. Please visit "
            "http://aws.amazon.com/contact-us/ec2-request to request an adjustment to this limit.",
        )


def _set(found: Any, name: str, code: str, transition: str) -> None:
    """Write a state, why it is so (a code of StateReason, "" for none), and what brought it about."""
    from moto.ec2.models.instances import StateReason

    found._state.name, found._state.code = name, ec2_describe.CODES[name]
    found.state_reason = StateReason(f"{code}: {_REASONS[code]}", code) if code else StateReason()
    found._reason = transition


def _root_size(found: Any) -> int:
    """GB of the root volume; 0 where it is gone."""
    block = found.block_device_mapping.get(found.root_device_name)
    volume = found.ec2_backend.volumes.get(block.volume_id) if block else None
    return int(volume.size) if volume is not None else 0


def _incorrect(found: Any, what: str) -> ServiceError:
    return ServiceError(
        "IncorrectInstanceState",
        f"The instance '{found.id}' is not in a state from which it can be {what}. (it is {found._state.name})",
    )


@contextmanager
def translated() -> Iterator[None]:
    """moto's errors as ours."""
    try:
        yield
    except ServiceException as error:
        raise ServiceError(str(error.code), str(error.message)) from error


def _record(launch: Launch, backend: Any, count: int) -> Any:
    """Have moto make the reservation with its instances, interfaces and volumes."""
    from moto.ec2.utils import parse_user_data

    reservation = backend.run_instances(
        launch.image.id,
        count,
        parse_user_data(launch.params.get("UserData") or None),
        [],
        instance_type=launch.instance_type,
        is_instance_type_default=False,
        region_name=backend.region_name,
        subnet_id=launch.subnet.id,
        security_group_ids=list(launch.groups),
        key_name=launch.key_name,
        private_ip=launch.private_address,
        associate_public_ip=launch.public_address,
        tags={"instance": dict(launch.tags.get("instance", {}))},
        ebs_optimized=bool(launch.params.get("EbsOptimized")),
        disable_api_stop=bool(launch.params.get("DisableApiStop")),
        disable_api_termination=bool(launch.params.get("DisableApiTermination")),
        instance_initiated_shutdown_behavior=launch.params.get("InstanceInitiatedShutdownBehavior"),
        monitoring_state="enabled" if (launch.params.get("Monitoring") or {}).get("Enabled") else "disabled",
        metadata_options=dict(launch.metadata),
        client_token=launch.token,
        block_device_mappings=[],
    )
    for found in reservation.instances:
        nic = found.nics[0]
        nic.delete_on_termination = not launch.keep_interface
        nic.add_tags(dict(launch.tags.get("network-interface", {})))
        for asked in launch.volumes:
            volume = backend.create_volume(
                asked.size, found.availability_zone, asked.snapshot_id, volume_type=asked.kind, iops=asked.iops,
                throughput=asked.throughput,
            )  # fmt: skip
            volume.encrypted = asked.encrypted  # with the account's own key for EBS, which moto would make in KMS
            volume.add_tags(dict(launch.tags.get("volume", {})))
            backend.attach_volume(volume.id, found.id, asked.device, asked.delete_on_termination)
        if launch.profile is not None:
            backend.associate_iam_instance_profile(found.id, iam_instance_profile_arn=launch.profile.arn)
            found.iam_instance_profile = {"Arn": launch.profile.arn, "Id": launch.profile.id}
    return reservation
