"""Run Kennel's training and serving code on the versions that AWS's own PyTorch images have: `make images`.

    python tools/images.py            build every environment that is missing or out of date, and run its checks
    python tools/images.py serving    only that one
    python tools/images.py --clean    remove them all

Docker and AWS's registry are not needed: each environment is a virtual environment below .images/ with the Python,
torch, torchvision, numpy and Pillow of an image. PyPI's torch for Linux is built for CUDA and does not import without
CUDA's libraries, though nothing here uses a GPU: the twelve packages of CUDA that its import needs are unpacked once,
in .images/cuda, for all environments (3.7 GiB; the others that torch asks for are four more). Needs 12 GiB of disk
and the interpreters: python3.12 and python3.13 on PATH or from pyenv. Where one is missing the environment is made
with the Python at hand, and the table says so.

What a job's or an endpoint's start installs on top is installed as AWS does it, with `pip install -r`: what Kennel
names there must leave the image's own packages as they are. The checks are in tests/images; exit code 0 when all of
them passed.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOME = ROOT / ".images"
CUDA = HOME / "cuda"
NEEDED_BYTES = 12 * 1024**3
CUDA_PACKAGES = (
    "nvidia-cublas-cu12==12.8.4.1",
    "nvidia-cuda-cupti-cu12==12.8.90",
    "nvidia-cuda-runtime-cu12==12.8.90",
    "nvidia-cudnn-cu12==9.10.2.21",
    "nvidia-cufft-cu12==11.3.3.83",
    "nvidia-cufile-cu12==1.13.1.3",
    "nvidia-curand-cu12==10.3.9.90",
    "nvidia-cusparse-cu12==12.5.8.93",
    "nvidia-cusparselt-cu12==0.7.1",
    "nvidia-nccl-cu12==2.27.5",
    "nvidia-nvjitlink-cu12==12.8.93",
    "nvidia-nvshmem-cu12==3.4.5",
)
"""What `readelf -d` names below libtorch_python.so of 2.10.0; 2.6.0 needs ten of them, under the same names."""
TORCH_NEEDS = ("filelock", "typing-extensions", "sympy==1.13.3", "networkx", "jinja2", "fsspec", "setuptools==81.0.0")
TRAINING_REQUIREMENTS = "training/requirements.txt"


@dataclass(frozen=True)
class Image:
    """An environment. `torch`: torch and torchvision, installed without what they ask for; `below`: the environment
    whose packages it sees too; `requirements`: what a job installs at its start; `checks`: files of tests/images."""

    name: str
    stands_for: str
    python: str
    packages: tuple[str, ...]
    torch: tuple[str, ...] = ()
    below: str = ""
    requirements: str = ""
    checks: tuple[str, ...] = field(default=())

    @property
    def folder(self) -> Path:
        return HOME / self.name

    @property
    def executable(self) -> Path:
        return self.folder / "bin" / "python"


IMAGES = (
    Image(
        "training",
        "pytorch-training:2.10.0-cpu-py313",
        "3.13",
        ("numpy==2.1.3", "Pillow==11.3.0", "boto3", *TORCH_NEEDS),
        torch=("torch==2.10.0", "torchvision==0.25.0"),
        requirements=TRAINING_REQUIREMENTS,
        checks=("check_training.py",),
    ),
    Image(
        "serving",
        "pytorch-inference:2.6.0-cpu-py312",
        "3.12",
        # AWS's own serving toolkit, which calls model_fn, input_fn, predict_fn and output_fn
        ("numpy==1.26.4", "Pillow==11.1.0", "boto3", "sagemaker-pytorch-inference==2.0.25", *TORCH_NEEDS),
        torch=("torch==2.6.0", "torchvision==0.21.0"),
        checks=("check_serving.py", "check_toolkit.py"),
    ),
    Image(
        "training-2.6",
        "the oldest torch that training/ runs on",
        "3.12",
        (),
        below="serving",
        requirements=TRAINING_REQUIREMENTS,
        checks=("check_training.py",),
    ),
    Image(
        "oldest",
        "the oldest packages that a model's code/ allows",
        "3.11",
        ("onnxruntime==1.19.0", "numpy==1.26.0", "Pillow==11.0.0", "pillow-heif==0.20.0"),
        checks=("check_serving.py",),
    ),
)


class Failed(Exception):  # noqa: N818 - the name says what it is
    """An environment cannot be made. `str()` is a sentence that says why."""


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def find_python(version: str) -> Path:
    """An interpreter of that version that can make environments, else the one that runs this."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    on_path = [Path(folder) / f"python{version}" for folder in os.get_exec_path()]
    for candidate in (*on_path, *sorted(pyenv.glob(f"versions/{version}.*/bin/python"), reverse=True)):
        asked = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
        if os.access(candidate, os.X_OK):  # what pyenv puts on PATH need not be a Python that works
            told = subprocess.run([candidate, "-I", "-c", asked], capture_output=True, text=True, check=False)
            if told.stdout.strip() == version:
                return candidate
    return Path(sys.executable)


