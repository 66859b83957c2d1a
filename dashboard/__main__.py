"""`python -m dashboard [--port N]`: start Kennel. Written so that even an old Python can read it and say so."""

import sys

MINIMUM = (3, 11)


def too_old(version):  # type: (tuple[int, ...]) -> str
    """The sentence for a Python that is too old, "" for one that is not."""
    if version >= MINIMUM:
        return ""
    sentence = (
        "Kennel needs Python {0}.{1} or newer, and this is {2}.{3}. Name a newer one: make run PYTHON=python{0}.{1}"
    )
    return sentence.format(*(MINIMUM + version))


if __name__ == "__main__":
    wrong = too_old(tuple(sys.version_info[:2]))
    if wrong:
        sys.exit(wrong)
    try:
        from dashboard.launcher import main

        code = main()
    except KeyboardInterrupt:  # Ctrl-C before the launcher listens to it: nothing was started yet
        code = 130
    sys.exit(code)
