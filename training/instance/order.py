"""What an instance was launched to do: request.json of its run, as it lies in S3."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.errors import BadSettings
from training.s3_source import Place

PREFIX = "ec2-runs/"


@dataclass(frozen=True)
class Order:
    """One run. `max_seconds` counts from the moment that the instance begins with it."""

    name: str
    bucket: str
    region: str
    data: Place
    output: Place
    checkpoints: Place
    max_seconds: float
    hyperparameters: Mapping[str, str]
    instance_type: str
    log_group: str
    log_stream: str
    metric_namespace: str

    @property
    def folder(self) -> str:
        """The run's own folder in the bucket."""
        return f"{PREFIX}{self.name}/"

    @property
    def host(self) -> str:
        """The value of the metrics' dimension Host: the only machine of the run."""
        return f"{self.name}/algo-1"

    @classmethod
    def parse(cls, bucket: str, text: str) -> "Order":
        """Raises BadSettings for what is no request of a run, BadSource for an address that is none."""
        try:
            told: dict[str, Any] = json.loads(text)
            return cls(
                name=told["name"],
                bucket=bucket,
                region=told["region"],
                data=Place.parse(told["dataset_uri"]),
                output=Place.parse(told["output_uri"]),
                checkpoints=Place.parse(told["checkpoint_uri"]),
                max_seconds=float(told["max_seconds"]),
                hyperparameters={name: str(value) for name, value in told["hyperparameters"].items()},
                instance_type=told["instance_type"],
                log_group=told["log_group"],
                log_stream=told["log_stream"],
                metric_namespace=told["metric_namespace"],
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BadSettings(
                f"request.json of this run cannot be read ({type(error).__name__}: {error}): launch it again."
            ) from error
