"""A visitor's tab sends photos; only one that imports a model may send one."""

import pytest

from dashboard.uploads import MODEL, PHOTO, SECONDS, Uploads

MEGABYTE = 1024**2


def path(session: str) -> str:
    return f"/_stcore/upload_file/{session}/file-1"


def test_a_tab_sends_photos_and_a_model_only_while_it_imports_one() -> None:
    now = [0.0]
    uploads = Uploads(lambda: now[0])
    assert uploads.refusal(path("tab"), str(PHOTO)) == ""
    assert uploads.refusal(path("tab"), str(PHOTO + 2 * MEGABYTE)) == "A file has at most 20 MB here."
    uploads.open("tab")
    assert uploads.refusal(path("tab"), str(MODEL)) == ""
    assert uploads.refusal(path("tab"), str(MODEL + 2 * MEGABYTE)) == "A file has at most 256 MB here."
    assert uploads.refusal(path("another tab"), str(MODEL)) != ""
    now[0] = SECONDS + 1
    assert uploads.refusal(path("tab"), str(MODEL)) != ""


@pytest.mark.parametrize("length", ["", "-1", "many", "1e9", "٣"])
def test_a_file_without_its_length_is_not_taken(length: str) -> None:
    assert Uploads().refusal(path("tab"), length) == "A file is sent with its length."


def test_other_requests_are_none_of_its_business() -> None:
    for other in ("/", "/_stcore/upload_file/", "/_stcore/upload_file/a/b/c", "/_stcore/stream"):
        assert Uploads().refusal(other, "") == ""
