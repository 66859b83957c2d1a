"""Work on data sets, carried out: each kind step by step, told of as it goes on, and begun again where it broke off."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from dashboard.core.aws import Aws
from dashboard.core.data import contents, fetching, here, mark, reviews, sending
from dashboard.core.data.contents import MANIFEST, Contents
from dashboard.core.data.datasets import PREFIX
from dashboard.core.data.layout import Layout, Placed, lay_out
from dashboard.core.data.work import Kind, Progress, Stage, Stopped, Teller, Work
from dashboard.core.errors import AlreadyExists, InvalidInput, KennelError, NotFound, Refused, ServiceFault
from dashboard.core.format import count
from dashboard.core.serving import feedback
from training.sources import DOG_IMAGES
from training.zips import content, opened

PHOTOS = "photos"
"""The folder, in an upload's own, that its photos wait in."""
ENDING = "ending"
"""A file in the work's folder: all is done but the mark's going, whose answer may have been lost."""
LIMITS = here.LIMITS
Inspect = Callable[[Path, Contents, Teller], None]
"""Looks through a data set that lies in a folder, and keeps what was found by its fingerprint."""


def carry_out(
    aws: Aws,
    work: Work,
    folder: Path,
    hears: Callable[[Progress], None],
    is_stopped: Callable[[], bool],
    inspect: Inspect,
    *,
    dogs: str = DOG_IMAGES,
) -> Progress:
    """Do one piece of work, with what it keeps on this machine in `folder`; tells of every step and returns the last
    one: DONE, FAILED with why, or STOPPED. dogs: the address of dogImages. Raises nothing of its own."""
    teller = Teller(work, hears, is_stopped)
    try:
        is_done = (folder / ENDING).exists() and mark.read(aws, work.name) is None
        said = f"{work.name} is there" if is_done else _STEPS[work.kind](aws, work, folder, teller, inspect, dogs)
        teller.tell(Stage.DONE, said=said)
    except Stopped:
        teller.tell(Stage.STOPPED, said="What was done stays; it can go on from there.")
    except KennelError as error:
        teller.tell(Stage.FAILED, problem=error)
    except OSError as error:
        why = error.strerror or str(error)
        problem = ServiceFault(f"{work.words}: broken off on Kennel's machine", why, "free some space, then go on")
        teller.tell(Stage.FAILED, problem=problem)
    return teller.now


def _upload(aws: Aws, work: Work, folder: Path, teller: Teller, inspect: Inspect, dogs: str) -> str:
    if work.place:
        return _send_from_here(aws, work, teller)
    if work.file:
        return _send_zip(aws, work, folder / work.file, teller)
    waiting = folder / PHOTOS
    photos = [Placed(key, key, size) for key, size in _waiting(waiting)]
    mark.put(aws, work.name, work.words, work.token)
    sending.send(aws, work.name, photos, lambda one: (waiting / one.key).read_bytes(), teller)
    mark.remove(aws, work.name)
    return _sent(work, teller.now, ())


def _send_from_here(aws: Aws, work: Work, teller: Teller) -> str:
    path = here.place(work.place)
    if path.is_file():
        return _send_zip(aws, work, path, teller)
    found = here.look(path)
    mark.put(aws, work.name, work.words, work.token)
    sending.send(aws, work.name, found.photos, lambda one: (path / one.path).read_bytes(), teller)
    mark.remove(aws, work.name)
    return _sent(work, teller.now, found.notes)


def _import(aws: Aws, work: Work, folder: Path, teller: Teller, inspect: Inspect, dogs: str) -> str:
    file = folder / "brought.zip"
    if not file.exists():
        fetching.fetch(fetching.remote(aws, work.source, dogs), file, teller)
    return _send_zip(aws, work, file, teller)


def _send_zip(aws: Aws, work: Work, file: Path, teller: Teller) -> str:
    with fetching.explained(), opened(file, LIMITS) as (zipped, members):
        entries = {path.as_posix(): entry for entry, path in members}
        found: Layout = lay_out((path, entry.file_size) for path, entry in entries.items())
        mark.put(aws, work.name, work.words, work.token)
        sending.send(aws, work.name, found.photos, lambda one: content(zipped, entries[one.path]), teller)
    mark.remove(aws, work.name)
    return _sent(work, teller.now, found.notes)


def _copy(aws: Aws, work: Work, folder: Path, teller: Teller, inspect: Inspect, dogs: str) -> str:
    base = _copy_all(aws, work, teller)
    _end(aws, work, folder)
    return f"{work.name} is a copy of {work.base}: {count(len(base.photos), 'photo')}"


def _end(aws: Aws, work: Work, folder: Path) -> None:
    """Take the mark off a data set that is new: without it the name would be somebody else's to this very work."""
    (folder / ENDING).touch()
    mark.remove(aws, work.name)
    (folder / ENDING).unlink()


def _copy_all(aws: Aws, work: Work, teller: Teller) -> Contents:
    """Everything but the end: the copy keeps its mark. What was copied."""
    base = contents.read(aws, work.base)
    require_free(aws, work)
    if base.is_uploading:
        raise Refused(
            f"{work.base} is not whole", "its upload goes on, or was broken off", "let it go on to its end first"
        )
    there = sending.stored(aws, base.prefix)
    kept = [key for key in there if key != mark.key(work.base)]
    mark.put(aws, work.name, work.words, work.token)
    sending.copy(aws, {f"{PREFIX}{work.name}/{key.removeprefix(base.prefix)}": key for key in kept}, there, teller)
    return base


