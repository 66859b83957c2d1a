"""What a job's hosts left in model/ and output/data, stored in S3 as SageMaker stores it."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from local_aws.engine import artifacts
from local_aws.engine.errors import ClientFaultError
from local_aws.engine.job import Job
from local_aws.engine.machine import Machine
from local_aws.engine.opt_ml import OptMl
from local_aws.errors import ServiceError


def store_model(job: Job, machine: Machine, places: Sequence[OptMl]) -> str:
    """Store every host's model/ as one; its S3 address, "" where no host left anything. Raises ClientFaultError."""
    return _store(job, machine, places, "model", "model.tar.gz")


def store_output(job: Job, machine: Machine, places: Sequence[OptMl]) -> str:
    """The same of output/data."""
    return _store(job, machine, places, "output/data", "output.tar.gz")


def _store(job: Job, machine: Machine, places: Sequence[OptMl], name: str, archive: str) -> str:
    """As one archive, or file by file; of a file that several hosts have, the first host's is kept."""
    folders = []
    for place in places:
        folder = place.own(name)
        if folder is None:
            raise ClientFaultError(f"Artifact upload failed: /opt/ml/{name} is a link. Write into the folder itself")
        if artifacts.has_files(folder):
            folders.append(folder)
    if not folders:
        return ""
    try:
        if not job.compressed:
            target = job.output.below("model" if name == "model" else "data")
            for key, path in _files(folders).items():
                below = target.below(key)
                machine.objects.add_file(below.bucket, below.key, path)
            return target.uri + "/"
        target = job.output.below(archive)
        with TemporaryDirectory(dir=machine.scratch) as outgoing:  # where the job could put no link or pipe
            packed = Path(outgoing, archive)
            artifacts.pack(folders[0], packed, folders[1:])
            machine.objects.add_file(target.bucket, target.key, packed)
    except ServiceError as error:
        raise ClientFaultError(f"Artifact upload failed: {job.output.uri}: {error.message}") from error
    except OSError as error:
        raise ClientFaultError(f"Artifact upload failed: {error.strerror}") from error
    return target.uri


def _files(folders: Sequence[Path]) -> dict[str, Path]:
    """Every file by its name below its folder."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in artifacts.files(folder):
            found.setdefault(str(path.relative_to(folder)), path)
    return found
