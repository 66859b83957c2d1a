"""A visitor's tab sends photos; only one that imports a model may send one, and none fills the server's memory."""

import pytest

from dashboard.uploads import ALL, MODEL, PHOTO, SECONDS, TAB, Uploads, held

MEGABYTE = 1024**2


def path(session: str) -> str:
    return f"/_stcore/upload_file/{session}/file-1"


def refusal(uploads: Uploads, session: str, size: int) -> str:
    with uploads.taking(path(session), {"content-length": str(size)}) as told:
        return told


def test_a_tab_sends_photos_and_a_model_only_while_it_imports_one() -> None:
    now = [0.0]
    uploads = Uploads(lambda: now[0], dict)
    assert refusal(uploads, "tab", PHOTO) == ""
    assert refusal(uploads, "tab", PHOTO + 2 * MEGABYTE) == "A file has at most 20 MB here."
    uploads.open("tab")
    assert refusal(uploads, "tab", MODEL) == ""
    assert refusal(uploads, "tab", MODEL + 2 * MEGABYTE) == "A file has at most 256 MB here."
    assert refusal(uploads, "another tab", MODEL) != ""
    now[0] = SECONDS + 1
    assert refusal(uploads, "tab", MODEL) != ""


def test_a_tab_has_as_many_files_here_as_are_taken_in_one_go() -> None:
    here = {"tab": TAB - PHOTO}
    uploads = Uploads(held=lambda: here)
    with uploads.taking(path("tab"), {"content-length": str(PHOTO)}) as told:
        assert told == ""
        assert "let it work on those first" in refusal(uploads, "tab", 2 * MEGABYTE), "one that is on its way counts"
        assert refusal(uploads, "another tab", PHOTO) == ""
    assert refusal(uploads, "tab", PHOTO) == ""


def test_all_tabs_together_leave_the_server_its_memory() -> None:
    full = Uploads(held=lambda: {str(tab): TAB for tab in range(ALL // TAB + 1)})
    assert "too many files" in refusal(full, "another tab", MEGABYTE)


@pytest.mark.parametrize("length", ["", "-1", "many", "1e9", "٣"])
def test_a_file_without_its_length_is_not_taken(length: str) -> None:
    with Uploads().taking(path("tab"), {"content-length": length}) as told:
        assert told == "A file is sent with its length."


def test_a_length_beside_a_body_in_chunks_is_not_believed() -> None:
    with Uploads().taking(path("tab"), {"content-length": "10", "transfer-encoding": "chunked"}) as told:
        assert told == "A file is sent with its length."


def test_other_requests_are_none_of_its_business() -> None:
    for other in ("/", "/_stcore/upload_file/", "/_stcore/upload_file/a/b/c", "/_stcore/stream"):
        with Uploads().taking(other, {}) as told:
            assert told == ""


def test_outside_a_server_nothing_is_held() -> None:
    assert held() == {}
