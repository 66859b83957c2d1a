"""A Lambda function as Kennel sees it: what it is, how it stands, and which endpoint it asks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from dashboard.core import tags as tag

LATEST = "$LATEST"
LIVE = "live"
"""The alias that Kennel's functions are called by: what it points at answers, whatever is being tried meanwhile."""
ENDPOINT_NAME = "ENDPOINT_NAME"
"""The environment variable that tells a function of ours which endpoint it asks."""


class Architecture(StrEnum):
    """The processor, as Lambda names it."""

    X86 = "x86_64"
    ARM = "arm64"

    @property
    def word(self) -> str:
        return "x86" if self is Architecture.X86 else "ARM"


class FunctionState(StrEnum):
    """How a function stands: Lambda's State and LastUpdateStatus as one word."""

    ACTIVE = "active"
    PENDING = "being made"
    UPDATING = "being changed"
    UPDATE_FAILED = "change failed"
    INACTIVE = "asleep"
    FAILED = "failed"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> "FunctionState":
        """From a FunctionConfiguration; ListFunctions tells neither of the two, and so UNKNOWN."""
        state = told.get("State", "")
        if state == "Active":
            update = told.get("LastUpdateStatus", "")
            return {"InProgress": cls.UPDATING, "Failed": cls.UPDATE_FAILED}.get(update, cls.ACTIVE)
        return {"Pending": cls.PENDING, "Inactive": cls.INACTIVE, "Failed": cls.FAILED}.get(state, cls.UNKNOWN)

    @property
    def is_changing(self) -> bool:
        """Whether it is worth looking again soon."""
        return self in (FunctionState.PENDING, FunctionState.UPDATING)

    @property
    def answers(self) -> bool:
        """Whether an invocation can be expected to run. One that is asleep wakes up with the first."""
        return self not in (FunctionState.PENDING, FunctionState.FAILED)

    @property
    def word(self) -> str:
        return self.value

    @property
    def tone(self) -> str:
        """Its colour by meaning (ui/tones.py)."""
        if self.is_changing:
            return "running"
        return {
            FunctionState.ACTIVE: "done",
            FunctionState.FAILED: "failed",
            FunctionState.UPDATE_FAILED: "failed",
        }.get(self, "stopped")


@dataclass(frozen=True)
class Function:
    """One function as it is now, its `$LATEST`. timeout: seconds; code_bytes: of its zip; reserved: None without."""

    name: str
    arn: str
    state: FunctionState
    runtime: str
    handler: str
    memory_mb: int
    timeout: int
    architecture: Architecture
    code_bytes: int
    code_sha: str  # base64 of the zip's SHA-256, as Lambda tells it
    role_arn: str
    modified: datetime
    environment: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    reserved: int | None = None
    description: str = ""
    problem: str = ""  # why it failed, in Lambda's words
    subnets: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    revision: str = ""
    ephemeral_mb: int = 512

    @property
    def endpoint(self) -> str:
        """The SageMaker endpoint that it asks; "" for a function that names none."""
        return self.environment.get(ENDPOINT_NAME, "")

    @property
    def is_kennels(self) -> bool:
        """Whether Kennel made it, and so may change and delete it."""
        return tag.is_kennels(self.tags)

    @property
    def is_sample(self) -> bool:
        return tag.is_sample(self.tags)

    @property
    def role_name(self) -> str:
        return self.role_arn.rpartition("/")[2]

    @property
    def log_group(self) -> str:
        return f"/aws/lambda/{self.name}"

    @property
    def in_network(self) -> bool:
        """Whether it runs in a VPC."""
        return bool(self.subnets)


def function_of(
    told: Mapping[str, Any], tags: Mapping[str, str] | None = None, concurrency: Mapping[str, Any] | None = None
) -> Function:
    """A FunctionConfiguration, the function's tags, and GetFunction's Concurrency, as one."""
    vpc = told.get("VpcConfig") or {}
    reasons = [str(told[name]) for name in ("StateReason", "LastUpdateStatusReason") if told.get(name)]
    architectures = told.get("Architectures") or [Architecture.X86.value]
    reserved = (concurrency or {}).get("ReservedConcurrentExecutions")
    return Function(
        name=str(told["FunctionName"]),
        arn=str(told["FunctionArn"]),
        state=FunctionState.of(told),
        runtime=str(told.get("Runtime", "")),
        handler=str(told.get("Handler", "")),
        memory_mb=int(told.get("MemorySize", 128)),
        timeout=int(told.get("Timeout", 3)),
        architecture=Architecture.ARM if Architecture.ARM.value in architectures else Architecture.X86,
        code_bytes=int(told.get("CodeSize", 0)),
        code_sha=str(told.get("CodeSha256", "")),
        role_arn=str(told.get("Role", "")),
        modified=datetime.fromisoformat(str(told["LastModified"])),
        environment=dict((told.get("Environment") or {}).get("Variables") or {}),
        tags=dict(tags or {}),
        reserved=None if reserved is None else int(reserved),
        description=str(told.get("Description", "")),
        problem=". ".join(reasons),
        subnets=tuple(vpc.get("SubnetIds") or ()),
        groups=tuple(vpc.get("SecurityGroupIds") or ()),
        revision=str(told.get("RevisionId", "")),
        ephemeral_mb=int((told.get("EphemeralStorage") or {}).get("Size", 512)),
    )
