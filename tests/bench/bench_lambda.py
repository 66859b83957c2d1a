"""Lambda on the embedded AWS: what a warm function adds to the endpoint that it asks, and what a cold start takes.

The model is a server that answers without one, so that what is Lambda's own is as large a share as it can be. Both are
asked with the same boto3 client in this process, in turns.
"""

import base64
import io
import json
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.bench_endpoint import embedded, invoke, model_less_endpoint
from tests.bench.rows import Row, interleaved

ENDPOINT = "model-less"
ROUNDS = 200
COLD_ROUNDS = 5


def rows() -> list[Row]:
    from tests.local_aws.lambda_world import make_kennels

    photo = drawn_photo()
    event = json.dumps({"image": base64.b64encode(photo).decode()}).encode()
    with tempfile.TemporaryDirectory(prefix="kennel-bench-") as folder, embedded(Path(folder) / "aws") as aws:
        model_less_endpoint(aws, Path(folder))
        function = make_kennels(aws, ENDPOINT)
        functions, runtime = aws.client("lambda"), aws.client("sagemaker-runtime")
        told = json.loads(asked(functions, function, event))
        if told["statusCode"] != 200:
            raise RuntimeError(told["body"])
        warm, direct = interleaved(
            lambda: asked(functions, function, event), lambda: invoke(runtime, ENDPOINT, photo), rounds=ROUNDS
        )
        cold = median(started(functions, function, event) for _ in range(COLD_ROUNDS))
    return [
        Row.of_times(
            "a photo through a warm Lambda function, against its endpoint asked directly, p50",
            warm * 1000,
            direct * 1000,
            "ms",
            f"a warm function adds {(warm - direct) * 1000:.1f} ms",
        ),
        Row.of_times(
            "a warm request, against one that starts its environment with boto3, p50",
            warm * 1000,
            cold * 1000,
            "ms",
        ),
    ]


def asked(functions: Any, function: str, event: bytes) -> bytes:
    return bytes(functions.invoke(FunctionName=function, Payload=event)["Payload"].read())


def started(functions: Any, function: str, event: bytes) -> float:
    """Seconds of a request that has to start its environment: the function is another revision than before."""
    variables = functions.get_function_configuration(FunctionName=function)["Environment"]
    functions.update_function_configuration(FunctionName=function, Environment=variables)
    begun = time.perf_counter()
    asked(functions, function, event)
    return time.perf_counter() - begun


def drawn_photo() -> bytes:
    from training.sample_data import draw_dog

    out = io.BytesIO()
    draw_dog("057.Dalmatian", 2).save(out, "JPEG")
    return out.getvalue()