def _rename(aws: Aws, work: Work, folder: Path, teller: Teller, inspect: Inspect, dogs: str) -> str:
    try:
        contents.read(aws, work.base)
    except NotFound:
        if _token(aws, work.name) != "" or not sending.stored(aws, f"{PREFIX}{work.name}/"):
            raise
        return f"{work.base} is called {work.name} now"  # it was done before, and the answer was lost
    if _token(aws, work.base) != work.token:  # else it is being deleted by this very work: all of it was copied before
        _copy_all(aws, work, teller)
        mark.put(aws, work.base, work.words, work.token)  # before the copy is whole: one of the two always is not
    mark.remove(aws, work.name)
    _delete_all(aws, work, work.base, teller)
    return f"{work.base} is called {work.name} now"


def _delete(aws: Aws, work: Work, folder: Path, teller: Teller, inspect: Inspect, dogs: str) -> str:
    _delete_all(aws, work, work.name, teller)
    return f"{work.name} is deleted"


def _delete_all(aws: Aws, work: Work, name: str, teller: Teller) -> None:
    """The mark first and last: what is left when this breaks off must not be trained on."""
    keys = [key for key in sending.stored(aws, f"{PREFIX}{name}/") if key != mark.key(name)]
    mark.put(aws, name, work.words, work.token)
    sending.delete(aws, keys, teller)
    mark.remove(aws, name)


def _version(aws: Aws, work: Work, folder: Path, teller: Teller, inspect: Inspect, dogs: str) -> str:
    base = contents.read(aws, work.base)
    require_free(aws, work)
    photos = sending.stored(aws, feedback.PREFIX)
    added = [one for one in work.added if one.source in photos]  # who sent the others took them back meanwhile
    if not added:
        raise Refused(
            f"{work.name} was not made",
            f"all of the {count(len(work.added), 'reviewed photo')} were taken back by whoever sent them",
            "dismiss this, and review others first",
        )
    prefix = f"{PREFIX}{work.name}/"
    pairs = {prefix + one.key.removeprefix(base.prefix): one.key for one in base.photos}
    pairs |= {prefix + one.key: one.source for one in added}
    mark.put(aws, work.name, work.words, work.token)
    gone = [prefix + one.key for one in work.added if one not in added]
    if stale := sending.stored(aws, prefix).keys() & set(gone):  # copied before this broke off
        sending.delete(aws, stale, teller)
    sending.copy(aws, pairs, sending.stored(aws, base.prefix) | photos, teller)
    manifest = {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "base": base.uri,
        "base_fingerprint": base.fingerprint,
        "photos": len(pairs),
        "added": [{"key": one.key, "source": f"s3://{base.bucket}/{one.source}", "note": one.note} for one in added],
    }
    body = json.dumps(manifest, indent=2, ensure_ascii=False).encode()
    key = prefix + MANIFEST
    aws.call("s3", "PutObject", Bucket=base.bucket, Key=key, Body=body, ContentType="application/json")
    reviews.used(aws, [one.note for one in added if one.note], work.name)
    _end(aws, work, folder)
    less = f". {count(len(gone), 'photo was', 'photos were')} left out: whoever sent it took it back" if gone else ""
    return f"{count(len(added), 'reviewed photo')} and all of {work.base} are in {work.name}{less}"


def _report(aws: Aws, work: Work, folder: Path, teller: Teller, inspect: Inspect, dogs: str) -> str:
    found = contents.read(aws, work.name)
    place = folder / PHOTOS
    fetching.mirror(aws, found, place, teller)
    teller.tell(Stage.LOOKING, total=len(found.photos))
    inspect(place, found, teller)
    return f"The report on {work.name} is there"


_STEPS: dict[Kind, Callable[[Aws, Work, Path, Teller, Inspect, str], str]] = {
    Kind.UPLOAD: _upload,
    Kind.IMPORT: _import,
    Kind.COPY: _copy,
    Kind.RENAME: _rename,
    Kind.DELETE: _delete,
    Kind.VERSION: _version,
    Kind.REPORT: _report,
}


def require_free(aws: Aws, work: Work) -> None:
    """Raises AlreadyExists when the name is another data set's, unless this very work began to make it."""
    there = sending.stored(aws, f"{PREFIX}{work.name}/")
    if there and _token(aws, work.name) != work.token:
        raise AlreadyExists(
            f"there is a data set {work.name} already", "it would be mixed with this one", "choose another name"
        )


def _token(aws: Aws, name: str) -> str:
    """Whose work a data set that is not whole is; "" for a whole one."""
    found = mark.read(aws, name)
    return found.token if found else ""


def _waiting(folder: Path) -> list[tuple[str, int]]:
    """The photos of an upload that wait here, as SPLIT/CLASS/FILE, with their bytes."""
    found = [(one.relative_to(folder).as_posix(), one.stat().st_size) for one in folder.rglob("*") if one.is_file()]
    if not found:
        raise InvalidInput("the photos of this upload are not here any more", "", "upload them again", field="files")
    return sorted(found)


def _sent(work: Work, now: Progress, notes: tuple[str, ...]) -> str:
    sent = now.total - now.kept - len(now.refused)
    said = [f"{count(sent, 'photo')} sent to {work.name}"]
    if now.kept:
        said.append(f"{now.kept:,} were there already")
    if now.refused:
        said.append(f"{count(len(now.refused), 'file was', 'files were')} not taken")
    return ". ".join([", ".join(said), *(note.rstrip(".") for note in notes)])