def pip(image_python: Path, log: Path, *arguments: str) -> None:
    """`pip install`; what it says goes to the log. Raises Failed with its last lines."""
    command = [str(image_python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]
    with log.open("a", encoding="utf-8") as file:
        done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False, cwd=ROOT)
    if done.returncode:
        tail = [line for line in log.read_text("utf-8").splitlines() if not line.startswith("WARNING: Location")][-5:]
        raise Failed(f"pip could not install {' '.join(arguments)}; all it said is in {log}:\n  " + "\n  ".join(tail))


def freeze(image: Image) -> list[str]:
    """What is installed in it, as `name==version`, sorted."""
    command = [str(image.executable), "-m", "pip", "freeze", "--all", "--disable-pip-version-check"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return sorted(line for line in told.splitlines() if "==" in line)


def fingerprint(image: Image) -> str:
    """Changes whenever the environment would be built otherwise."""
    text = repr((asdict(image) | {"checks": ()}, CUDA_PACKAGES, sys.version_info[:2]))
    if image.requirements:
        text += (ROOT / image.requirements).read_text("utf-8")
    if image.below:
        text += fingerprint(by_name(image.below))
    return hashlib.sha256(text.encode()).hexdigest()


def by_name(name: str) -> Image:
    return next(image for image in IMAGES if image.name == name)


def build_cuda() -> None:
    stamp = CUDA / ".complete"
    if stamp.exists() and stamp.read_text() == repr(CUDA_PACKAGES):
        return
    shutil.rmtree(CUDA, ignore_errors=True)
    say("fetching CUDA's libraries, which torch's import needs (3.7 GiB)")
    pip(Path(sys.executable), HOME / "cuda.log", "--no-deps", "--target", str(CUDA), *CUDA_PACKAGES)
    stamp.write_text(repr(CUDA_PACKAGES))


def build(image: Image) -> None:
    """Make the environment unless it is there already and nothing it depends on changed. Raises Failed."""
    if image.below:
        build(by_name(image.below))
    stamp = image.folder / ".complete"
    if stamp.exists() and stamp.read_text() == fingerprint(image):
        return
    HOME.mkdir(exist_ok=True)
    (HOME / ".gitignore").write_text("*\n")
    if (free := shutil.disk_usage(HOME).free) < NEEDED_BYTES and not CUDA.exists():
        raise Failed(f"the disk has {free / 2**30:.1f} GiB free and the images need {NEEDED_BYTES >> 30} GiB")
    say(f"building {image.name}: {image.stands_for}")
    shutil.rmtree(image.folder, ignore_errors=True)
    subprocess.run([find_python(image.python), "-m", "venv", image.folder], check=True)
    log = image.folder / "install.log"
    site = next(image.folder.glob("lib/python3*/site-packages"))
    if image.torch:
        build_cuda()
        (site / "nvidia").symlink_to(CUDA / "nvidia")
        (site / "cusparselt").symlink_to(CUDA / "nvidia" / "cusparselt")  # where torch 2.6 looks for it
        pip(image.executable, log, "--no-deps", *image.torch)
    if image.below:
        packages = next(by_name(image.below).folder.glob("lib/python3*/site-packages"))
        (site / "below.pth").write_text(f"{packages}\n")
    if image.packages:
        pip(image.executable, log, *image.packages)
    (image.folder / "image.txt").write_text("\n".join(freeze(image)))
    if image.requirements:
        # no image of AWS's is another's layer: what lies below stays, whatever newer one pip would rather have
        pip(
            image.executable,
            log,
            "-r",
            image.requirements,
            *(("-c", str(image.folder / "image.txt")) if image.below else ()),
        )
    stamp.write_text(fingerprint(image))


@dataclass(frozen=True)
class Result:
    """One check: what it is called, how long it took in seconds, and why it failed or was skipped."""

    name: str
    seconds: float
    outcome: str
    why: str = ""


def run_checks(image: Image) -> list[Result]:
    """Run an environment's checks with pytest in the Python that runs this: they drive the environment from outside."""
    report = image.folder / "report.xml"
    report.unlink(missing_ok=True)
    files = [f"tests/images/{name}" for name in image.checks]
    asked = ("-q", "-p", "no:cacheprovider", f"--junitxml={report}", f"--image={image.folder}")
    command = [sys.executable, "-m", "pytest", *asked, *files]
    with (image.folder / "checks.log").open("w", encoding="utf-8") as log:
        done = subprocess.run(
            command, cwd=ROOT, env=clean(os.environ), stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if not report.exists():
        return [Result("pytest", 0.0, "FAILED", f"ended with code {done.returncode}: see {log.name}")]
    return [_result(case) for case in ElementTree.parse(report).iter("testcase")]  # noqa: S314 - our own report


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """Nothing of AWS and no Python path of whoever started this."""
    return {name: value for name, value in environ.items() if not name.startswith(("AWS_", "PYTHON", "SM_"))}


def _result(case: ElementTree.Element) -> Result:
    name = case.get("name", "?").removeprefix("test_").replace("_", " ")
    seconds = float(case.get("time", "0"))
    for kind, outcome in (("failure", "FAILED"), ("error", "FAILED"), ("skipped", "skipped")):
        found = case.find(kind)
        if found is not None:
            return Result(name, seconds, outcome, (found.get("message") or "").splitlines()[0][:160])
    return Result(name, seconds, "passed")


def versions(image: Image) -> str:
    told = subprocess.run([image.executable, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    names = ("torch", "torchvision", "numpy", "onnxruntime", "pillow")
    pins = dict(line.lower().split("==") for line in freeze(image))
    wrong = (
        "" if told.startswith(f"{image.python}.") else f" (the image has {image.python}, which is not installed here)"
    )
    return ", ".join([f"Python {told}{wrong}", *(f"{name} {pins[name]}" for name in names if name in pins)])


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(image.name for image in IMAGES))
    parser.add_argument("--clean", action="store_true", help="remove every environment")
    options = parser.parse_args(arguments)
    if options.clean:
        shutil.rmtree(HOME, ignore_errors=True)
        return 0
    if unknown := set(options.names) - {image.name for image in IMAGES}:
        parser.error(f"no environment is called {', '.join(sorted(unknown))}")
    tables = []
    for image in (image for image in IMAGES if not options.names or image.name in options.names):
        started = time.monotonic()
        try:
            build(image)
        except (Failed, OSError, subprocess.CalledProcessError) as error:
            say(f"{image.name} cannot be built: {error}")
            tables.append((image, "not built", [Result("build", time.monotonic() - started, "FAILED", str(error))]))
            continue
        say(f"checking {image.name}")
        tables.append((image, versions(image), run_checks(image)))
    for image, what, results in tables:
        say(f"\n{image.name} · {image.stands_for}\n  {what}")
        for result in results:
            say(
                f"  {result.outcome:8}{result.seconds:7.1f} s  {result.name}"
                + (f": {result.why}" if result.why else "")
            )
    every = [result for _, _, results in tables for result in results]
    passed = [result for result in every if result.outcome == "passed"]  # a check that was skipped checked nothing
    say(f"\n{len(passed)} of {len(every)} passed; what they said: .images/NAME/checks.log")
    return 0 if every and len(passed) == len(every) else 1


if __name__ == "__main__":
    sys.exit(main())
