"""The remedy for torchvision on a torch without CUDA."""

import subprocess
import sys

from tests.training.conftest import ROOT, clean_environment


def test_transforms_and_models_work_after_it() -> None:
    script = """
import torch
from training.vision import import_torchvision
assert import_torchvision() is import_torchvision()
from torchvision import models, transforms
network = models.resnet18(weights=None).eval()
transform = transforms.Compose([transforms.Resize(64), transforms.CenterCrop(64), transforms.ToTensor()])
from PIL import Image
with torch.no_grad():
    print(tuple(network(transform(Image.new("RGB", (90, 80)))[None]).shape))
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=ROOT, env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "(1, 1000)", done.stderr
