"""Write the parts of the documents that are made from the code: the table of settings, the policies of Kennel's roles.

    python -m tools.docs            writes them into README.md and docs/
    python -m tools.docs --check    exits with 1, and says which, where one is not as the code says

A made part stands between `<!-- made: NAME -->` and `<!-- end: NAME -->`.
"""

import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from dashboard.core import configuration
from dashboard.core.aws import Account
from dashboard.core.iam.own import own_roles

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = Account("example", "us-east-1", "111122223333", is_embedded=False, writable=False)
"""The account that the policies of the documents are for: AWS's own number for examples."""


def policies(make: Callable[[Account], own_roles.OwnRole]) -> str:
    """A role's policies, its trust left out: each as a block of JSON under its name."""
    role = make(EXAMPLE)
    return "\n\n".join(
        f"`{name}`, attached to `{role.name}`:\n\n```json\n{json.dumps(document, indent=1)}\n```"
        for name, document in role.policies.items()
    )


MADE: Mapping[str, tuple[str, Callable[[], str]]] = {
    "settings": ("README.md", configuration.table),
    "reader": ("docs/own-account.md", lambda: policies(own_roles.reader)),
    "operator": ("docs/own-account.md", lambda: policies(own_roles.operator)),
}
"""Each made part: the document that it is in, and what makes it."""


def with_made(name: str, text: str, made: str) -> str:
    """The document with that part as it is made now. Raises ValueError where it has no place for it."""
    begin, end = f"<!-- made: {name} -->", f"<!-- end: {name} -->"
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not (found and ended):
        raise ValueError(f"there is no place for {name}: {begin} … {end}")
    return f"{before}{begin}\n{made}\n{end}{after}"


def stale() -> dict[Path, str]:
    """The documents that are not as the code says, each as it should be."""
    texts: dict[Path, str] = {}
    for name, (document, make) in MADE.items():
        path = ROOT / document
        texts[path] = with_made(name, texts.get(path) or path.read_text(), make())
    return {path: text for path, text in texts.items() if text != path.read_text()}


def main() -> int:
    """Write or check; the exit status."""
    changed = stale()
    for path, text in changed.items():
        sys.stderr.write(f"{path.relative_to(ROOT)} is not as the code says\n")
        if "--check" not in sys.argv[1:]:
            path.write_text(text)
    return int(bool(changed) and "--check" in sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
