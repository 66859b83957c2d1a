"""A model.tar.gz under AWS's own serving toolkit (sagemaker-pytorch-inference), as its image starts it."""

import json
from pathlib import Path

from tests.images.check_serving import Model, photo, requirements, starter  # noqa: F401 - fixtures
from tests.images.conftest import Image

TOOLKIT = """
import json, sys
from types import SimpleNamespace
from sagemaker_inference.transformer import Transformer
from sagemaker_pytorch_serving_container.default_pytorch_inference_handler import DefaultPytorchInferenceHandler

status = []
def context(content_type, accept):
    properties = {"Content-Type": content_type, "Accept": accept}
    return SimpleNamespace(
        model_name="model",
        system_properties={"model_dir": sys.argv[1]},
        request_processor=[SimpleNamespace(get_request_properties=lambda: properties)],
        set_response_content_type=lambda index, kind: None,
        set_response_status=lambda code, phrase: status.append(code),
    )

transformer = Transformer(default_inference_handler=DefaultPytorchInferenceHandler())
answers = []
for body, kind, accept in json.load(open(sys.argv[2])):
    del status[:]
    told = transformer.transform([{"body": bytes.fromhex(body)}], context(kind, accept))[0]
    answers.append([status[0] if status else 200, told.decode() if isinstance(told, bytes) else str(told)])
print(json.dumps(answers))
"""


def test_awss_toolkit_serves_the_model(image: Image, starter: Model, photo: bytes, tmp_path: Path):  # noqa: F811
    (tmp_path / "requests.json").write_text(
        json.dumps(
            [
                (photo.hex(), "image/jpeg", "application/json"),
                (photo.hex(), "image/jpeg", "application/json; profile=breeds"),
                (json.dumps({"url": "https://127.0.0.1/"}).encode().hex(), "application/json", "application/json"),
                (b"no photo".hex(), "image/jpeg", "application/json"),
            ]
        )
    )
    code = starter.folder / "code"
    environment = {
        "PYTHONPATH": str(code),
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": str(code),
        "SAGEMAKER_BASE_DIR": str(tmp_path),
    }
    done = image.run("-c", TOOLKIT, starter.folder, tmp_path / "requests.json", cwd=tmp_path, **environment)
    assert done.returncode == 0, done.stderr[-3000:]
    plain, breeds, inside, no_photo = json.loads(done.stdout.splitlines()[-1])
    assert plain[0] == 200
    assert len(json.loads(plain[1])[0]) == len(json.loads((starter.folder / "labels.json").read_text())["labels"])
    assert breeds[0] == 200
    assert json.loads(breeds[1])["model"] == "starter"
    # what the person did wrong is a 4xx with its sentence, not a failure of the model
    assert (inside[0], no_photo[0]) == (400, 400), (inside, no_photo)
