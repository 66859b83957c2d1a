"""Writes down what changed something in the account, beside the answer: nobody waits for it but who asks for events."""

import logging
import queue
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.model import OperationModel
from botocore.parsers import ResponseParserError, create_parser
from starlette.requests import Request
from starlette.responses import Response

from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.services.cloudtrail_event import Event, event, is_recorded
from local_aws.services.cloudtrail_store import EventStore

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
BATCH = 100
SIGNING = ("x-amz-", "awsaccesskeyid", "signature", "expires")
"""Begins a query's parameters that sign it."""
INVOKED_BY = "scheduler.amazonaws.com"


@dataclass(frozen=True)
class Seen:
    """One call as it came and was answered. `body` is empty for S3, whose settings are not kept."""

    at: datetime
    service: Service
    operation: OperationModel
    caller: Caller
    request: Request
    body: bytes
    outcome: Response | ServiceError


class Recorder:
    """A queue and the one thread that empties it into the store. `now` is the clock."""

    def __init__(self, store: EventStore, now: Callable[[], datetime]) -> None:
        self.store = store
        self._now = now
        self._waiting: queue.Queue[Seen | Event | None] = queue.Queue(MOST_WAITING)
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self.store.prune(self._now())
        self._thread = threading.Thread(target=self._work, name="cloudtrail", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then close."""
        if self._thread is not None:
            self._waiting.put(None)
            self._thread.join()
            self._thread = None
        self.store.close()

    def note(
        self,
        service: Service,
        operation: OperationModel,
        caller: Caller,
        request: Request,
        body: bytes,
        outcome: Response | ServiceError,
    ) -> None:
        """A call was answered; nothing for one that is not recorded. Costs some microseconds."""
        if self._thread is not None and is_recorded(service.name, operation):
            self._put(Seen(self._now(), service, operation, caller, request, body, outcome))

    def note_done(
        self,
        service: Service,
        operation: str,
        params: Mapping[str, Any],
        caller: Caller,
        *,
        invoked_by: str = INVOKED_BY,
    ) -> None:
        """A service of AWS did something in the account for somebody, as a schedule does."""
        self.note_own(
            event(
                at=self._now(),
                service=service.name,
                source=service.signing_name,
                operation=service.model.operation_model(operation),
                caller=caller,
                request_id=str(uuid.uuid4()),
                user_agent=invoked_by,
                address=invoked_by,
                request=params,
                answer=None,
                error=None,
            )
        )

    def note_own(self, happened: Event) -> None:
        """An event that came through no request."""
        if self._thread is not None:
            self._put(happened)

    def settle(self) -> None:
        """Wait until everything that was noted so far can be found."""
        if self._thread is not None:
            self._waiting.join()

    def _put(self, one: Seen | Event) -> None:
        try:
            self._waiting.put_nowait(one)
        except queue.Full:
            log.warning("CloudTrail: more than %d events wait, one is lost", MOST_WAITING)

    def _work(self) -> None:
        while True:
            taken = [self._waiting.get()]
            while len(taken) < BATCH and taken[-1] is not None:
                try:
                    taken.append(self._waiting.get_nowait())
                except queue.Empty:
                    break
            try:
                self.store.add([self._event(one) for one in taken if one is not None], self._now())
            except Exception:  # the next events are written all the same
                log.exception("CloudTrail: %d events are lost", len(taken))
            finally:
                for _ in taken:
                    self._waiting.task_done()
            if taken[-1] is None:
                return

    def _event(self, seen: Seen | Event) -> Event:
        if isinstance(seen, Event):
            return seen
        request = seen.request
        answer, error = _answered(seen)
        client = request.client.host if request.client else "127.0.0.1"
        return event(
            at=seen.at,
            service=seen.service.name,
            source=seen.service.signing_name,
            operation=seen.operation,
            caller=seen.caller,
            request_id=str(request.scope.get("aws_request_id", "")),
            user_agent=request.headers.get("user-agent", ""),
            address=client,
            request=_asked(seen),
            answer=answer,
            error=error,
        )


def _asked(seen: Seen) -> Mapping[str, Any] | None:
    """The request's parameters; None for one that has not its form, as AWS has it."""
    if seen.service.name == "s3":
        query = seen.request.query_params.items()
        return dict(seen.request.path_params) | {k: v for k, v in query if not k.lower().startswith(SIGNING)}
    try:
        # what a service refused is worth knowing too
        return seen.service.as_sent(seen.request, seen.operation, seen.body)
    except ServiceError:
        return None


def _answered(seen: Seen) -> tuple[Mapping[str, Any] | None, tuple[str, str] | None]:
    """What was answered, and the error where it was one."""
    outcome = seen.outcome
    if isinstance(outcome, ServiceError):
        return None, (outcome.code, outcome.message)
    protocol = seen.service.protocol
    if protocol not in ("json", "rest-json", "query", "ec2", "rest-xml"):
        return None, None
    raw = {
        "status_code": outcome.status_code,
        "headers": dict(outcome.headers),
        "body": bytes(getattr(outcome, "body", b"")),
    }
    try:
        told = create_parser(protocol).parse(raw, seen.operation.output_shape)
    except ResponseParserError:
        return None, None
    if outcome.status_code >= 400:
        error = told.get("Error", {})
        return None, (str(error.get("Code", outcome.status_code)), str(error.get("Message", "")))
    return told, None
