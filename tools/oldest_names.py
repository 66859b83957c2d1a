"""Write tests/images/oldest_names.json: the names that the oldest supported torch, numpy, Pillow and ONNX Runtime have.

    python tools/images.py serving oldest && python tools/oldest_names.py

With it a test in every run finds a newer name in training/ without those versions at hand. Written again only when the
oldest supported version of one of them moves (tools/images.py).
"""

import json
import subprocess
import sys

from images import ROOT, Image, by_name

TARGET = ROOT / "tests" / "images" / "oldest_names.json"
SOURCES = {
    "serving": (
        "torch torch.amp torch.autograd torch.backends torch.backends.cpu torch.backends.cuda torch.backends.cudnn "
        "torch.backends.mkldnn torch.backends.quantized torch.cpu torch.cuda torch.cuda.amp torch.distributed "
        "torch.distributed.elastic torch.distributed.run torch.export torch.hub torch.library torch.linalg "
        "torch.multiprocessing torch.nn torch.nn.functional torch.nn.init torch.nn.parallel torch.nn.utils torch.onnx "
        "torch.optim torch.optim.lr_scheduler torch.random torch.serialization torch.utils torch.utils.checkpoint "
        "torch.utils.data torch.utils.data.distributed torch.version "
        "torchvision torchvision.models torchvision.models.resnet torchvision.ops torchvision.transforms "
        "torchvision.transforms.functional torchvision.transforms.v2"
    ),
    "oldest": (
        "numpy numpy.fft numpy.lib numpy.lib.format numpy.lib.stride_tricks numpy.linalg numpy.random numpy.typing "
        "PIL PIL.ExifTags PIL.GifImagePlugin PIL.Image PIL.ImageChops PIL.ImageDraw PIL.ImageEnhance PIL.ImageFile "
        "PIL.ImageFilter PIL.ImageFont PIL.ImageOps PIL.ImageSequence PIL.ImageStat PIL.JpegImagePlugin "
        "PIL.PngImagePlugin PIL.TiffImagePlugin PIL.WebPImagePlugin PIL.features "
        "onnxruntime onnxruntime.capi onnxruntime.quantization"
    ),
}
"""Environment, and the modules whose names are asked of it: those that training/ uses, and their neighbours."""
COLLECT = """
import importlib, json, sys, warnings
warnings.simplefilter("ignore")
modules = {}
for name in sys.argv[1:]:
    try:
        modules[name] = importlib.import_module(name)
    except ModuleNotFoundError as missing:  # onnxruntime.quantization wants onnx, which only training has
        if (missing.name or "").startswith(name.partition(".")[0]):
            raise
names = {name: {n for n in dir(module) if not n.startswith("_")} for name, module in modules.items()}
for name in names:
    parent, _, child = name.rpartition(".")
    if parent in names:
        names[parent].add(child)
print(json.dumps({name: " ".join(sorted(known)) for name, known in names.items()}))
"""


def names_of(image: Image, modules: str) -> dict[str, str]:
    """Public names by module. Raises subprocess.CalledProcessError where the environment is not there."""
    command = [str(image.executable), "-I", "-c", COLLECT, *modules.split()]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found: dict[str, str] = json.loads(told.splitlines()[-1])
    return found


def main() -> int:
    every: dict[str, str] = {}
    for name, modules in SOURCES.items():
        every |= names_of(by_name(name), modules)
    TARGET.write_text(json.dumps(dict(sorted(every.items())), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(every)} modules in {TARGET.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
