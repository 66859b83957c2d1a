"""Endpoints and Endpoint: is it serving well, is it sized right?"""

from datetime import timedelta

import pytest

from dashboard.core.errors import AccessDenied
from tests.views.conftest import Open, links, text
from tests.views.scripted import ARN, ScriptedAws


def test_all_endpoints_with_what_they_cost_and_how_they_do(aws: ScriptedAws, visit: Open) -> None:
    aws.series = {"Invocations": [300.0], "ModelLatency": [30_000.0], "OverheadLatency": [4_000.0]}
    page = visit(aws, "endpoints")
    assert not page.exception
    table = page.dataframe[0].value
    assert set(table["Endpoint"]) == set(aws.endpoints)
    assert table["p90"].tolist() == pytest.approx([34.0] * len(table))
    assert table["Requests"].tolist() == pytest.approx([20.0] * len(table))
    said = text(page)
    assert "simulated" in said
    assert "Deploy a model" in said
