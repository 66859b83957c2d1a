"""Hundreds of drawn specs, odd ones among them: what the form accepts is a request that AWS's own model accepts."""

import ast
import random
import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.validate import ParamValidator

from dashboard.core.runs.spec import Capacity, Platform, Range, RangeKind, TrainingSpec, Tuning
from dashboard.core.runs.spec_problems import problems
from dashboard.core.runs.tuning_problems import OBJECTIVES, SCALINGS
from tests.core.runs.test_requests import make

HOSTILE = ("$(touch /tmp/owned)", "`id`", "'; id; '", '"; import os; "', "a\nb", "a\tb", "a\u2028b", "é und 犬", "\\",
           "JSON", "'''", "a\x00b", "ada @ dogs", "x" * 300, "٣", "²")  # fmt: skip
NAMES = ("", "", "dogs-1", "a", "-a", "a-", "a" * 63, "a" * 32, "a--b", *HOSTILE)
ADDRESSES = ("", "", "203.0.113.7", "2001:db8::1", "fe80::1%eth0", "fe80::1%$(id)", "0.0.0.0/0", *HOSTILE)
FOLDERS = ("s3://dogs/breeds/", "s3://dogs/" + "d" * 1100, "s3://dogs/a b/'x'/", "s3://d/", "s3://dogs/é/",
           *(f"s3://dogs/{text}/" for text in HOSTILE))  # fmt: skip
IDS = ("subnet-1", "subnet-" + "0" * 40, *HOSTILE)
GROUPS = ("sg-1", "sg-" + "0" * 40, *HOSTILE)
KEYS = ("", "alias/dogs", "arn:aws:kms:us-east-1:123456789012:key/1", "k" * 2100, *HOSTILE)


def drawn(source: random.Random) -> TrainingSpec:
    """A spec in which most things fit and a few are odd."""

    def odd(usual: Any, *others: Any) -> Any:
        return source.choice(others) if source.random() < 0.15 else usual

    platform = source.choice(list(Platform))
    on_ec2 = platform is Platform.EC2
    tuning = _tuning(source, odd) if source.random() < 0.4 and not on_ec2 else None
    ssh = on_ec2 and source.random() < 0.4
    network = source.random() < 0.4
    return TrainingSpec(
        odd("s3://dogs/breeds/", *FOLDERS),
        platform=platform,
        capacity=source.choice(list(Capacity)),
        instance_type=odd("m5.large" if on_ec2 else "ml.m5.large", "g5.xlarge", "ml.g5.xlarge", "ml.m5.huge", *HOSTILE),
        instance_count=odd(1, 2, 20, 21, 0),
        learning_rate=odd(0.02, 1e-4, 0.5, float("nan"), 0.0),
        batch_size=odd(64, 1, 0, 4096),
        epochs=odd(20, 1, 0, 1000),
        advanced=odd((), (("engine", "torch"),), (("hidden", "64"),), (("name", "x"),), (("weights", "s3://d/$(id)"),)),
        max_seconds=odd(3600, 60, 59, 432000, 432001),
        max_wait_seconds=odd(0, 7200, 10, 28 * 86400, 28 * 86400 + 1),
        name=odd("", *NAMES),
        tuning=tuning,
        subnets=tuple(odd("subnet-1", *IDS) for _ in range(odd(1, 2, 16, 17))) if network else (),
        security_groups=tuple(odd("sg-1", *GROUPS) for _ in range(odd(1, 2, 5, 6))) if network else (),
        kms_key=odd("", *KEYS),
        project=odd("", *HOSTILE),
        owner=odd("", *HOSTILE),
        key_name=odd("ada", *HOSTILE) if ssh else "",
        ssh_address=odd("203.0.113.7", *ADDRESSES) if ssh else "",
        volume_gb=odd(30, 8, 7, 16384, 16385),
        resume_from=odd("", *FOLDERS) if tuning is None else "",
        interrupt_after=odd("", "20", "20 45", "20 " * 300 + "1", *HOSTILE),
        interruptions_per_hour=odd(0.0, 3.5, 1e9, float("nan")),
    )


