"""What the instance types are made of. Source: AWS's published instance type specifications."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hardware:
    """One instance type: memory in GiB, `gpu` as "1 × NVIDIA T4 16 GiB" or ""."""

    vcpu: int
    memory_gib: float
    gpu: str = ""


HARDWARE = {
    "t2.micro": Hardware(1, 1),
    "t2.medium": Hardware(2, 4),
    "t3.medium": Hardware(2, 4),
    "m5.large": Hardware(2, 8),
    "m5.xlarge": Hardware(4, 16),
    "m5.2xlarge": Hardware(8, 32),
    "c5.large": Hardware(2, 4),
    "c5.xlarge": Hardware(4, 8),
    "c5.2xlarge": Hardware(8, 16),
    "g4dn.xlarge": Hardware(4, 16, "1 × NVIDIA T4 16 GiB"),
    "g5.xlarge": Hardware(4, 16, "1 × NVIDIA A10G 24 GiB"),
    "p2.xlarge": Hardware(4, 61, "1 × NVIDIA K80 12 GiB"),
    "p3.2xlarge": Hardware(8, 61, "1 × NVIDIA V100 16 GiB"),
    "inf1.xlarge": Hardware(4, 8),
}

# The training code never uses a GPU: the backbone runs in ONNX Runtime on the processor.
TRAINING = ("ml.c5.large", "ml.m5.large", "ml.c5.xlarge", "ml.m5.xlarge", "ml.c5.2xlarge", "ml.m5.2xlarge",
            "ml.g4dn.xlarge", "ml.g5.xlarge")  # fmt: skip
SERVING = ("ml.m5.large", "ml.c5.large", "ml.c5.xlarge", "ml.m5.xlarge", "ml.c5.2xlarge", "ml.m5.2xlarge")


def hardware(instance_type: str) -> Hardware | None:
    """The hardware of "ml.m5.large" or "m5.large"; None when the type is not in the table."""
    return HARDWARE.get(instance_type.removeprefix("ml."))
