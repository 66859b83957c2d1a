"""The same dashboard without `gc.freeze`: with `--runner.postScriptGC=true` the baseline of the rerun benchmark."""

import gc

gc.freeze = lambda: None

from dashboard.asgi import app  # noqa: E402, F401
