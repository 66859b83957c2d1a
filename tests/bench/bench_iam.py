"""One request judged by ten of AWS's policies, against moto, the other judge of policies in Python that is at hand.

Both have read the policies before. moto compiles its patterns to regular expressions, which is why the second row is
there: a pattern that was made to take long.
"""

import json
from collections.abc import Callable
from time import perf_counter

from moto.iam.access_control import IAMPolicy
from moto.iam.aws_managed_policies import aws_managed_policies_data

from dashboard.core.iam.documents import Policy
from dashboard.core.iam.evaluate import evaluate
from dashboard.core.iam.requests import rights_of
from dashboard.core.iam.rights import Where
from tests.bench.rows import Row, interleaved

POLICIES = ("AmazonSageMakerFullAccess", "AmazonS3ReadOnlyAccess", "AmazonEC2ReadOnlyAccess", "IAMReadOnlyAccess",
            "CloudWatchFullAccess", "AWSLambda_FullAccess", "AmazonSNSFullAccess", "AmazonSSMReadOnlyAccess",
            "AmazonDynamoDBReadOnlyAccess", "AmazonSQSFullAccess")  # fmt: skip
OBJECT = "arn:aws:s3:::kennel-123456789012-us-east-1/datasets/dogs/train/beagle/0001.jpg"
TIMES, ROUNDS = 500, 7
STARS = 5  # of the wicked pattern: every one more takes a regular expression some ten times as long
_HERE = Where("123456789012", "us-east-1")


def rows() -> list[Row]:
    of_aws = json.loads(aws_managed_policies_data)
    ten = [json.dumps(of_aws[name]["Document"]) for name in POLICIES]
    ours, theirs = _each(ten)
    needed = _microseconds(lambda: rights_of("s3", "GetObject", {"Bucket": "b", "Key": "k"}, _HERE))
    wicked = "arn:aws:s3:::" + "*a" * STARS + "b"
    slow, slower = _each([json.dumps(_allowing(wicked))], resource="arn:aws:s3:::" + "a" * 60, times=5)
    return [
        Row.of_times(
            "security: one request judged by ten of AWS's policies",
            ours,
            theirs,
            "µs",
            f"moto's is the other one; which rights a request needs is told in {needed:.0f} µs",
        ),
        Row.of_times(
            f"security: a request judged by a pattern of {STARS} wildcards made to take long",
            slow,
            slower,
            "µs",
            "ours grows with the text alone, a regular expression with every wildcard",
        ),
    ]


def _allowing(resource: str) -> dict[str, object]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": resource}]}


def _each(documents: list[str], resource: str = OBJECT, times: int = TIMES) -> tuple[float, float]:
    """Median microseconds of one judgement: ours, moto's."""
    read = [Policy.parse(one) for one in documents]
    of_moto = [IAMPolicy(one) for one in documents]

    def ours() -> None:
        for _ in range(times):
            evaluate(read, "s3:GetObject", resource)

    def theirs() -> None:
        for _ in range(times):
            for one in of_moto:
                one.is_action_permitted("s3:GetObject", resource)

    first, second = interleaved(ours, theirs, rounds=ROUNDS)
    return first / times * 1e6, second / times * 1e6


def _microseconds(action: Callable[[], object]) -> float:
    action()
    started = perf_counter()
    for _ in range(TIMES):
        action()
    return (perf_counter() - started) / TIMES * 1e6
