"""CBOR as Smithy's RPC v2 protocol uses it (RFC 8949): what newer AWS clients speak to CloudWatch.

Bytes become plain Python values and back; times are tag 1 (epoch seconds). Nothing here knows of AWS's shapes.
"""

import math
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

DEEPEST = 32  # of nested lists and maps; AWS's own shapes stay below 10
_TEXT, _ARRAY, _MAP = 3, 4, 5
_FLOATS = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}
_BREAK = object()


class NotCborError(ValueError):
    """The bytes are not CBOR, or of a kind this protocol does not use."""


def decode(data: bytes) -> Any:
    """The one value in `data`. Raises NotCborError."""
    reader = _Reader(data)
    try:
        value = reader.value(0)
    except (IndexError, struct.error, UnicodeDecodeError, OverflowError, OSError, TypeError) as wrong:
        raise NotCborError("the bytes end early or hold what cannot be read") from wrong
    if value is _BREAK or reader.at != len(data):
        raise NotCborError("there is not exactly one value")
    return value


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def _take(self, count: int) -> bytes:
        if count > len(self._data) - self.at:
            raise NotCborError("the bytes end early")
        self.at += count
        return self._data[self.at - count : self.at]

    def value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise NotCborError("nested too deeply")
        first = self._data[self.at]
        self.at += 1
        major, low = first >> 5, first & 0x1F
        if major == 7:
            return self._simple(low)
        if low == 31:
            return self._indefinite(major, depth)
        length = self._number(low)
        match major:
            case 0:
                return length
            case 1:
                return -1 - length
            case 2:
                return self._take(length)
            case 3:
                return self._take(length).decode()
            case 4:
                return [self._item(depth) for _ in range(length)]
            case 5:
                return {self._item(depth): self._item(depth) for _ in range(length)}
        return self._tagged(length, depth)

    def _item(self, depth: int) -> Any:
        found = self.value(depth + 1)
        if found is _BREAK:
            raise NotCborError("a break where a value is due")
        return found

    def _number(self, low: int) -> int:
        if low < 24:
            return low
        if low > 27:
            raise NotCborError("a length that is none")
        return int.from_bytes(self._take(1 << (low - 24)), "big")

    def _simple(self, low: int) -> Any:
        match low:
            case 20 | 21:
                return low == 21
            case 22 | 23:
                return None
            case 31:
                return _BREAK
        if low not in _FLOATS:
            raise NotCborError("a simple value that means nothing here")
        form, size = _FLOATS[low]
        return struct.unpack(form, self._take(size))[0]

    def _indefinite(self, major: int, depth: int) -> Any:
        items = []
        while (item := self.value(depth + 1)) is not _BREAK:
            items.append(item)
        match major:
            case 2:
                return b"".join(items)
            case 3:
                return "".join(items)
            case 4:
                return items
        if major != _MAP or len(items) % 2:
            raise NotCborError("an open length where none can be")
        return dict(zip(items[::2], items[1::2], strict=True))

    def _tagged(self, tag: int, depth: int) -> Any:
        value = self._item(depth)
        if tag != 1:
            return value
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise NotCborError("a time that is no number")
        try:
            return datetime.fromtimestamp(value, UTC)
        except ValueError as wrong:
            raise NotCborError("a time beyond the calendar") from wrong


def encode(value: Any) -> bytes:
    """A value as CBOR; members that are None are left out of a map. Raises TypeError for what has no form here."""
    parts: list[bytes] = []
    _write(value, parts.append)
    return b"".join(parts)


def _write(value: Any, add: Any) -> None:
    match value:
        case bool():
            add(b"\xf5" if value else b"\xf4")
        case float():
            add(struct.pack(">Bd", 0xFB, value))
        case int():
            add(_head(0, value) if value >= 0 else _head(1, -1 - value))
        case str():
            raw = value.encode()
            add(_head(_TEXT, len(raw)) + raw)
        case datetime():
            add(struct.pack(">BBd", 0xC1, 0xFB, value.timestamp()))
        case Mapping():
            members = {key: member for key, member in value.items() if member is not None}
            add(_head(_MAP, len(members)))
            for key, member in members.items():
                _write(key, add)
                _write(member, add)
        case Sequence():
            add(_head(_ARRAY, len(value)))
            if value and all(type(item) is float for item in value):  # a series has thousands of them
                add(struct.pack(">" + "Bd" * len(value), *(part for item in value for part in (0xFB, item))))
                return
            for item in value:
                _write(item, add)
        case _:
            raise TypeError(f"{type(value).__name__} has no form in this protocol")


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for low, form in ((24, ">BB"), (25, ">BH"), (26, ">BI"), (27, ">BQ")):
        if number < 1 << 8 * (1 << low - 24):
            return struct.pack(form, major << 5 | low, number)
    raise TypeError("a number beyond 64 bits has no form in this protocol")
