"""The dashboard's process must stay light: what core imports, every page pays for."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import importlib, json, sys, pathlib
core = pathlib.Path("dashboard/core")
for file in sorted(core.rglob("*.py")):
    name = ".".join(file.with_suffix("").parts).removesuffix(".__init__")
    importlib.import_module(name)
print(json.dumps(sorted({name.split(".")[0] for name in sys.modules})))
"""


def test_core_imports_no_streamlit_plotly_torch_onnxruntime_or_sagemaker_sdk():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    imported = set(json.loads(done.stdout))
    assert "botocore" in imported
    assert not imported & {
        "streamlit",
        "plotly",
        "torch",
        "torchvision",
        "onnxruntime",
        "onnx",
        "sagemaker",
        "moto",
        "pandas",
    }
