"""Who may import what: views are thin, ui draws, core is plain Python."""

import ast
from pathlib import Path

import pytest

from tests.conftest import ROOT

DASHBOARD = ROOT / "dashboard"
AWS = {"boto3", "botocore"}
HEAVY = {"torch", "torchvision", "onnxruntime", "onnx", "sagemaker", "moto", "local_aws"}
PURE = (
    "activity_words",
    "calls",
    "choices_tables",
    "choices_words",
    "compare_words",
    "data_words",
    "document_diff",
    "document_text",
    "endpoint_words",
    "figures",
    "figures_choice_bars",
    "figures_choices",
    "figures_compare",
    "figures_data",
    "figures_measure",
    "figures_models",
    "figures_endpoint",
    "figures_function",
    "figures_prices",
    "figures_replay",
    "figures_scaling",
    "figures_security",
    "figures_spend",
    "figures_tuning",
    "figures_usage",
    "function_words",
    "lines",
    "markup",
    "models_words",
    "overview_figures",
    "paper_chart",
    "prices_tables",
    "receipt",
    "receipt_lines",
    "role_words",
    "run",
    "run_filter",
    "scaling_address",
    "scaling_words",
    "security_words",
    "spend_words",
    "tones",
    "train_fields",
    "train_search",
    "waste_words",
    "words",
)


def imports(file: Path) -> set[str]:
    """The whole names of everything a module imports, lazily or not."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def roots(file: Path) -> set[str]:
    return {name.split(".")[0] for name in imports(file)}


def modules(folder: str) -> list[Path]:
    return sorted((DASHBOARD / folder).rglob("*.py"))


@pytest.mark.parametrize("file", modules("."), ids=lambda f: str(f.relative_to(DASHBOARD)))
def test_the_dashboard_imports_nothing_that_trains_or_serves(file: Path) -> None:
    assert not roots(file) & HEAVY


@pytest.mark.parametrize("file", modules("core"), ids=lambda f: str(f.relative_to(DASHBOARD)))
def test_core_knows_no_page(file: Path) -> None:
    assert not roots(file) & {"streamlit", "plotly", "pandas"}
    assert not {
        name for name in imports(file) if name.startswith(("dashboard.ui", "dashboard.views", "dashboard.state"))
    }


@pytest.mark.parametrize("file", [*modules("views"), *modules("ui")], ids=lambda f: str(f.relative_to(DASHBOARD)))
def test_pages_reach_aws_through_core_only(file: Path) -> None:
    assert not roots(file) & AWS


@pytest.mark.parametrize("file", modules("views"), ids=lambda f: f.name)
def test_views_are_thin(file: Path) -> None:
    tree = ast.parse(file.read_text())
    assert len(file.read_text().splitlines()) <= 90
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Try)]
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.BinOp) and not isinstance(node.op, ast.BitOr)]
    assert not roots(file) & {"plotly", "pandas", "PIL"}


@pytest.mark.parametrize("name", PURE)
def test_what_is_called_pure_draws_nothing(name: str) -> None:
    assert "streamlit" not in roots(DASHBOARD / "ui" / f"{name}.py")


def test_only_state_caches() -> None:
    for file in [*modules("views"), *modules("ui"), *modules("core")]:
        assert "cache_data" not in file.read_text(), file
        assert "cache_resource" not in file.read_text(), file
