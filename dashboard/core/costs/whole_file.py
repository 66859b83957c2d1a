"""A JSON file that is there as a whole or as it was before, whenever this process ends."""

import json
import os
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any


def write(path: Path, document: Any, *, indent: int | None = None) -> None:
    """Put a document in a file's place; folders that are missing are made. Raises OSError, with the file as it was."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".part", delete=False) as part:
        try:
            json.dump(document, part, indent=indent)
            part.flush()
            os.fsync(part.fileno())
            Path(part.name).replace(path)
        except BaseException:
            Path(part.name).unlink(missing_ok=True)
            raise
