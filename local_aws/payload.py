"""The body of a request, checked while it streams: its SHA-256, or AWS's chunked form with its signatures and trailers.

A body is fed piece by piece and comes out as the bytes the client meant; the last step raises when they are not what
was signed. Nothing is buffered beyond one chunk header and what one piece holds.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from local_aws.errors import ServiceError

EMPTY_SHA256 = hashlib.sha256().hexdigest()
LONGEST_LINE = 16 * 1024  # of a chunk header or a trailer


class Body:
    """A body of which nothing is promised (UNSIGNED-PAYLOAD)."""

    def __init__(self) -> None:
        self.trailers: dict[str, str] = {}  # headers that came after the body, lower case

    def feed(self, piece: bytes) -> bytes:
        return piece

    def finish(self) -> None:
        """Called after the last piece; raises ServiceError when the body is not what was signed."""


class HashedBody(Body):
    """A body whose SHA-256 was signed."""

    def __init__(self, sha256: str) -> None:
        super().__init__()
        self._expected = sha256
        self._digest = hashlib.sha256()

    def feed(self, piece: bytes) -> bytes:
        self._digest.update(piece)
        return piece

    def finish(self) -> None:
        if not hmac.compare_digest(self._digest.hexdigest().encode(), self._expected.encode()):
            raise ServiceError(
                "XAmzContentSHA256Mismatch",
                "The provided 'x-amz-content-sha256' header does not match what was computed.",
            )


@dataclass
class ChunkSigner:
    """The chain of chunk signatures: each signs the one before it.

    sign: string to sign → hex signature, with the request's signing key.
    """

    sign: Callable[[str], str]
    timestamp: str
    scope: str
    previous: str

    def check_chunk(self, sha256: str, given: str) -> None:
        self._check("AWS4-HMAC-SHA256-PAYLOAD", f"{EMPTY_SHA256}\n{sha256}", given)

    def check_trailer(self, sha256: str, given: str) -> None:
        self._check("AWS4-HMAC-SHA256-TRAILER", sha256, given)

    def _check(self, kind: str, what: str, given: str) -> None:
        expected = self.sign(f"{kind}\n{self.timestamp}\n{self.scope}\n{self.previous}\n{what}")
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise ServiceError("SignatureDoesNotMatch", "The signature of a chunk of the body does not match.", 403)
        self.previous = expected


class ChunkedBody(Body):
    """aws-chunked: `size[;chunk-signature=…]\\r\\n bytes \\r\\n … 0\\r\\n trailers \\r\\n`.

    signer: None for STREAMING-UNSIGNED-PAYLOAD-TRAILER. length: X-Amz-Decoded-Content-Length, when sent.
    """

    def __init__(self, signer: ChunkSigner | None, length: int | None) -> None:
        super().__init__()
        self._signer = signer
        self._length = length
        self._trailer_signed = False
        self._line = bytearray()
        self._left = 0  # bytes of the current chunk still to come
        self._state = "size"
        self._signature = ""
        self._digest = hashlib.sha256()
        self._trailer_text = b""
        self._received = 0

    def feed(self, piece: bytes) -> bytes:
        out = bytearray()
        view = memoryview(piece)
        while len(view):
            if self._state == "data":
                part = view[: self._left]
                out += part
                if self._signer:
                    self._digest.update(part)
                self._left -= len(part)
                view = view[len(part) :]
                if not self._left:
                    self._end_of_chunk()
                    self._state = "crlf"
                continue
            newline = bytes(view).find(b"\n") if len(view) < LONGEST_LINE else bytes(view[:LONGEST_LINE]).find(b"\n")
            taken = view[: newline + 1] if newline >= 0 else view
            self._line += taken
            if len(self._line) > LONGEST_LINE:
                raise _malformed("a line of it is too long")
            view = view[len(taken) :]
            if newline >= 0:
                line = bytes(self._line).rstrip(b"\r\n")
                self._line.clear()
                self._take_line(line)
        self._received += len(out)
        return bytes(out)

    def _take_line(self, line: bytes) -> None:
        match self._state:
            case "size":
                size, _, extension = line.partition(b";")
                try:
                    self._left = int(size, 16)
                except ValueError:
                    raise _malformed("a chunk does not begin with its size") from None
                self._signature = extension.strip().removeprefix(b"chunk-signature=").decode("ascii", "replace")
                self._digest = hashlib.sha256()
                if self._left < 0:
                    raise _malformed("a chunk has a negative size")
                if self._left:
                    self._state = "data"
                else:
                    self._end_of_chunk()
                    self._state = "trailer"
            case "crlf":
                if line:
                    raise _malformed("a chunk is longer than its size")
                self._state = "size"
            case "trailer":
                if not line:
                    self._state = "end"
                    return
                name, _, value = line.decode("utf-8", "replace").partition(":")
                if name.lower() == "x-amz-trailer-signature":
                    self._check_trailer(value.strip())
                else:
                    self.trailers[name.lower().strip()] = value.strip()
                    self._trailer_text += f"{name.lower().strip()}:{value.strip()}\n".encode()
            case _:
                if line:
                    raise _malformed("bytes follow its end")

    def _end_of_chunk(self) -> None:
        if self._signer:
            self._signer.check_chunk(self._digest.hexdigest(), self._signature)

    def _check_trailer(self, given: str) -> None:
        if self._signer:
            self._signer.check_trailer(hashlib.sha256(self._trailer_text).hexdigest(), given)
            self._trailer_signed = True

    def finish(self) -> None:
        if self._state not in ("end", "trailer"):
            raise ServiceError("IncompleteBody", "The body ended before its last chunk.")
        if self._signer and self.trailers and not self._trailer_signed:
            raise ServiceError("SignatureDoesNotMatch", "The trailers of the body are not signed.", 403)
        if self._length is not None and self._received != self._length:
            raise ServiceError(
                "IncompleteBody",
                f"The body has {self._received} bytes and X-Amz-Decoded-Content-Length says {self._length}.",
            )


def _malformed(what: str) -> ServiceError:
    return ServiceError("InvalidChunk", f"The chunked body cannot be read: {what}.")
