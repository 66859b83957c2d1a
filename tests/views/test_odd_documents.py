"""What somebody wrote into a run's documents in S3: the page stands, shows it as text, and lists all other runs."""

import json
from typing import Any

import pytest

from tests.views.conftest import Open, text
from tests.views.scripted import ScriptedAws

ODD = "<img src=x onerror=alert(1)> **b** [x](javascript:alert(1)) \x1b[31mred `c` :red[x] $x^2$"
OTHER = "drawn-dogs-5d20e9f1"


def write(aws: ScriptedAws, file: str, **members: Any) -> None:
    told = json.loads(aws.bodies[f"ec2-runs/dogs/{file}"])
    aws.bodies[f"ec2-runs/dogs/{file}"] = json.dumps(told | members).encode()


@pytest.mark.parametrize("file", ["request.json", "status.json"])
@pytest.mark.parametrize("content", [b"{", b"null", b"\xff\xfe", b"[" * 100_000], ids=["cut", "null", "binary", "deep"])
def test_a_broken_document_is_said_and_hides_no_other_run(
    aws: ScriptedAws, visit: Open, file: str, content: bytes
) -> None:
    aws.add_ec2("dogs", "InProgress")
    aws.bodies[f"ec2-runs/dogs/{file}"] = content
    page = visit(aws, "runs")
    assert not page.exception
    assert f"{file} of the EC2 training dogs cannot be read" in text(page)
    assert OTHER in list(page.dataframe[0].value["Run"])
    alone = visit(aws, "run", run="ec2:dogs")
    assert not alone.exception
    assert f"{file} of the ec2 training dogs cannot be read" in text(alone).lower()


def test_text_from_a_run_stays_text(aws: ScriptedAws, visit: Open) -> None:
    aws.add_ec2("dogs", "Failed", log=[ODD])
    write(aws, "request.json", tags={"owner": ODD, "project": ODD})
    stage = {"name": "Training", "started": "2026-11-21T12:00:00+00:00", "ended": None, "message": ODD}
    write(aws, "status.json", failure=ODD, stages=[stage])
    for where, query in (("run", {"run": "ec2:dogs"}), ("runs", {}), ("compare", {"compare": f"ec2:dogs,{OTHER}"})):
        page = visit(aws, where, **query)
        assert not page.exception
        said = text(page)
        assert "<img" not in said
        assert "\x1b" not in said
        assert not [one for one in (*page.markdown, *page.caption) if "[x](java" in one.value]


@pytest.mark.parametrize(
    "members",
    [
        {"instance_type": ""},
        {"instance_type": ODD},
        {"dataset_uri": ODD},
        {"max_seconds": 10**9, "volume_gb": -5},
        {"capacity": "spot", "tags": {"kennel:interruptions-per-hour": "nan", "kennel:interrupt-after": ODD}},
        {"hyperparameters": {"epochs": "NaN", "batch_size": "1e999", "hidden": "99999999", "engine": ODD}},
    ],
    ids=["no type", "odd type", "odd data", "beyond limits", "interruptions", "hyperparameters"],
)
def test_a_run_that_was_odd_can_be_looked_at_and_cloned(aws: ScriptedAws, visit: Open, members: dict[str, Any]) -> None:
    aws.add_ec2("dogs")
    write(aws, "request.json", **members)
    for where, query in (("run", {"run": "ec2:dogs"}), ("train", {"like": "ec2:dogs"})):
        page = visit(aws, where, **query)
        assert not page.exception, where
        assert "could not be drawn" not in text(page)
