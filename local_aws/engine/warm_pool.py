"""The folder that training jobs share from one to the next, as the instances of a SageMaker warm pool do.

A job sees it as /opt/ml/sagemaker/warmpoolcache. SageMaker keeps it only while a job asked for a warm pool
(KeepAlivePeriodInSeconds) and only for jobs alike; here this machine is the instance of every job, so all of the
account's jobs share one, and it survives a restart.
"""

import os
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

SEEN = "sagemaker/warmpoolcache"
"""Where a job finds it, below /opt/ml."""
LARGEST = 8 * 1024**3
"""Bytes; a volume of SageMaker's is bounded too."""
SPARE = 5 * 1024**3
"""Bytes of disk that the folder leaves to everything else."""


@dataclass(frozen=True)
class WarmPool:
    """Its folder, and the most bytes that a job finds in it when it starts."""

    folder: Path
    largest: int = LARGEST

    def prepare(self) -> None:
        """Make the folder; where jobs left more than there is room for, what was used longest ago goes.

        Whatever jobs left in it, nothing outside of it is touched: links are never followed.
        """
        if self.folder.is_symlink() or self.folder.is_file():
            self.folder.unlink()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        files = self._files()
        used = sum(size for _, size, _ in files)
        room = min(self.largest, used + shutil.disk_usage(self.folder).free - SPARE)
        for _, size, path in sorted(files):
            if used <= room:
                return
            path.unlink(missing_ok=True)
            used -= size

    def _files(self) -> list[tuple[float, int, Path]]:
        """When it was last used, its bytes, its path: of everything in the folder that is no folder."""
        found = []
        for folder, folders, names in os.walk(self.folder):
            for path in (Path(folder, name) for name in folders):
                # what another job removes meanwhile is gone, and that is all
                with suppress(FileNotFoundError):
                    if not path.is_symlink():
                        path.chmod(0o700)
            for path in (Path(folder, name) for name in names):
                with suppress(FileNotFoundError):
                    status = path.lstat()
                    found.append((max(status.st_atime, status.st_mtime), status.st_blocks * 512, path))
        return found
