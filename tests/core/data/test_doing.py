"""Work on data sets on the embedded AWS: sent, fetched, copied, renamed, deleted; begun again where it broke off."""

import io
import json
import threading
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from dashboard.core.aws import Aws
from dashboard.core.data import contents, doing, here, mark, reviews
from dashboard.core.data.contents import Contents
from dashboard.core.data.datasets import list_datasets
from dashboard.core.data.doing import PHOTOS
from dashboard.core.data.fetching import DOGS
from dashboard.core.data.work import Added, Kind, Progress, Stage, Teller, Work
from dashboard.core.errors import AlreadyExists, InvalidInput, KennelError, NotFound, Refused, ServiceFault, Unreachable
from tests.core.data.conftest import fill, keys, picture, put
from training.zips import Limits

NAMES = ("train/Beagle/1.jpg", "train/Beagle/2.jpg", "train/Poodle/1.jpg", "valid/Poodle/2.jpg", "test/Beagle/3.jpg")


class Counting:
    """The account, with its calls counted; `breaks` makes the call of a number fail as a network does."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self.account = aws.account
        self.calls: Counter[str] = Counter()
        self.breaks: dict[str, int] = {}

    def call(self, service: str, operation: str, **asked: Any) -> dict[str, Any]:
        self.calls[operation] += 1
        if self.breaks.get(operation) == self.calls[operation]:
            raise Unreachable("nothing answers", "the network is gone", "try again")
        return self._aws.call(service, operation, **asked)

    def pages(self, service: str, operation: str, limit: int = 100, **asked: Any) -> Iterator[dict[str, Any]]:
        return self._aws.pages(service, operation, limit, **asked)

    @contextmanager
    def translated(self, service: str, operation: str, parameters: Mapping[str, Any] | None = None) -> Iterator[None]:
        with self._aws.translated(service, operation, parameters):
            yield


def work(kind: Kind, name: str, **more: Any) -> Work:
    return Work("0123abcd", kind, name, **more)


def done(aws: Any, one: Work, folder: Path, **more: Any) -> Progress:
    def nothing(place: Path, found: Contents, teller: Teller) -> None:
        raise AssertionError("no report was asked for")

    given = {"hears": lambda told: None, "is_stopped": lambda: False, "inspect": nothing, **more}
    return doing.carry_out(aws, one, folder, **given)


def zipped(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for name, data in files.items():
            made.writestr(name, data)
    return out.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An upload's folder with five photos."""
    for place, name in enumerate(NAMES):
        file = tmp_path / "work" / PHOTOS / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(picture(place))
    return tmp_path / "work"


def test_an_uploaded_folder_becomes_a_data_set_that_can_be_trained_on(account: Aws, folder: Path) -> None:
    told: list[Progress] = []
    last = done(account, work(Kind.UPLOAD, "new", source="new"), folder, hears=told.append)
    assert (last.stage, last.problem) == (Stage.DONE, None)
    assert last.said == "5 photos sent to new"
    (found,) = list_datasets(account)
    assert (found.photos, found.classes, found.problem) == (5, 2, "")
    assert max(one.done for one in told) == 5
    assert account.call("s3", "HeadObject", Bucket=account.account.bucket, Key=f"datasets/new/{NAMES[0]}")[
        "ContentType"
    ] == ("image/jpeg")


def test_while_photos_are_on_the_way_a_data_set_is_not_trained_on(account: Aws, folder: Path) -> None:
    broken = Counting(account)
    broken.breaks["PutObject"] = 4  # the mark, and two photos before it
    last = done(broken, work(Kind.UPLOAD, "new", source="new"), folder)
    assert isinstance(last.problem, Unreachable)
    (found,) = list_datasets(account)
    assert found.problem == "its upload goes on, or was broken off"


