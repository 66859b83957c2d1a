"""What may have environments kept ready, and by which qualifier.

Lambda Developer Guide, "Configuring provisioned concurrency": a version has one such configuration, its own or that of
one alias that points to it; the unpublished version has none; that of an alias cannot be set while the alias sends a
share of its requests to a second version, which it may begin to do afterwards.
"""

from collections.abc import Mapping
from typing import Any

from local_aws.services.lambda_names import LATEST, Named, conflict, invalid
from local_aws.services.lambda_record import Document, version_of


def check_published(document: Document, which: Named) -> None:
    """Raises ServiceError for what never has such a configuration."""
    if which.qualifier in ("", LATEST) or version_of(document, which) == LATEST:
        raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")


def check_settable(document: Document, which: Named) -> None:
    """Raises ServiceError for what cannot have environments kept ready."""
    check_published(document, which)
    if (document["Aliases"].get(which.qualifier) or {}).get("Weights"):
        raise invalid("Alias with weights can not be used with Provisioned Concurrency")
    _check_version(document, which, version_of(document, which))


def check_moved(document: Document, which: Named, alias: Mapping[str, Any]) -> None:
    """Raises ServiceError for a change of an alias that what is kept ready for it could not follow."""
    if which.qualifier not in document["Provisioned"]:
        return
    if alias["FunctionVersion"] == LATEST:
        raise invalid("Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    _check_version(document, which, str(alias["FunctionVersion"]))


def _check_version(document: Document, which: Named, version: str) -> None:
    """Raises ServiceError when something else keeps that version's environments ready."""
    for other in document["Provisioned"]:
        if other != which.qualifier and version_of(document, which.at(other)) == version:
            if which.qualifier in document["Aliases"]:
                raise conflict(
                    "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version"
                )
            raise conflict("Version is pointed by a Provisioned Concurrency alias")
