"""Why a run ended badly, in words: what happened, why, what to do next, and the line of its log that matters. Pure."""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from dashboard.core.format import count, duration
from dashboard.core.runs.model import Run, RunStatus

TELLING = re.compile(r"(?i:\berror\b|\bkilled\b|no space left|out of memory|traceback)|\w(?:Error|Exception)\b")
_PREFIX = re.compile(r"^(?:AlgorithmError|ClientError|InternalServerError|CapacityError):\s*")
_EXIT = re.compile(r",?\s{0,4}exit code:\s*-?\d+\s*$", re.IGNORECASE)
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_DENIED = re.compile(
    r"is not authorized to perform: (?P<action>[\w-]+:\w+)(?: on resource: \"?(?P<resource>arn:[^\s\",]+))?"
)
_ACCESS = re.compile(
    r"AccessDenied|UnauthorizedOperation|not authorized to|(?i:permission denied)|\b403\b.*(?i:forbidden)"
)
_MEMORY = re.compile(
    r"(?i:lack of memory|out of memory|cannot allocate memory)|MemoryError|OutOfMemory|std::bad_alloc"
    r"|exit code: -?(?:137|9)\b"
)
_DISK = re.compile(
    r"(?i:no space left|no room for|disk (?:of this machine )?is full|volume(?: of \S+)? is full)"
    r"|VolumeSizeInGB|DiskFull|Errno 28"
)
_DIVERGED = re.compile(r"(?i:loss was no number|scores are no numbers|diverged|loss is nan|nan loss)")
_NO_DATA = re.compile(
    r"(?i:no s3 objects? found|nosuchkey|nosuchbucket|bucket does not exist|data download failed"
    r"|holds no \w*\s*training photos|no photos|has no train/ folder|there is no data folder)"
)
_MISSING = re.compile(r"(?:ModuleNotFoundError: No module named |ImportError: )['\"]?(?P<module>[\w.]+)?")
_CAPACITY = re.compile(r"CapacityError|(?i:insufficient ?(?:instance ?)?capacity|no capacity)")
MOST_TEXT = 10_000
"""Characters of one line that are looked at: a training may print a photo in letters."""
_SERVER = "the embedded AWS stopped while this job was running"


@dataclass(frozen=True)
class Explanation:
    """A failure for a person. `statement`: the IAM statement to ask for, where a permission was missing."""

    what: str
    why: str
    next_step: str
    line: str = ""
    statement: dict[str, Any] | None = None


def explain(run: Run, lines: Iterable[str] = ()) -> Explanation | None:
    """Why it ended without what was wanted, from AWS's words and the end of its log; None for a run that did not.

    The log's last lines are enough. Of several causes the first that caused the others is told.
    """
    if not run.status.is_bad:
        return None
    texts = [text for line in lines if (text := _CONTROL.sub("", line[:MOST_TEXT]).strip())]
    line = telling_line(texts)
    for cause in _BY_STATUS.get(run.status, _CAUSES):
        found = cause(run, run.failure, line)
        if found is not None:
            return found
    told = _told(run.failure)
    shown = line if line and line not in told else ""
    if not told:
        return Explanation(run.status.word, "AWS gives no reason", "read the end of its log, then train again", shown)
    if run.failure.startswith("InternalServerError"):
        return Explanation("AWS failed on this run", told, "train again; it was not the training's fault", shown)
    return Explanation(
        "the training ended with an error", told, "mend the cause, then train again with these settings", shown
    )


def telling_line(lines: Iterable[str]) -> str:
    """The log line that says most about a failure: the last one that speaks of an error, else the last one."""
    texts = list(lines)
    return next((text for text in reversed(texts) if TELLING.search(text)), texts[-1] if texts else "")


def _told(failure: str) -> str:
    """AWS's words without its prefixes and the exit code, which say nothing to a person."""
    return _EXIT.sub("", _PREFIX.sub("", failure.strip())).strip()


def _out_of_time(run: Run, failure: str, line: str) -> Explanation:
    limit = duration(run.max_seconds) if run.max_seconds else "its time limit"
    kept = "its checkpoints are kept: resume it with a longer limit" if run.can_resume else "train again"
    saved = "; the best model so far was saved" if run.artifact_uri else ""
    return Explanation(
        "the time limit ended it",
        f"it was not done after {limit}{saved}",
        f"{kept}, or with fewer epochs or a larger instance",
    )


def _out_of_wait(run: Run, failure: str, line: str) -> Explanation:
    limit = f" within {duration(run.max_wait_seconds)}" if run.max_wait_seconds else ""
    return Explanation(
        "spot capacity did not come in time",
        f"waiting and training together were not done{limit}",
        "allow a longer wait, choose another instance type, or train on demand",
    )


def _reclaimed(run: Run, failure: str, line: str) -> Explanation:
    why = (
        "simulated: the interruption was asked for with the launch"
        if run.is_interruption_asked_for
        else "spot instances cost less because AWS may take them back at two minutes' notice"
    )
    return Explanation("EC2 took its spot instance back", why, f"{after_take_back(run)}, or train on demand")


