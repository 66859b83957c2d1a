"""The checksums S3 knows, each an object with `update(bytes)` and `value() -> base64`.

zlib and hashlib have all but CRC-32C and CRC-64/NVME, which are worked out here over many lanes at once with numpy.
"""

import base64
import hashlib
import zlib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Protocol

from local_aws.errors import NotThereError, ServiceError

LANE = 256  # bytes a lane takes
WIDEST = 4096  # lanes at once

# name on the wire (x-amz-checksum-<name>) → member of botocore's model
MEMBERS = {
    "crc32": "ChecksumCRC32",
    "crc32c": "ChecksumCRC32C",
    "crc64nvme": "ChecksumCRC64NVME",
    "sha1": "ChecksumSHA1",
    "sha256": "ChecksumSHA256",
    "sha512": "ChecksumSHA512",
    "md5": "ChecksumMD5",
}


class Checksum(Protocol):
    def update(self, data: bytes) -> None: ...
    def value(self) -> str: ...


class _Hash:
    def __init__(self, name: str) -> None:
        self._hash = hashlib.new(name, usedforsecurity=False)

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def value(self) -> str:
        return base64.b64encode(self._hash.digest()).decode()


class _Crc32:
    def __init__(self) -> None:
        self._crc = 0

    def update(self, data: bytes) -> None:
        self._crc = zlib.crc32(data, self._crc)

    def value(self) -> str:
        return base64.b64encode(self._crc.to_bytes(4, "big")).decode()


class _WideCrc:
    """A reflected CRC, its register and final value inverted, as CRC-32C and CRC-64/NVME are."""

    def __init__(self, bits: int, polynomial: int) -> None:
        self._bits = bits
        self._polynomial = polynomial
        self._crc = (1 << bits) - 1

    def update(self, data: bytes) -> None:
        table, operators = _tables(self._bits, self._polynomial)
        view, register = memoryview(data), self._crc
        while len(view) >= LANE:
            level = min(len(view) // LANE, WIDEST).bit_length() - 1
            size = LANE << level
            register = _lanes(view[:size], register, table, operators[:level])
            view = view[size:]
        small: list[int] = table.tolist() if len(view) else []
        for byte in view:
            register = small[(register ^ byte) & 0xFF] ^ (register >> 8)
        self._crc = register

    def value(self) -> str:
        final = self._crc ^ ((1 << self._bits) - 1)
        return base64.b64encode(final.to_bytes(self._bits // 8, "big")).decode()


def _lanes(data: memoryview, register: int, table: Any, operators: list[Any]) -> int:
    """The register after `data` (LANE × 2^len(operators) bytes): each lane by itself, then joined two by two.

    Joining: register(A then B) = register(A) moved on by len(B) zero bytes, xor register(B from zero).
    """
    import numpy as np

    columns = np.ascontiguousarray(np.frombuffer(data, np.uint8).reshape(-1, LANE).T).astype(np.uint64)
    state = np.zeros(columns.shape[1], np.uint64)
    state[0] = register
    eight, low = np.uint64(8), np.uint64(0xFF)
    for column in columns:
        state = table[(state ^ column) & low] ^ (state >> eight)
    for operator in operators:
        state = _move(operator, state[0::2]) ^ state[1::2]
    return int(state[0])


def _move(operator: Any, state: Any) -> Any:
    """Registers moved on by as many zero bytes as the operator stands for; its row i maps byte i of a register."""
    import numpy as np

    out = np.zeros_like(state)
    for position, row in enumerate(operator):
        out ^= row[(state >> np.uint64(8 * position)) & np.uint64(0xFF)]
    return out


@cache
def _tables(bits: int, polynomial: int) -> tuple[Any, list[Any]]:
    """The byte table, and the operators that move a register on by LANE, 2 LANE, 4 LANE … zero bytes."""
    import numpy as np

    table = np.arange(256, dtype=np.uint64)
    one, poly = np.uint64(1), np.uint64(polynomial)
    for _ in range(8):
        table = np.where(table & one, (table >> one) ^ poly, table >> one)
    basis = one << np.arange(bits, dtype=np.uint64)
    for _ in range(LANE):
        basis = table[basis & np.uint64(0xFF)] ^ (basis >> np.uint64(8))
    operators = []
    for _ in range(WIDEST.bit_length() - 1):
        operator = np.zeros((bits // 8, 256), np.uint64)
        for bit in range(bits):
            half = 1 << bit % 8
            operator[bit // 8, half : 2 * half] = operator[bit // 8, :half] ^ basis[bit]
        operators.append(operator)
        basis = _move(operator, basis)
    return table, operators


def checksum(name: str) -> Checksum:
    """A fresh checksum by its name on the wire; raises NotThereError for those that are not here (XXHASH…)."""
    match name:
        case "crc32":
            return _Crc32()
        case "crc32c":
            return _WideCrc(32, 0x82F63B78)
        case "crc64nvme":
            return _WideCrc(64, 0x9A6C9329AC4BC9B5)
        case "sha1" | "sha256" | "sha512" | "md5":
            return _Hash(name)
    raise NotThereError(f"The checksum {name}")


def of_checksums(name: str, values: Iterable[str]) -> str:
    """The checksum over the checksums of parts, with `-N` behind it, as a multipart object has it."""
    whole, count = checksum(name), 0
    for value in values:
        whole.update(base64.b64decode(value))
        count += 1
    return f"{whole.value()}-{count}"


def announced(headers: Mapping[str, str]) -> set[str]:
    """Which checksums a request brings, in its headers or after its body, or asks to be worked out."""
    trailers = (name.strip().lower() for name in headers.get("x-amz-trailer", "").split(","))
    names = {n.removeprefix("x-amz-checksum-") for n in (*headers, *trailers) if n.startswith("x-amz-checksum-")}
    names -= {"algorithm", "mode", "type"}
    asked = headers.get("x-amz-sdk-checksum-algorithm") or headers.get("x-amz-checksum-algorithm")
    return names | ({asked.lower()} if asked else set())


def verify(computed: Mapping[str, str], headers: Mapping[str, str], trailers: Mapping[str, str]) -> None:
    """Raises BadDigest when a checksum the client sent is not the one of what arrived."""
    for name, value in computed.items():
        for given in (headers.get(f"x-amz-checksum-{name}"), trailers.get(f"x-amz-checksum-{name}")):
            if given is not None and given != value:
                raise ServiceError(
                    "BadDigest", f"The {name.upper()} you specified did not match the calculated checksum."
                )


def verify_md5(md5: bytes, headers: Mapping[str, str]) -> None:
    """Raises InvalidDigest or BadDigest when Content-MD5 is not the one of what arrived."""
    given = headers.get("content-md5")
    if given is None:
        return
    try:
        expected = base64.b64decode(given, validate=True)
    except ValueError:
        expected = b""
    if len(expected) != 16:
        raise ServiceError("InvalidDigest", "The Content-MD5 you specified is not valid.")
    if expected != md5:
        raise ServiceError("BadDigest", "The Content-MD5 you specified did not match what we received.")