def test_an_upload_that_broke_off_goes_on_with_what_is_missing(account: Aws, folder: Path) -> None:
    broken = Counting(account)
    broken.breaks["PutObject"] = 4
    done(broken, work(Kind.UPLOAD, "new", source="new"), folder)
    there = {key for key in keys(account, "datasets/new/") if key.endswith(".jpg")}
    assert there, "some of them arrived"
    again = Counting(account)
    last = done(again, work(Kind.UPLOAD, "new", source="new"), folder)
    assert last.stage is Stage.DONE
    assert last.kept == len(there)
    assert again.calls["PutObject"] == 1 + len(NAMES) - len(there)
    assert list_datasets(account)[0].photos == 5


def test_a_stopped_upload_says_so_and_goes_on_later(account: Aws, folder: Path) -> None:
    last = done(account, work(Kind.UPLOAD, "new", source="new"), folder, is_stopped=lambda: True)
    assert last.stage is Stage.STOPPED
    assert last.stage.may_go_on
    assert done(account, work(Kind.UPLOAD, "new", source="new"), folder).stage is Stage.DONE


def test_what_is_no_photo_by_its_header_is_not_sent_and_said(account: Aws, folder: Path) -> None:
    (folder / PHOTOS / "train/Beagle/notes.jpg").write_bytes(b"this is text")
    last = done(account, work(Kind.UPLOAD, "new", source="new"), folder)
    assert list(last.refused) == ["train/Beagle/notes.jpg"]
    assert "1 file was not taken" in last.said
    assert "datasets/new/train/Beagle/notes.jpg" not in keys(account)


def test_a_zip_is_sent_without_being_unpacked_here(account: Aws, tmp_path: Path) -> None:
    data = {f"dogs/{name}": picture(place) for place, name in enumerate(NAMES)}
    (tmp_path / "brought.zip").write_bytes(zipped({**data, "dogs/readme.txt": b"x", "__MACOSX/dogs/a.jpg": b"x"}))
    last = done(account, work(Kind.UPLOAD, "zipped", source="dogs.zip", file="brought.zip"), tmp_path)
    assert last.problem is None
    assert keys(account) == {f"datasets/zipped/{name}" for name in NAMES}
    assert [one.name for one in tmp_path.iterdir()] == ["brought.zip"]


@pytest.mark.parametrize(
    ("name", "why"),
    [("../evil.jpg", "leads outside"), ("train/a/link.jpg", "no ordinary file"), ("notes.txt", "holds no photos")],
)
def test_a_hostile_zip_is_refused_before_anything_is_sent(account: Aws, tmp_path: Path, name: str, why: str) -> None:
    with zipfile.ZipFile(tmp_path / "brought.zip", "w") as made:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (0o120777 if "link" in name else 0o100644) << 16
        made.writestr(entry, b"/etc/passwd")
    last = done(account, work(Kind.UPLOAD, "zipped", source="dogs.zip", file="brought.zip"), tmp_path)
    assert isinstance(last.problem, InvalidInput)
    assert why in str(last.problem)
    assert keys(account) == set()


