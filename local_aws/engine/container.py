"""SageMaker's container contract for a training job: the JSON files in input/config and the SM_* variables.

Names and forms are those of AWS's PyTorch training images (sagemaker-training-toolkit).
"""

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import local_aws
from local_aws.engine.hosts import Seat
from local_aws.engine.job import Job
from local_aws.engine.opt_ml import OptMl

Access = Callable[[str, str], Mapping[str, str]]
"""The variables that let a process work as a role (its ARN) in a region."""
GROUP = "homogeneousCluster"
INTERFACE = "lo"  # every host is this machine
TUNING_OBJECTIVE = "_tuning_objective_metric"  # a hyperparameter of a tuning job's children; no argument of a script
_SYSTEM = ("LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "SSL_CERT_FILE", "SSL_CERT_DIR")
_NETWORK = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def clean_environment(place: OptMl, system: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables any child starts from: nothing of AWS, no secret of the server's, `python` is ours.

    HOME and TMPDIR lie in the child's own folder: gone with it, and short enough for the sockets that go there.
    """
    kept = {name: system[name] for name in (*_SYSTEM, *_NETWORK) if name in system}
    kept |= {name: value for name, value in system.items() if name.startswith("PIP_")}
    if any(name.lower().endswith("_proxy") for name in kept):  # no proxy leads back to this server
        direct = ",".join(filter(None, (system.get("no_proxy") or system.get("NO_PROXY"), "127.0.0.1")))
        kept |= {"no_proxy": direct, "NO_PROXY": direct}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{system.get('PATH', os.defpath)}",
        "PYTHONPATH": str(Path(local_aws.__file__).parents[1]),  # so that `-m training.train` works from any folder
        "PYTHONUNBUFFERED": "1",  # a log that shows lines when they are printed
        "HOME": place.seen("home"),
        "TMPDIR": place.seen("tmp"),
    }


def with_our_python(command: Sequence[str]) -> list[str]:
    """`command` with "python" meaning the Python that runs this server, wherever it is."""
    first, *rest = command
    return [sys.executable if first in ("python", "python3") else first, *rest]


def resource_config(job: Job, seat: Seat) -> dict[str, Any]:
    hosts = list(seat.names)
    return {
        "current_host": seat.name,
        "current_instance_type": job.instance_type,
        "current_group_name": GROUP,
        "hosts": hosts,
        "instance_groups": [{"instance_group_name": GROUP, "instance_type": job.instance_type, "hosts": hosts}],
        "network_interface_name": INTERFACE,
    }


def input_data_config(job: Job) -> dict[str, Any]:
    return {channel.name: dict(channel.settings) for channel in job.channels}


def write_config(job: Job, seat: Seat, place: OptMl) -> None:
    """hyperparameters.json, resourceconfig.json and inputdataconfig.json below input/config."""
    config = place.folder / "input/config"
    hyperparameters = {name: place.text(value) for name, value in job.hyperparameters.items()}
    for name, content in (
        ("hyperparameters", hyperparameters),
        ("resourceconfig", resource_config(job, seat)),
        ("inputdataconfig", input_data_config(job)),
    ):
        (config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")


def variables(job: Job, seat: Seat, *, gpus: int, cpus: int) -> dict[str, str]:
    """SM_* as AWS's images set them, the job's name and ARN, and the job's own Environment, which wins.

    Hosts of one job are told that each has its share of the cores.
    Values name /opt/ml; OptMl.environment rewrites that where a process cannot see it.
    """
    hyperparameters = {name: _decoded(value) for name, value in job.hyperparameters.items()}
    ours = {
        name: value
        for name, value in hyperparameters.items()
        if not name.startswith("sagemaker_") and name != TUNING_OBJECTIVE
    }
    channels = {channel.name: f"/opt/ml/input/data/{channel.name}" for channel in job.channels}
    found = {
        "TRAINING_JOB_NAME": job.name,
        "TRAINING_JOB_ARN": job.arn,
        "SM_MODEL_DIR": "/opt/ml/model",
        "SM_INPUT_DIR": "/opt/ml/input",
        "SM_INPUT_CONFIG_DIR": "/opt/ml/input/config",
        "SM_OUTPUT_DIR": "/opt/ml/output",
        "SM_OUTPUT_DATA_DIR": "/opt/ml/output/data",
        "SM_CHANNELS": json.dumps(sorted(channels)),
        "SM_HPS": json.dumps(ours),
        "SM_USER_ARGS": json.dumps([text for name, value in ours.items() for text in (f"--{name}", str(value))]),
        "SM_HOSTS": json.dumps(list(seat.names)),
        "SM_HOST_COUNT": str(len(seat.names)),
        "SM_CURRENT_HOST": seat.name,
        "SM_CURRENT_HOST_RANK": str(seat.index),
        "SM_CURRENT_INSTANCE_TYPE": job.instance_type,
        "SM_CURRENT_INSTANCE_GROUP": GROUP,
        "SM_NETWORK_INTERFACE_NAME": INTERFACE,
        "SM_NUM_GPUS": str(gpus),
        "SM_NUM_CPUS": str(max(1, cpus // len(seat.names))),
        "SM_NUM_NEURONS": "0",
        "SM_RESOURCE_CONFIG": json.dumps(resource_config(job, seat)),
        "SM_INPUT_DATA_CONFIG": json.dumps(input_data_config(job)),
        "SM_LOG_LEVEL": "20",
    }
    if seat.port:
        found |= {"MASTER_ADDR": seat.names[0], "MASTER_PORT": str(seat.port)}
        found |= {"SM_MASTER_ADDR": seat.names[0], "SM_MASTER_PORT": str(seat.port)}
    for name, path in channels.items():
        found |= dict.fromkeys(_names("SM_CHANNEL_", name), path)
    for name, value in ours.items():
        text = value if isinstance(value, str) else json.dumps(value)
        found |= dict.fromkeys(_names("SM_HP_", name), text)
    return found | dict(job.environment)


def count_gpus(driver: Path = Path("/proc/driver/nvidia/gpus")) -> int:
    """The NVIDIA GPUs of this machine, whatever instance type a job asks for."""
    return sum(1 for _ in driver.iterdir()) if driver.is_dir() else 0


def count_cpus() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _names(prefix: str, name: str) -> set[str]:
    """AWS's images keep a hyphen, which no shell can read; the underscore form is there as well."""
    return {prefix + name.upper(), prefix + name.upper().replace("-", "_")}


def _decoded(value: str) -> Any:
    """Hyperparameters are JSON where they can be read as it ("0.1", "[1, 2]", "\\"text\\""), else plain text."""
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
