"""What the instance types are made of. Source: AWS's published instance type specifications."""

from dataclasses import dataclass
from enum import StrEnum

from dashboard.core.runs.status import Platform


@dataclass(frozen=True)
class Hardware:
    """One instance type: memory in GiB, `gpu` as "1 × NVIDIA T4 16 GiB" or ""."""

    vcpu: int
    memory_gib: float
    gpu: str = ""


class Family(StrEnum):
    """How EC2 counts instance types against its quotas, which are in vCPUs."""

    STANDARD = "Standard (A, C, D, H, I, M, R, T, Z)"
    G_AND_VT = "G and VT"
    P = "P"
    OTHER = "other"


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

# A GPU serves fine-tuning and the torch engine; the frozen backbone runs in ONNX Runtime on the processor.
TRAINING = ("ml.c5.large", "ml.m5.large", "ml.c5.xlarge", "ml.m5.xlarge", "ml.c5.2xlarge", "ml.m5.2xlarge",
            "ml.g4dn.xlarge", "ml.g5.xlarge")  # fmt: skip
EC2_TRAINING = ("t3.medium", "c5.large", "m5.large", "c5.xlarge", "m5.xlarge", "c5.2xlarge", "m5.2xlarge",
                "g4dn.xlarge", "g5.xlarge")  # fmt: skip
SERVING = ("ml.m5.large", "ml.c5.large", "ml.c5.xlarge", "ml.m5.xlarge", "ml.c5.2xlarge", "ml.m5.2xlarge")


def hardware(instance_type: str) -> Hardware | None:
    """The hardware of "ml.m5.large" or "m5.large"; None when the type is not in the table."""
    return HARDWARE.get(instance_type.removeprefix("ml."))


def offered(platform: Platform) -> tuple[str, ...]:
    """The instance types to choose from for a training."""
    return EC2_TRAINING if platform is Platform.EC2 else TRAINING


def counterpart(instance_type: str, platform: Platform) -> str:
    """The same hardware on a platform: "m5.large" ↔ "ml.m5.large"."""
    plain = instance_type.removeprefix("ml.")
    return plain if platform is Platform.EC2 else f"ml.{plain}"


def family(instance_type: str) -> Family:
    """The quota that an EC2 instance type counts against."""
    name = instance_type.removeprefix("ml.").split(".")[0]
    if name.startswith("vt") or (name.startswith("g") and name[1:2].isdigit()):
        return Family.G_AND_VT
    if name.startswith("p") and name[1:2].isdigit():
        return Family.P
    standard = name[:1] in tuple("acdhimrtz") and not name.startswith(("inf", "trn", "dl", "hpc", "mac", "u-"))
    return Family.STANDARD if standard else Family.OTHER