def test_a_bomb_is_refused(account: Aws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doing, "LIMITS", Limits(files=100, bytes=10**9, growth=5, free_growth=1000))
    with zipfile.ZipFile(tmp_path / "brought.zip", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("train/a/1.jpg", bytes(10**6))
    last = done(account, work(Kind.UPLOAD, "zipped", source="dogs.zip", file="brought.zip"), tmp_path)
    assert "times its size" in str(last.problem)


@contextmanager
def served(data: bytes, breaks_after: int = 0) -> Iterator[tuple[str, list[str]]]:
    """A file on this machine's web; the first answer may break off."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Range", ""))
            begin = int((self.headers.get("Range") or "bytes=0-")[6:-1])
            body = data[begin:]
            self.send_response(206 if begin else 200)
            self.send_header("ETag", '"one"')
            self.send_header("Content-Length", str(len(body)))
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
            self.end_headers()
            self.wfile.write(body[: breaks_after if len(asked) == 1 and breaks_after else None])

        def log_message(self, *told: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/dogImages.zip", asked
        server.shutdown()
        thread.join()


def test_dog_images_is_fetched_gone_on_with_where_it_broke_off_and_sent(account: Aws, tmp_path: Path) -> None:
    data = zipped({f"dogImages/{name}": picture(place, (300, 300)) for place, name in enumerate(NAMES)})
    whole = data + bytes(0)
    with served(whole, breaks_after=len(whole) // 2) as (address, asked):
        last = done(account, work(Kind.IMPORT, "dogs", source=DOGS), tmp_path, dogs=address)
    assert last.problem is None
    assert asked[0] == ""
    assert asked[1] == f"bytes={len(whole) // 2}-"
    assert keys(account) == {f"datasets/dogs/{name}" for name in NAMES}


def test_without_a_network_the_reason_and_another_way_are_said(account: Aws, tmp_path: Path) -> None:
    with served(b"") as (address, _):
        pass  # nobody listens there any more
    last = done(account, work(Kind.IMPORT, "dogs", source=DOGS), tmp_path, dogs=address)
    assert last.stage is Stage.FAILED
    assert "cannot be reached" in str(last.problem)
    assert "give the .zip" in str(last.problem)


def test_a_zip_in_s3_is_imported_and_a_broken_download_goes_on(account: Aws, tmp_path: Path) -> None:
    put(account, "incoming/dogs.zip", zipped({name: picture(place) for place, name in enumerate(NAMES)}))
    source = f"s3://{account.account.bucket}/incoming/dogs.zip"
    assert done(account, work(Kind.IMPORT, "dogs", source=source), tmp_path).stage is Stage.DONE
    assert {f"datasets/dogs/{name}" for name in NAMES} <= keys(account)


def test_a_zip_that_is_not_there_is_told(account: Aws, tmp_path: Path) -> None:
    source = f"s3://{account.account.bucket}/incoming/none.zip"
    assert isinstance(done(account, work(Kind.IMPORT, "dogs", source=source), tmp_path).problem, NotFound)


def test_a_copy_is_made_within_s3_and_holds_the_same(account: Aws, tmp_path: Path) -> None:
    fill(account)
    counted = Counting(account)
    assert done(counted, work(Kind.COPY, "hounds", base="dogs"), tmp_path).problem is None
    before, after = contents.read(account, "dogs"), contents.read(account, "hounds")
    assert after.fingerprint == before.fingerprint
    assert counted.calls["CopyObject"] == len(before.photos)
    assert counted.calls["GetObject"] == 0, "no photo comes here"


def test_a_copy_does_not_mix_with_what_is_there(account: Aws, tmp_path: Path) -> None:
    fill(account)
    put(account, "datasets/hounds/train/a/1.jpg", picture())
    last = done(account, work(Kind.COPY, "hounds", base="dogs"), tmp_path)
    assert isinstance(last.problem, AlreadyExists)
    assert keys(account, "datasets/hounds/") == {"datasets/hounds/train/a/1.jpg"}


def test_a_copy_that_broke_off_goes_on(account: Aws, tmp_path: Path) -> None:
    fill(account)
    broken = Counting(account)
    broken.breaks["CopyObject"] = 5
    assert isinstance(done(broken, work(Kind.COPY, "hounds", base="dogs"), tmp_path).problem, Unreachable)
    copied = len(contents.read(account, "hounds").photos)
    again = Counting(account)
    assert done(again, work(Kind.COPY, "hounds", base="dogs"), tmp_path).stage is Stage.DONE
    assert again.calls["CopyObject"] == 12 - copied


@pytest.mark.parametrize(
    ("operation", "number"),
    [("CopyObject", 3), ("PutObject", 2), ("DeleteObject", 1), ("DeleteObjects", 1), ("DeleteObject", 2)],
)
def test_a_rename_loses_nothing_wherever_it_breaks_off(
    account: Aws, tmp_path: Path, operation: str, number: int
) -> None:
    fill(account)
    before = contents.read(account, "dogs").fingerprint
    broken = Counting(account)
    broken.breaks[operation] = number
    assert done(broken, work(Kind.RENAME, "hounds", base="dogs"), tmp_path).problem is not None
    assert sum(not one.problem for one in list_datasets(account)) <= 1, "never two that can be trained on"
    assert done(account, work(Kind.RENAME, "hounds", base="dogs"), tmp_path).problem is None
    assert contents.read(account, "hounds").fingerprint == before
    assert [one.name for one in list_datasets(account)] == ["hounds"]


def test_a_deleted_data_set_is_gone_with_all_that_belongs_to_it(account: Aws, tmp_path: Path) -> None:
    fill(account)
    put(account, "datasets/dogs/manifest.json", b"{}")
    put(account, "datasets/dogs-2/train/a/1.jpg", picture())
    assert done(account, work(Kind.DELETE, "dogs"), tmp_path).said == "dogs is deleted"
    assert keys(account) == {"datasets/dogs-2/train/a/1.jpg"}


def test_a_version_holds_the_base_and_what_was_reviewed_and_says_where_it_comes_from(
    account: Aws, tmp_path: Path
) -> None:
    fill(account)
    put(account, "feedback/train/Beagle/abcdef01.jpg", picture(99))
    added = (
        Added("feedback/train/Beagle/abcdef01.jpg", "train/002.Beagle/abcdef01.jpg", "feedback/notes/abcdef01.json"),
    )
    put(account, f"{reviews.DECISIONS}abcdef01.json", b'{"verdict": "accepted", "label": "Beagle", "corrected": ""}')
    last = done(account, work(Kind.VERSION, "dogs-v2", base="dogs", added=added), tmp_path)
    assert last.problem is None
    made = contents.read(account, "dogs-v2")
    assert len(made.photos) == 13
    assert made.splits == {"train": 5, "valid": 4, "test": 4}
    with account.call("s3", "GetObject", Bucket=made.bucket, Key="datasets/dogs-v2/manifest.json")["Body"] as body:
        manifest = json.loads(body.read())
    assert manifest["base"] == f"s3://{made.bucket}/datasets/dogs/"
    assert manifest["added"][0]["source"] == f"s3://{made.bucket}/feedback/train/Beagle/abcdef01.jpg"
    assert reviews._text(account, f"{reviews.DECISIONS}abcdef01.json")["version"] == "dogs-v2"
    assert len(contents.read(account, "dogs").photos) == 12, "the base stays as it was"


def test_a_version_leaves_out_what_was_taken_back_meanwhile(account: Aws, tmp_path: Path) -> None:
    fill(account, photos=1)
    kept, gone = (Added(f"feedback/train/Beagle/abcdef0{n}.jpg", f"train/002.Beagle/abcdef0{n}.jpg") for n in (1, 2))
    for one in (kept, gone):
        put(account, one.source, picture(len(one.source)))
    broken = Counting(account)
    broken.breaks["PutObject"] = 2  # all is copied, and its manifest is not there yet
    plan = work(Kind.VERSION, "dogs-v2", base="dogs", added=(kept, gone))
    assert isinstance(done(broken, plan, tmp_path).problem, Unreachable)
    account.call("s3", "DeleteObject", Bucket=account.account.bucket, Key=gone.source)
    last = done(account, plan, tmp_path)
    assert (
        last.said
        == "1 reviewed photo and all of dogs are in dogs-v2. 1 photo was left out: whoever sent it took it back"
    )
    assert {one.file for one in contents.read(account, "dogs-v2").of("train", "002.Beagle")} == {
        "0.jpg",
        "abcdef01.jpg",
    }
    account.call("s3", "DeleteObject", Bucket=account.account.bucket, Key=kept.source)
    none = done(account, work(Kind.VERSION, "dogs-v3", base="dogs", added=(kept, gone)), tmp_path)
    assert "all of the 2 reviewed photos were taken back" in str(none.problem)
    assert not keys(account, "datasets/dogs-v3/")


def test_what_broke_off_is_kept_as_it_is_once_and_never_under_other_work(account: Aws, folder: Path) -> None:
    broken = Counting(account)
    broken.breaks["PutObject"] = 2  # the mark alone is there
    done(broken, work(Kind.UPLOAD, "new", source="new"), folder)
    (found,) = list_datasets(account)
    assert found.problem, "it is listed though none of its photos arrived"
    seen = mark.read(account, "new")
    assert seen is not None
    assert (seen.why, seen.token) == ("send new to the data set new", "0123abcd")
    mark.put(account, "new", "send others", "4567")
    with pytest.raises(Refused, match="began anew meanwhile"):
        mark.keep(account, seen)
    put(account, "datasets/new/.uploading", b"[")
    strange = mark.read(account, "new")
    assert strange is not None
    assert strange.token == mark.STRANGE
    mark.keep(account, strange)
    mark.keep(account, strange)
    assert mark.read(account, "new") is None


def test_a_report_is_made_of_what_was_brought_here_and_of_nothing_else(account: Aws, tmp_path: Path) -> None:
    fill(account)
    put(account, "datasets/dogs/train/../1.jpg", picture())
    seen: list[set[str]] = []

    def inspect(place: Path, found: Contents, teller: Teller) -> None:
        seen.append({one.relative_to(place).as_posix() for one in place.rglob("*") if one.is_file()})

    last = done(account, work(Kind.REPORT, "dogs"), tmp_path, inspect=inspect)
    assert last.problem is None
    assert len(seen[0]) == 12
    assert not [one for one in tmp_path.rglob("*.jpg") if tmp_path / PHOTOS not in one.parents]


def test_what_was_brought_for_a_report_is_not_brought_again(account: Aws, tmp_path: Path) -> None:
    fill(account)
    for _ in range(2):
        counted = Counting(account)
        done(counted, work(Kind.REPORT, "dogs"), tmp_path, inspect=lambda *told: None)
    assert counted.calls["GetObject"] == 0


def test_a_disk_that_fails_is_told_and_the_work_may_go_on(account: Aws, tmp_path: Path) -> None:
    fill(account)
    (tmp_path / PHOTOS).write_text("in the way")
    last = done(account, work(Kind.REPORT, "dogs"), tmp_path)
    assert isinstance(last.problem, ServiceFault)
    assert last.stage.may_go_on


@pytest.mark.parametrize("kind", list(Kind))
def test_a_piece_of_work_is_written_down_and_read_again(kind: Kind) -> None:
    one = work(kind, "dogs", base="hounds", source="s3://x/y.zip", added=(Added("a", "b", "c"),))
    assert Work.parse(one.as_json()) == one
    assert one.words


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"kind": "upload", "added": 3}'])
def test_what_is_no_work_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Work.parse(text)


def test_every_failure_is_told_by_meaning(account: Aws, tmp_path: Path) -> None:
    for kind in (Kind.COPY, Kind.RENAME, Kind.VERSION, Kind.REPORT):
        last = done(account, work(kind, "hounds", base="dogs"), tmp_path)
        assert isinstance(last.problem, KennelError), kind
        assert last.stage is Stage.FAILED


def test_a_folder_on_this_machine_is_sent_from_where_it_lies(account: Aws, folder: Path, tmp_path: Path) -> None:
    (folder / PHOTOS / "train/Beagle/link.jpg").symlink_to("/etc/hostname")
    one = work(Kind.UPLOAD, "mine", source="photos", place=str(folder / PHOTOS))
    assert done(account, one, tmp_path / "work").problem is None
    assert keys(account) == {f"datasets/mine/{name}" for name in NAMES}
    assert (folder / PHOTOS / NAMES[0]).exists(), "it stays where it lies"


def test_a_zip_on_this_machine_is_sent_too(account: Aws, tmp_path: Path) -> None:
    file = tmp_path / "dogs.zip"
    file.write_bytes(zipped({name: picture(place) for place, name in enumerate(NAMES)}))
    assert (
        done(account, work(Kind.UPLOAD, "mine", source="dogs.zip", place=str(file)), tmp_path / "work").problem is None
    )
    assert keys(account) == {f"datasets/mine/{name}" for name in NAMES}


@pytest.mark.parametrize("told", ["", "dogs", "/nowhere/at/all", "/etc/hostname", "../.."])
def test_what_is_no_folder_and_no_zip_here_is_refused(told: str) -> None:
    with pytest.raises(InvalidInput):
        here.place(told)