def _tuning(source: random.Random, odd: Any) -> Tuning:
    ranges = (
        Range("learning_rate", RangeKind.CONTINUOUS, odd(0.001, 1e-4, 1 / 3), odd(0.1, 0.3), odd("Auto", *SCALINGS)),
        Range("epochs", RangeKind.INTEGER, odd(5, 1, 2.5), odd(40, 100), "Linear"),
        Range("batch_size", RangeKind.CATEGORICAL, values=odd(("32", "64"), (), tuple(str(n) for n in range(1, 40)))),
        Range("engine", RangeKind.CATEGORICAL, values=("onnx", "torch")),
    )
    return Tuning(
        tuple(source.sample(ranges, source.randint(1, len(ranges)))),
        strategy=odd("Bayesian", "Random", "Grid", "Hyperband"),
        objective=odd("valid:loss", *OBJECTIVES),
        goal=odd("Minimize", "Maximize"),
        max_jobs=odd(4, 1, 750, 751),
        parallel=odd(2, 1, 100, 101),
        early_stopping=odd(True, False),
        seed=odd(None, 0, 2**31 - 1, 2**31),
    )


def broken(shape: Shape, value: Any, where: str = "") -> Iterator[str]:
    """What of the model's own limits a request breaks: ParamValidator looks at types and least lengths only."""
    limits = shape.metadata
    if isinstance(shape, StructureShape):
        for name, member in value.items():
            yield from broken(shape.members[name], member, f"{where}.{name}")
        return
    if isinstance(shape, MapShape):
        for key, member in value.items():
            yield from broken(shape.key, key, f"{where} key {key}")
            yield from broken(shape.value, member, f"{where}.{key}")
    if isinstance(shape, ListShape):
        for place, member in enumerate(value):
            yield from broken(shape.member, member, f"{where}[{place}]")
    size = value if shape.type_name in ("integer", "long") else len(value) if hasattr(value, "__len__") else 0
    if "max" in limits and size > limits["max"]:
        yield f"{where}: {size} is more than {limits['max']}"
    if "min" in limits and size < limits["min"]:
        yield f"{where}: {size} is less than {limits['min']}"
    if isinstance(shape, StringShape):
        pattern = limits.get("pattern")
        if pattern and not re.fullmatch(_in_python(pattern), value):
            yield f"{where}: {value!r} is not {pattern}"
        if shape.enum and value not in shape.enum and shape.name != "TrainingInstanceType":  # AWS adds to them
            yield f"{where}: {value!r} is none of its values"


def _in_python(pattern: str) -> str:
    """A service model's pattern, which may use Unicode classes; Python's \\w is its letters, digits and _."""
    return (
        pattern.replace(r"\p{L}", r"\w")
        .replace(r"\p{N}", r"\w")
        .replace(r"\p{Z}", " \u00a0\u2028\u2029")
        .replace(r"\p{M}", "\u0300-\u036f")
    )


@pytest.fixture(scope="module")
def plans(prices):
    source = random.Random(20261121)
    specs = [drawn(source) for _ in range(3000)]
    return [make(prices, spec) for spec in specs if not problems(spec)]


def test_whatever_the_form_accepts_aws_accepts(plans):
    session = botocore.session.Session()
    assert len(plans) > 300
    wrong = {}
    for made in plans:
        for call in made.calls:
            if call.service == "s3":
                continue
            shape = session.get_service_model(call.service).operation_model(call.operation).input_shape
            report = ParamValidator().validate(call.parameters, shape)
            if found := [*([report.generate_report()] if report.has_errors() else []), *broken(shape, call.parameters)]:
                wrong[found[0][:200]] = repr(made.spec)[:600]
            if call.service == "ec2":  # its model has no limits: these stand in addresses and commands as they are
                ids = (call.parameters.get("SubnetId", "-"), *call.parameters.get("SecurityGroupIds", ()))
                wrong |= {one: "is no id" for one in ids if not re.fullmatch(r"[-0-9a-zA-Z]+", one)}
    assert not wrong


def test_a_zone_of_this_machine_is_no_address_to_open_ssh_to():
    spec = TrainingSpec("s3://dogs/breeds/", Platform.EC2, instance_type="m5.large", key_name="ada")
    for zone in ("eth0", "$(id)", "'; id"):
        assert [one.field for one in problems(replace(spec, ssh_address=f"fe80::1%{zone}"))] == ["ssh_address"]
    assert not problems(replace(spec, ssh_address="2001:db8::1"))


@pytest.mark.parametrize("text", ["a\nb", "a\tb", "a\u2028b", "a" * 257])
def test_a_label_is_one_line_of_what_aws_takes(text):
    assert [one.field for one in problems(TrainingSpec("s3://dogs/breeds/", owner=text))] == ["owner"]


def test_every_text_can_be_read_by_what_runs_it(plans):
    for made in plans[:150]:
        for language, text in made.code.items():
            text.encode()
            if language == "AWS CLI":
                checked = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True, check=False)
                assert checked.returncode == 0, checked.stderr
            else:
                ast.parse(text)
