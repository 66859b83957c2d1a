"""What an endpoint can be made from: a run's model, the starter, a registered version, or any archive in S3."""

from dataclasses import dataclass
from enum import StrEnum

from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.runs.model import Run
from dashboard.core.runs.spec_problems import S3_URI


class SourceKind(StrEnum):
    """Where a model comes from, as a person chooses it."""

    RUN = "a run"
    REGISTERED = "a registered version"
    STARTER = "the starter"
    ARCHIVE = "an archive in S3"


@dataclass(frozen=True)
class Source:
    """A model.tar.gz at an address in S3. run: whose it is; package: the ARN of its registered version; "" for none."""

    uri: str
    name: str
    kind: SourceKind = SourceKind.ARCHIVE
    run: str = ""
    package: str = ""


def of(model: "Run | Source | str") -> Source:
    """A source from what is at hand. Raises Refused for a run without a model, InvalidInput for what is no address."""
    if isinstance(model, Source):
        found = model
    elif isinstance(model, str):
        found = Source(model, model.rsplit("/", 1)[-1])
    elif not model.artifact_uri or not model.status.is_good:
        raise Refused(
            f"the run {model.name} has no model to deploy",
            f"it is {model.status.word}",
            "choose a run that has completed",
        )
    else:
        found = Source(model.artifact_uri, model.name, SourceKind.RUN, run=model.name)
    if not S3_URI.fullmatch(found.uri) or not found.uri.endswith(".tar.gz"):
        raise InvalidInput(
            "the model must be an address like s3://bucket/models/dogs/model.tar.gz",
            f'it is "{found.uri}"',
            "choose a completed run",
            field="model",
        )
    return found
