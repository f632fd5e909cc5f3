"""The one form that a submission's zip has: written so, and compared with it when read.

No times, no permissions, no comments, no gaps: the same files give the same bytes, and nothing can hide between them.
Fields as in PKWARE's APPNOTE.TXT, 4.3.7, 4.3.12 and 4.3.16.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

DEFLATED: Final = 8
_VERSION: Final = 20
_UNIX: Final = 3
_NOON_1980: Final = (1 << 5) | 1
"""The first day that the format knows, in its own way of counting."""
_MODE: Final = 0o100644 << 16
LOCAL: Final = struct.Struct("<4s5H3L2H")
CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
END: Final = struct.Struct("<4s4H2LH")
LOCAL_SIGN: Final = b"PK\x03\x04"
CENTRAL_SIGN: Final = b"PK\x01\x02"
END_SIGN: Final = b"PK\x05\x06"


@dataclass(frozen=True, slots=True)
class Packed:
    """One file as it lies in the archive.

    Attributes:
        name: path within the archive, with slashes.
        data: deflated.
        crc: CRC-32 of the content.
        size: of the content.
    """

    name: str
    data: bytes | memoryview
    crc: int
    size: int


def write(files: Mapping[str, bytes]) -> bytes:
    """A zip of files, in the order of their names.

    Args:
        files: content by path.
    """
    return b"".join(bytes(part) for part in parts([_deflated(name, files[name]) for name in sorted(files)]))


def parts(entries: Sequence[Packed]) -> Iterator[bytes | memoryview]:
    """The bytes of the archive, piece by piece, in their order."""
    position = 0
    directory = []
    for entry in entries:
        name = entry.name.encode("ascii")
        sizes = (entry.crc, len(entry.data), entry.size)
        yield LOCAL.pack(LOCAL_SIGN, _VERSION, 0, DEFLATED, 0, _NOON_1980, *sizes, len(name), 0) + name
        yield entry.data
        made_by = _VERSION | (_UNIX << 8)
        facts = (made_by, _VERSION, 0, DEFLATED, 0, _NOON_1980, *sizes, len(name), 0, 0, 0, 0, _MODE, position)
        directory.append(CENTRAL.pack(CENTRAL_SIGN, *facts) + name)
        position += LOCAL.size + len(name) + len(entry.data)
    central = b"".join(directory)
    yield central
    yield END.pack(END_SIGN, 0, 0, len(entries), len(entries), len(central), position, 0)


def _deflated(name: str, content: bytes) -> Packed:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return Packed(name, packer.compress(content) + packer.flush(), zlib.crc32(content), len(content))
