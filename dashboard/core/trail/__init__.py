"""The trail: everything that somebody did with Kennel, in an append-only file on this machine.

`recent` for a glance, `read` for the page, `scribe` writes, `undo` takes back, `python -m dashboard.core.trail verify`
says whether somebody changed the file.
"""

from dashboard.core.trail.model import Deed, Result
from dashboard.core.trail.read import recent

__all__ = ["Deed", "Result", "recent"]
