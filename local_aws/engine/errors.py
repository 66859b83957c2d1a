"""What can go wrong while the engine runs something, told in sentences that reach FailureReason.

EngineError              a job or an endpoint cannot go on; `reason` is what SageMaker would show
├── ClientFaultError     "ClientError: …": its data, names or model archive are not usable
├── AlgorithmFaultError  "AlgorithmError: …": its own code failed
└── InternalFaultError   "InternalServerError: …": this machine failed it
"""


class EngineError(Exception):
    """A reason that a person can act on. `reason` carries SageMaker's own prefix and is cut to its 1,024 characters."""

    prefix = "InternalServerError"

    @property
    def reason(self) -> str:
        return f"{self.prefix}: {self}"[:1024]


class ClientFaultError(EngineError):
    """What the request points to cannot be used."""

    prefix = "ClientError"


class AlgorithmFaultError(EngineError):
    """The code of the job or of the model failed."""

    prefix = "AlgorithmError"


class InternalFaultError(EngineError):
    """This machine could not do it."""
