"""SageMaker's notebook instances: created, described, listed, started, stopped, changed and deleted, as records.

Nothing serves Jupyter here, and no lifecycle script runs. Quotas, roles, networks, the order of statuses, tags and the
bill are as AWS has them; what a presigned address opens says that there is no server behind it.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import Any

from local_aws.pace import AS_AWS, Pace
from local_aws.protocol import Caller
from local_aws.services.notebook_page import NotebookPage
from local_aws.services.sagemaker_base import arn_of, merged
from local_aws.services.sagemaker_lifecycle_configs import LifecycleConfigs
from local_aws.services.sagemaker_notebook_record import (
    AT_REST,
    CHANGES,
    DEFAULTS,
    GOES,
    STARTS,
    STOPS,
    Status,
    arrived,
    begun,
    due,
    is_counted,
    told,
)
from local_aws.services.sagemaker_refusals import NOTEBOOK, NOTEBOOK_LISTING, UPDATE_NOTEBOOK, refuse
from local_aws.services.sagemaker_resources import Document
from local_aws.services.sagemaker_training_checks import Surroundings, check_network, check_role, check_room, wrong

log = logging.getLogger(__name__)

_CHANGED = ("InstanceType", "RoleArn", "VolumeSizeInGB", "RootAccess", "PlatformIdentifier", "IpAddressType")
_CONFIG = "NotebookInstanceLifecycleConfigName"


class Notebooks(LifecycleConfigs):
    """The operations on notebook instances. The class that completes it sets `around`, `now` and `_pace`."""

    around: Surroundings
    now: Callable[[], float] = staticmethod(time.time)
    _pace: Pace = AS_AWS
    notebook_page: NotebookPage | None = None

    def create_notebook_instance(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        refuse(params, NOTEBOOK)
        arn = arn_of(self.notebooks.kind, params["NotebookInstanceName"], caller)
        self._check_place(params, caller.region)
        check_role(self.around, params["RoleArn"], arn)
        config = params.get("LifecycleConfigName")
        if config:
            self._lifecycle(config, caller, "find")
        now = self.now()
        given = {name: value for name, value in params.items() if name not in ("Tags", "LifecycleConfigName")}
        groups = given.pop("SecurityGroupIds", [])
        document = {
            **DEFAULTS,
            **given,
            "NotebookInstanceArn": arn,
            "SecurityGroups": groups,
            _CONFIG: config,
            "CreationTime": now,
            "Tags": merged((), params.get("Tags", ())),
        }
        with self._switching:  # two at once would both find room
            self._settle()
            if self.notebooks.get(arn):
                raise wrong(f"Cannot create a duplicate Notebook Instance ({arn})")
            self._check_notebook_room(params["InstanceType"], caller.region)
            self._put(arn, begun(document, Status.PENDING, Status.IN_SERVICE, now, STARTS, self._pace))
        return {"NotebookInstanceArn": arn}

    def describe_notebook_instance(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        self._settle()
        return told(self._notebook(params, caller))

    def list_notebook_instances(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        refuse(params, NOTEBOOK_LISTING)
        self._settle()
        part = params.get("NotebookInstanceLifecycleConfigNameContains", "")
        found, more = self.notebooks.page(
            caller.region, params, newest_first=False, sort_by="Name",
            also=lambda one: part in (one.get(_CONFIG) or ""),
        )  # fmt: skip
        return {"NotebookInstances": [told(one) for one in found], **more}

    def start_notebook_instance(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._switching:
            found = self._at_rest(params, caller, Status.PENDING)
            self._check_notebook_room(found["InstanceType"], caller.region)
            check_role(self.around, found["RoleArn"], found["NotebookInstanceArn"])
            self._begin(found, Status.PENDING, Status.IN_SERVICE, STARTS)
        return {}

    def stop_notebook_instance(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._switching:
            self._settle()
            found = self._notebook(params, caller)
            _check(found, (Status.IN_SERVICE,), Status.STOPPING)
            self._begin(found, Status.STOPPING, Status.STOPPED, STOPS)
        return {}

    def update_notebook_instance(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        refuse(params, UPDATE_NOTEBOOK)
        with self._switching:
            found = self._at_rest(params, caller, Status.UPDATING)
            if params.get("VolumeSizeInGB", found["VolumeSizeInGB"]) < found["VolumeSizeInGB"]:
                raise wrong(
                    f"VolumeSizeInGB cannot be made smaller than it is: {params['VolumeSizeInGB']} is less than "
                    f"{found['VolumeSizeInGB']}."
                )
            if params.get("RoleArn"):
                check_role(self.around, params["RoleArn"], found["NotebookInstanceArn"])
            if params.get("LifecycleConfigName") and params.get("DisassociateLifecycleConfig"):
                raise wrong("A request has either a LifecycleConfigName or DisassociateLifecycleConfig.")
            changed = {
                name: params[name] for name in (*_CHANGED, "InstanceMetadataServiceConfiguration") if name in params
            }
            if params.get("LifecycleConfigName"):
                self._lifecycle(params["LifecycleConfigName"], caller, "find")
                changed[_CONFIG] = params["LifecycleConfigName"]
            elif params.get("DisassociateLifecycleConfig"):
                changed[_CONFIG] = None
            self._begin({**found, **changed}, Status.UPDATING, Status.STOPPED, CHANGES)
        return {}

    def delete_notebook_instance(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        with self._switching:
            found = self._at_rest(params, caller, Status.DELETING)
            self._begin(found, Status.DELETING, None, GOES)
        return {}

    def create_presigned_notebook_instance_url(self, params: dict[str, Any], caller: Caller) -> dict[str, Any]:
        self._settle()
        found = self._notebook(params, caller)
        if found["NotebookInstanceStatus"] != Status.IN_SERVICE:
            raise wrong(
                f"Status ({found['NotebookInstanceStatus']}) not in ([InService]). Unable to create a presigned URL "
                f"for Notebook Instance ({found['NotebookInstanceArn']})"
            )
        if self.notebook_page is None:
            raise wrong("This embedded AWS has no address of its own: nothing can be opened on it.")
        # no session begins, so that none has to end when the request says
        return {"AuthorizedUrl": self.notebook_page.link(params["NotebookInstanceName"])}

    def start_notebooks(self) -> None:
        """Move the records on as their times come, those first whose time came while nothing ran."""
        self._settle()
        self._notebooks_end = threading.Event()
        self._notebooks_run = threading.Thread(target=self._move_on, name="notebooks", daemon=True)
        self._notebooks_run.start()

    def stop_notebooks(self) -> None:
        self._notebooks_end.set()
        self._changed_notebook.set()
        self._notebooks_run.join()

    def _move_on(self) -> None:
        while not self._notebooks_end.is_set():
            self._changed_notebook.clear()
            try:
                self._settle()
            except sqlite3.Error:  # a full disk: whoever reads, or the next round, does it
                log.exception("notebook instances")
            next_at = [one["Next"]["At"] for one in self.notebooks.all() if one.get("Next")]
            wait = max(0.01, min(next_at) - self.now()) if next_at else None
            self._changed_notebook.wait(wait)

    def _settle(self) -> None:
        """Give every record the status that its time has come for."""
        now = self.now()
        for one in self.notebooks.all():
            if not due(one, now):
                continue
            with self._switching:
                current = self.notebooks.get(one["NotebookInstanceArn"])
                if current is None or not due(current, now):
                    continue
                if arrived(current) is None:
                    self.notebooks.remove(current["NotebookInstanceArn"])
                else:
                    self.notebooks.change(current["NotebookInstanceArn"], lambda it: arrived(it) or it)

    def _notebook(self, params: dict[str, Any], caller: Caller) -> Document:
        found = self.notebooks.get(arn_of(self.notebooks.kind, params["NotebookInstanceName"], caller))
        if found is None:
            raise wrong("RecordNotFound")  # AWS's own words, all of them
        return found

    def _at_rest(self, params: dict[str, Any], caller: Caller, becomes: Status) -> Document:
        self._settle()
        found = self._notebook(params, caller)
        _check(found, AT_REST, becomes)
        return found

    def _begin(self, one: Document, status: Status, becomes: Status | None, seconds: float) -> None:
        self._put(one["NotebookInstanceArn"], begun(one, status, becomes, self.now(), seconds, self._pace))

    def _put(self, arn: str, document: Document) -> None:
        if not self.notebooks.add(arn, document):
            self.notebooks.change(arn, lambda one: {**document, "Tags": one["Tags"]})  # tags change without the lock
        self._changed_notebook.set()

    def _check_place(self, params: dict[str, Any], region: str) -> None:
        """Raises ServiceError ValidationException for a network that is not there, or not whole."""
        subnet, groups = params.get("SubnetId"), params.get("SecurityGroupIds", [])
        if groups and not subnet:
            raise wrong("SecurityGroupIds can be given only together with a SubnetId.")
        if params.get("DirectInternetAccess") == "Disabled" and not subnet:
            raise wrong("DirectInternetAccess can be Disabled only together with a SubnetId.")
        if subnet:
            place = {"VpcConfig": {"Subnets": [subnet], "SecurityGroupIds": groups}}
            check_network(self.around, place, region)

    def _check_notebook_room(self, instance_type: str, region: str) -> None:
        """Raises ServiceError ResourceLimitExceeded in AWS's words."""
        used = sum(
            is_counted(one)
            and one["InstanceType"] == instance_type
            and f":sagemaker:{region}:" in one["NotebookInstanceArn"]
            for one in self.notebooks.all()
        )
        check_room(self.around, f"{instance_type} for notebook instance usage", region, used, 1)


def _check(found: Document, allowed: tuple[Status, ...], becomes: Status) -> None:
    """Raises ServiceError ValidationException in AWS's words for a status from which that cannot be done."""
    status = found["NotebookInstanceStatus"]
    if status not in allowed:
        raise wrong(
            f"Status ({status}) not in ([{', '.join(allowed)}]). Unable to transition to ({becomes}) for Notebook "
            f"Instance ({found['NotebookInstanceArn']})"
        )
