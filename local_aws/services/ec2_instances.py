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

from local_aws import ACCOUNT
from local_aws.engine import console, instance_folders
from local_aws.engine import spot as interruptions
from local_aws.engine.instance import End, Sandbox
from local_aws.engine.machine_room import NOTICE_SECONDS, MachineRoom, Start
from local_aws.engine.metadata import Facts
from local_aws.errors import ServiceError
from local_aws.moto_app import Moto
from local_aws.quotas import Quotas
from local_aws.run_keys import RunKeys
from local_aws.services import ec2_boot, ec2_limits, ec2_metadata, ec2_record, ec2_spot, ec2_types, ec2_user_data
from local_aws.services.cloudwatch_store import MetricStore
from local_aws.services.ec2_request import Launch

log = logging.getLogger(__name__)

FORGOTTEN_AFTER = 3600.0  # seconds that a terminated instance is still described


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
        """Of the instances that ran when the server ended nothing is left: they are terminated, and say why.

        One that was being stopped is stopped, and has its disk; one that was being terminated is, for its own reason.
        """
        if not self._directory.is_dir():
            return
        for marker in self._directory.glob("*/running"):
            region, instance_id = marker.read_text().strip(), marker.parent.name
            try:
                # no region: the server ended while it wrote that, before there was a record
                stays = bool(region) and self._broken_off(instance_id, region)
            except ServiceError:  # moto's records cannot be read: who asks for EC2 is told, and all else works
                log.exception("instance %s", instance_id)
                continue
            if not stays:
                instance_folders.remove(marker.parent, keep_console=True)
            marker.unlink(missing_ok=True)

    def _broken_off(self, instance_id: str, region: str) -> bool:
        """Write down that it is down; whether its folders stay, for it is only stopped."""
        with self._record(instance_id, region) as found:
            if found is None or found._state.name == "terminated":
                return False
            if found._state.name in ("stopping", "shutting-down"):
                return self._came_down(found, End.SHUT_DOWN)
            if found._state.name != "stopped":
                self._terminated(found, ec2_record.BROKEN, "the embedded AWS stopped while this instance was running")
            return bool(found._state.name == "stopped")

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
        if self._quotas is not None:
            ec2_limits.check(launch, backend, self._quotas)
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
        with ec2_record.translated():
            reservation = ec2_record.make(launch, backend, count)
        reservation.kennel_digest = launch.digest
        try:
            self._begin(reservation, launch, reclaims, now)
        except BaseException:  # a record of what never ran would stay for ever
            for found in reservation.instances:
                self._room.kill(found.id)
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
            ec2_record.set_state(found, "pending", "", "")
        for found in reservation.instances:
            self._start(found, found.ec2_backend.region_name)

    def start(self, found: Any, region: str) -> None:
        """StartInstances. Raises ServiceError IncorrectInstanceState or InsufficientInstanceCapacity."""
        if found._state.name in ec2_limits.UP:
            return
        if found._state.name != "stopped":
            raise ec2_record.incorrect(found, "started")
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
        self._start(found, region)  # what comes of it is heard once moto is let go, after the rest of this
        for nic in found.nics.values():
            nic.start()
        found.launch_time = self._now().replace(tzinfo=None, microsecond=0)
        ec2_record.set_state(found, "pending", "", "")

    def stop(self, found: Any, *, force: bool = False) -> None:
        """StopInstances. Raises ServiceError."""
        if found._state.name in ("stopping", "stopped"):
            return
        if found._state.name not in ec2_limits.UP:
            raise ec2_record.incorrect(found, "stopped")
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
        ec2_record.set_state(found, "stopping", ec2_record.USER, self._stamp())
        self._end(found.id, force=force)

    def reboot(self, found: Any) -> None:
        """RebootInstances. Raises ServiceError."""
        if found._state.name != "running":
            raise ec2_record.incorrect(found, "rebooted")
        self._room.reboot(found.id)

    def terminate(self, found: Any, *, force: bool = False) -> None:
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
            self._terminated(found, ec2_record.USER)
            instance_folders.remove(self._folder(found.id), keep_console=True)
            return
        ec2_record.set_state(found, "shutting-down", ec2_record.USER, self._stamp())
        self._end(found.id, force=force)

    def _end(self, instance_id: str, *, force: bool) -> None:
        """force: what runs in it is not waited for."""
        if force:
            self._room.kill(instance_id)
        else:
            self._room.shut_down(instance_id)

    def tagged(self, found: Any, tags: dict[str, str]) -> None:
        """CreateTags was called: a new value of kennel:interrupt takes a spot instance's capacity away now."""
        value = tags.get(interruptions.INTERRUPT)
        if found.kennel["spot"] and value and value != found.kennel["interrupt"]:
            found.kennel["interrupt"] = value
            self._room.reclaim(found.id)

    def console(self, instance_id: str) -> bytes:
        path = self._folder(instance_id) / "console"
        return path.read_bytes()[-console.LARGEST :] if path.is_file() else b""

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
            instance_folders.remove(self._folder(found.id), keep_console=False)
            if not reservation.instances:
                del backend.reservations[reservation.id]
        return bool(gone)

    # what the machine room reports, from its threads

    def running(self, instance_id: str) -> None:
        with self._record(instance_id) as found:
            if found is not None and found._state.name == "pending":
                ec2_record.set_state(found, "running", "", "")

    def noticed(self, instance_id: str, at: float) -> None:
        with self._record(instance_id) as found:
            if found is not None and found.kennel["spot"]:
                found.kennel["spot"]["reclaimed_at"] = at
                ec2_spot.changed(found.kennel["spot"], "marked-for-termination", self._now())

    def reclaim(self, instance_id: str) -> None:
        with self._record(instance_id) as found:
            if found is not None and found._state.name in ec2_limits.UP:
                ec2_spot.changed(found.kennel["spot"], "instance-terminated-no-capacity", self._now(), "closed")
                ec2_record.set_state(found, "shutting-down", ec2_record.SPOT, ec2_record.SPOT)
        self._room.shut_down(instance_id)

    def down(self, instance_id: str, end: End) -> None:
        with self._record(instance_id) as found:
            stays = found is not None and self._came_down(found, end)
        folder = self._folder(instance_id)
        (folder / "running").unlink(missing_ok=True)
        if self._runs:
            self._runs.forget(instance_id)
        if not stays:
            instance_folders.remove(folder, keep_console=True)

    def _came_down(self, found: Any, end: End) -> bool:
        """Write down how it ended; whether its folders stay, for it is only stopped."""
        if found._state.name == "stopping":
            ec2_record.set_state(found, "stopped", ec2_record.USER, found._reason)
        elif found._state.name == "shutting-down":
            self._terminated(found, found.state_reason.code, found._reason)
        elif end is End.SHUT_DOWN and found.instance_initiated_shutdown_behavior == "stop" and not found.kennel["spot"]:
            ec2_record.set_state(found, "stopped", ec2_record.INSIDE, "")
        elif end is End.SHUT_DOWN:
            if found.kennel["spot"]:
                ec2_spot.changed(found.kennel["spot"], "instance-terminated-by-user", self._now(), "closed")
            self._terminated(found, ec2_record.INSIDE)
        else:
            self._terminated(
                found, ec2_record.BROKEN, "the instance broke, or this machine could not run it: see its console"
            )
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
            boot=ec2_boot.of(found, folder, self._runs.endpoint_url if self._runs else ""),
            look=lambda: self._facts(found.id),
            vcpus=ec2_types.vcpus(found.instance_type),
            volume_gb=ec2_record.root_size(found),
            reclaims=tuple(found.kennel["reclaims"]),
        )
        if not self._room.start(start, first=first):
            raise ServiceError("InsufficientInstanceCapacity", "This machine has no place for the instance now.", 500)

    def _facts(self, instance_id: str) -> Facts:
        region = self._regions[instance_id]
        with self._moto.using("ec2") as backends, self._moto.using("iam") as iam:
            found = backends[ACCOUNT][region].get_instance_by_id(instance_id)
            if found is None or found._state.name == "terminated":
                return Facts({}, enabled=False)
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
            transition = self._stamp() if code == ec2_record.USER else ""
        ec2_record.set_state(found, "terminated", code, transition)
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