def after_take_back(run: Run) -> str:
    """What to do with a run whose spot instance was taken back."""
    if run.can_resume:
        return "resume it: it goes on from its last checkpoint"
    if run.has_checkpoint is False:
        return "it was taken back before its first checkpoint: start it again"
    return "start it again"


def _server(run: Run, failure: str, line: str) -> Explanation | None:
    if _SERVER not in failure:
        return None
    return Explanation(
        "the embedded AWS was ended while it trained",
        "a job on demand does not outlive the server on this machine; one on spot with checkpoints does",
        "train again",
    )


def _capacity(run: Run, failure: str, line: str) -> Explanation | None:
    if not _CAPACITY.search(failure):
        return None
    return Explanation(
        f"AWS had no {run.instance_type} free",
        _told(failure),
        "try again later, or choose another instance type",
    )


def _denied(run: Run, failure: str, line: str) -> Explanation | None:
    text = next((one for one in (failure, line) if _DENIED.search(one) or _ACCESS.search(one)), "")
    if not text:
        return None
    role = run.role.rsplit("/", 1)[-1] or "the training's role"
    found = _DENIED.search(text)
    if found is None:
        return Explanation(
            "the training was not allowed to read or write something",
            f"the role {role} lacks a permission: {_told(text)}",
            f"see what it wanted in its log, and add that to {role}",
            line,
        )
    action, resource = found["action"], (found["resource"] or "*").rstrip(".,")
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return Explanation(
        f"the training was not allowed to {action}",
        f"the role {role} lacks this permission" + (f" on {resource}" if resource != "*" else ""),
        f"ask for this statement in {role}: {json.dumps(statement)}",
        line,
        statement,
    )


def _memory(run: Run, failure: str, line: str) -> Explanation | None:
    if not _MEMORY.search(failure) and not _MEMORY.search(line):
        return None
    on = count(run.instance_count, run.instance_type, run.instance_type)
    return Explanation(
        "it ran out of memory",
        f"the training needed more memory than {on} has: the system ended it",
        "choose an instance type with more memory, or a smaller batch size",
        line,
    )


def _disk(run: Run, failure: str, line: str) -> Explanation | None:
    if not _DISK.search(failure) and not _DISK.search(line):
        return None
    size = f" of {run.volume_gb} GB" if run.volume_gb else ""
    return Explanation(
        "its disk was full",
        f"data, checkpoints and model did not fit on the volume{size}",
        "ask for a larger volume, or use less data",
        line,
    )


def _diverged(run: Run, failure: str, line: str) -> Explanation | None:
    if not _DIVERGED.search(failure) and not _DIVERGED.search(line):
        return None
    rate = run.hyperparameters.get("learning_rate", "")
    return Explanation(
        "the training diverged: its loss was no number any more",
        f"most often the learning rate is too high; it was {rate}" if rate else _told(failure),
        "train again with a learning rate ten times smaller",
        line,
    )


def _no_data(run: Run, failure: str, line: str) -> Explanation | None:
    if not _NO_DATA.search(failure):
        return None
    return Explanation(
        "its data was not there",
        _told(failure),
        f"look at what lies under {run.dataset_uri or 'the address of its data'}, then train again",
    )


def _missing(run: Run, failure: str, line: str) -> Explanation | None:
    found = _MISSING.search(failure) or _MISSING.search(line)
    if found is None:
        return None
    module = found["module"] or "a module"
    return Explanation(
        f"the image lacks the Python package {module}",
        "the training code imports it, and neither the image nor the code that was sent along has it",
        "add it to the requirements that travel with the code, or choose an image that has it",
        line,
    )


def _trials(run: Run, failure: str, line: str) -> Explanation | None:
    if not run.is_tuning:
        return None
    return Explanation(
        "the tuning job ended without a model",
        _told(failure) or "AWS gives no reason",
        "open one of its trials that failed: its log says why",
    )


def _instance(run: Run, failure: str, line: str) -> Explanation | None:
    """An EC2 training that did not come to its own end: what is known is what became of its instance."""
    if not run.is_on_ec2 or not failure or failure.startswith("AlgorithmError"):
        return None
    if not run.instance_id:
        return Explanation("the launch broke off", failure, "launch it again: it has cost nothing")
    again = "resume it from its last checkpoint, or train again" if run.can_resume else "train again"
    return Explanation("the instance ended before the training was done", failure, again, line)


_Cause = Callable[[Run, str, str], Explanation | None]
_CAUSES: tuple[_Cause, ...] = (
    _trials,
    _server,
    _capacity,
    _denied,
    _disk,
    _memory,
    _diverged,
    _no_data,
    _missing,
    _instance,
)
_BY_STATUS: dict[RunStatus, tuple[_Cause, ...]] = {
    RunStatus.OUT_OF_TIME: (_out_of_time,),
    RunStatus.OUT_OF_WAIT: (_out_of_wait,),
    RunStatus.RECLAIMED: (_reclaimed,),
}
