"""Who writes down what is sent to AWS while something is carried out: carried along by the thread that carries it out.

core/aws.py tells the witness of this thread, if there is one, of every call that changes or costs something: before it
is sent, and what came back. Threads begin without one: whoever starts a thread for a deed hands the work over with
`carried`, or with `going_on` where the deed is to be over no sooner than the work.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar

from dashboard.core.aws_writes import changes
from dashboard.core.errors import KennelError

if TYPE_CHECKING:
    from dashboard.core.aws import Aws

P = ParamSpec("P")
R = TypeVar("R")
PAID = frozenset({"ce"})
"""Services that charge for every request, reads too: $0.01 (AWS Cost Explorer pricing)."""
_ASKED, _NOTED = "kennel.asked", "kennel.noted"
"""What a request carries along inside botocore: its parameters, and who writes it down."""


@dataclass(frozen=True)
class Sent:
    """A request about to be sent. shape: botocore's of its parameters, which knows what in them is secret."""

    service: str
    operation: str
    parameters: Mapping[str, Any]
    shape: Any = None


@dataclass(frozen=True)
class Answered:
    """What came back. code, message: AWS's error, or the name of what kept the answer from coming; "" for none."""

    status: int | None
    request_id: str = ""
    attempts: int = 1
    code: str = ""
    message: str = ""


class Witness(Protocol):
    """Writes down what one deed asks of AWS."""

    @property
    def deed(self) -> str:
        """The deed's name in the trail."""
        ...

    def sending(self, aws: "Aws", sent: Sent) -> int:
        """Before a call that changes something; which of the deed's it is. What it raises keeps the call from going."""
        ...

    def answered(self, number: int, came: Answered) -> None:
        """What came of that call. Raises nothing: it has happened."""
        ...

    def came(self, sentence: str) -> None:
        """What came of it in the background, which nobody could say when it began."""
        ...

    def hold(self) -> None:
        """Something goes on in the background: the deed is not over before `release`."""
        ...

    def release(self, problem: KennelError | None = None) -> None:
        """That came to its end; problem: why it failed."""
        ...


_present: ContextVar[Witness | None] = ContextVar("witness", default=None)


def witness() -> Witness | None:
    """Who writes down what this thread asks of AWS."""
    return _present.get()


def deed() -> str:
    """The name in the trail of what this thread carries out; "" where nothing is."""
    return "" if (one := _present.get()) is None else one.deed


@contextmanager
def under(one: Witness | None) -> Iterator[None]:
    """Inside, this thread's calls are written down by this one."""
    before = _present.set(one)
    try:
        yield
    finally:
        _present.reset(before)


def carried(work: Callable[P, R]) -> Callable[P, R]:
    """The same work for other threads, each of which then has the witness of this one and what else is of its deed."""
    context = copy_context()

    @wraps(work)
    def does(*given: P.args, **named: P.kwargs) -> R:
        return context.copy().run(work, *given, **named)

    return does


def going_on(work: Callable[P, R]) -> Callable[P, R]:
    """The same, for work in the background that must be done once: its deed is over when it is, as it ends.

    Work that was handed over and is then not begun keeps its deed open: hand it over last.
    """
    one = _present.get()
    work = carried(work)
    if one is None:
        return work
    one.hold()

    @wraps(work)
    def does(*given: P.args, **named: P.kwargs) -> R:
        problem: KennelError | None = None
        try:
            return work(*given, **named)
        except KennelError as error:
            problem = error
            raise
        finally:
            one.release(problem)

    return does


def failed(problem: KennelError) -> None:
    """Work in the background that tells of its failure in its own way says it here too."""
    if (one := _present.get()) is not None:
        one.hold()
        one.release(problem)


def came(sentence: str) -> None:
    """Work in the background says what came of it."""
    if (one := _present.get()) is not None:
        one.came(sentence)


def watch(client: Any, aws: "Aws") -> None:
    """Have the witness of whoever uses this client told of its calls. Once for a client, after its other handlers."""

    def note_call(model: Any, context: dict[str, Any], **_: Any) -> None:
        one, service = witness(), model.service_model.service_name
        if one is not None and (changes(model.name) or service in PAID):
            sent = Sent(service, model.name, context.get(_ASKED, {}), model.input_shape)
            context[_NOTED] = (one, one.sending(aws, sent))

    events = client.meta.events
    events.register_last("before-parameter-build", _keep_parameters)
    events.register_last("before-call", note_call)
    events.register_first("after-call", _note_answer)
    events.register_first("after-call-error", _note_no_answer)


def _keep_parameters(params: Mapping[str, Any], context: dict[str, Any], **_: Any) -> None:
    """As they were asked: later events know a request only as it goes over the wire."""
    if witness() is not None:
        context[_ASKED] = dict(params)


def _note_answer(http_response: Any, parsed: Mapping[str, Any], context: Mapping[str, Any], **_: Any) -> None:
    noted: tuple[Witness, int] | None = context.get(_NOTED)
    if noted is None:
        return
    told, error = parsed.get("ResponseMetadata", {}), parsed.get("Error", {})
    came = Answered(
        http_response.status_code,
        str(told.get("RequestId", "")),
        int(told.get("RetryAttempts", 0)) + 1,
        str(error.get("Code", "")),
        str(error.get("Message", "")),
    )
    noted[0].answered(noted[1], came)


def _note_no_answer(exception: Exception, context: Mapping[str, Any], **_: Any) -> None:
    noted: tuple[Witness, int] | None = context.get(_NOTED)
    if noted is not None:
        noted[0].answered(noted[1], Answered(None, code=type(exception).__name__, message=str(exception)))
