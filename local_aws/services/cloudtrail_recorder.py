"""Writes down what was called, beside the answer: for the event history, and for the trails that want it.

Nobody waits for it but who asks for events. A call that nothing holds costs a look into two tables.
"""

import json
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from botocore.model import OperationModel, ServiceModel
from moto.core.utils import get_service_model
from starlette.requests import Request
from starlette.responses import Response

from local_aws.errors import ServiceError
from local_aws.protocol import Caller, Service
from local_aws.run_keys import SAGEMAKER
from local_aws.services import cloudtrail_kinds as kinds
from local_aws.services.cloudtrail_delivery import Pending
from local_aws.services.cloudtrail_event import Event
from local_aws.services.cloudtrail_kinds import CallKind, kind_of
from local_aws.services.cloudtrail_seen import Done, Failure, Seen, event_of, outcome_of
from local_aws.services.cloudtrail_store import EventStore
from local_aws.services.cloudtrail_trails import Trail, Trails, wanting
from local_aws.services.iam_uses import Uses

log = logging.getLogger(__name__)

MOST_WAITING = 10_000
BATCH = 100
GATHERED = 0.05
"""Seconds that what is noted waits for more, unless somebody asks for it: each writing costs a commit."""
INVOKED_BY = "scheduler.amazonaws.com"
AS_ROLE, IN_FUNCTION = "sagemaker.amazonaws.com", "lambda.amazonaws.com"

Noted = tuple[Seen | Done | Event, Mapping[str, Trail]]
"""With the trails as they were then: one may be switched on or off before it is written."""


class Recorder:
    """A queue and the one thread that empties it. now: the clock; role_arn: a role's ARN by its name ("" unknown).

    uses: is told of every call of a role or user, whether events hold it or not.
    """

    def __init__(
        self,
        store: EventStore,
        now: Callable[[], datetime],
        trails: Trails | None = None,
        role_arn: Callable[[str], str] | None = None,
        uses: Uses | None = None,
    ) -> None:
        self.store = store
        self._uses = uses
        self.trails = trails or Trails(store.store)
        self.pending = Pending(store.store)
        self._now = now
        self._role_arn = role_arn
        self._waiting: queue.Queue[Noted | None] = queue.Queue(MOST_WAITING)
        self._asked_for = threading.Event()
        self._thread: threading.Thread | None = None
        self._lost = 0

    def start(self) -> None:
        self.store.prune(self._now())
        self._thread = threading.Thread(target=self._work, name="cloudtrail", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then close."""
        if self._thread is not None:
            self._asked_for.set()
            self._waiting.put(None)
            self._thread.join()
            self._asked_for.clear()
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
        """A call was answered; nothing for one that nobody holds. Costs some microseconds."""
        if self._uses is not None:
            self._uses.note(caller, service.name, operation.name)
        kind = kind_of(service.name, operation)
        if self._thread is None or kind is None or not self._holds(kind, service.signing_name, caller):
            return
        error, answer = outcome_of(outcome)
        # neither a photo nor what was answered stays in memory until it is written down
        if kind.is_data and kind.resource_type not in (kinds.METRIC, kinds.TOPIC):
            body, request = b"", Request(request.scope)  # the one that was read holds its body
        if answer is not None and answer.status_code < 400 and not kind.tells_answer:
            answer = None
        self._put(Seen(self._now(), service, operation, kind, caller, request, body, answer, error))

    def note_done(
        self,
        service: Service,
        operation: str,
        params: Mapping[str, Any],
        caller: Caller,
        *,
        invoked_by: str = INVOKED_BY,
    ) -> None:
        """A service of AWS did something in the account for somebody, as a schedule does. params: as boto3's."""
        self._note_done(service.model, operation, params, caller, invoked_by, None)

    def note_deed(
        self, service: str, operation: str, params: Mapping[str, Any], caller: Caller, error: Failure | None
    ) -> None:
        """The same of SageMaker or Lambda working as somebody's role: it fetched data, or was not let. service:
        botocore's name, also of one that is not here (ECR)."""
        invoked_by = AS_ROLE if caller.arn.endswith(f"/{SAGEMAKER}") else IN_FUNCTION
        self._note_done(get_service_model(service), operation, params, caller, invoked_by, error)

    def _note_done(
        self,
        service: ServiceModel,
        operation: str,
        params: Mapping[str, Any],
        caller: Caller,
        invoked_by: str,
        error: Failure | None,
    ) -> None:
        name = service.service_name
        if self._uses is not None:
            self._uses.note(caller, name, operation)
        model = service.operation_model(operation)
        kind = kind_of(name, model)
        source = service.signing_name
        if self._thread is not None and kind is not None and self._holds(kind, source, caller):
            self._put(Done(self._now(), name, source, model, kind, caller, params, invoked_by, error))

    def note_own(self, happened: Event) -> None:
        """An event that came through no request."""
        if self._thread is not None:
            self._put(happened)

    def settle(self) -> None:
        """Wait until everything that was noted so far can be found."""
        if self._thread is not None:
            self._asked_for.set()
            self._waiting.join()
            self._asked_for.clear()

    def _holds(self, kind: CallKind, source: str, caller: Caller) -> bool:
        """Whether the history or a trail does. The reads of the account's root, which one leaves out, both do."""
        in_history = kind.is_in_history(by_root=caller.arn.endswith(":root"))
        return in_history or (kind.is_data and self.trails.may_want(kind, source, caller))

    def _put(self, one: Seen | Done | Event) -> None:
        try:
            self._waiting.put_nowait((one, self.trails.current))
        except queue.Full:
            self._lost += 1

    def _work(self) -> None:
        ended = False
        while not ended:
            taken = [self._waiting.get()]
            if self._waiting.qsize() < BATCH:
                self._asked_for.wait(GATHERED)
            while len(taken) < BATCH and taken[-1] is not None:
                try:
                    taken.append(self._waiting.get_nowait())
                except queue.Empty:
                    break
            ended = taken[-1] is None
            if self._lost:
                lost, self._lost = self._lost, 0
                log.warning("CloudTrail: %d events are lost, since %d waited already", lost, MOST_WAITING)
            try:
                self._write([one for one in taken if one is not None])
            except Exception:  # the next events are written all the same
                log.exception("CloudTrail: %d events are lost", len(taken))
            finally:
                for _ in taken:
                    self._waiting.task_done()

    def _write(self, taken: Sequence[Noted]) -> None:
        history: list[Event] = []
        to_deliver: list[tuple[Trail, Event, str]] = []
        for noted, trails in taken:
            one = noted if isinstance(noted, Event) else event_of(noted, self._role_arn)
            if one.kind is None or not one.kind.is_data:
                history.append(one)
            if takers := wanting(trails, one):
                text = json.dumps(one.document)
                to_deliver += [(trail, one, text) for trail in takers]
            time.sleep(0)  # lets a request that waits for the interpreter go before the next event
        if history:
            self.store.add(history, self._now())
        self.pending.add(to_deliver)
