"""Submissions that somebody has damaged, or tampered with: one seed, one submission, always the same.

Some are damaged bytes, some broken archives, and some fit their own manifest again, so that what reads evidence has to
find them. None of them may be accepted.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable
from typing import Any, Final

from scorekit.submission import archive, zip_form
from scorekit.submission.pack import MANIFEST, SUBMISSION, seal

Files = dict[str, bytes]
_HOSTILE: Final[tuple[Any, ...]] = (
    None, "", "NaN", "Infinity", -1, 0, 1e308, -1e308, 10**18, 10**400, True, [], {}, [[]], "x" * 5000, "\u202e", "<b>",
    "../../x", "\x00", {"__class__": "os.system"}, [1, 2, 3], 0.1,
)  # fmt: skip
_NAMES: Final = (
    "../evil", "/etc/passwd", "runs/1/../../x", "C:\\x", "runs/1/WINDOWS.jsonl", "manifest.json", "runs/1/nested.zip",
    "runs/1/x/y/z", "runs/9/windows.jsonl", "con", "runs/1/\x7f", "a" * 200,
)  # fmt: skip


def mutated(content: bytes, seed: int) -> tuple[str, bytes]:
    """A damaged submission, and how it was damaged.

    Args:
        content: a good one.
        seed: which damage.
    """
    chance = random.Random(seed)
    kind = chance.choice(_KINDS)
    return f"{kind.__name__[1:]} (seed {seed})", kind(content, chance)


def _bytes(content: bytes, chance: random.Random) -> bytes:
    """Bytes of the archive changed; headers more often than their share."""
    found = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 8, 64))):
        near = chance.choice((len(found), 200, 1000))
        at = chance.randrange(min(near, len(found)))
        place = at if chance.random() < 0.5 else len(found) - 1 - at
        found[place] ^= chance.randrange(1, 256)
    return bytes(found)


def _pieces(content: bytes, chance: random.Random) -> bytes:
    """A piece cut out, doubled, moved, or filled."""
    start = chance.randrange(len(content))
    end = min(len(content), start + chance.choice((1, 4, 22, 46, 500, 5000)))
    piece = content[start:end]
    other = chance.randrange(len(content))
    return chance.choice(
        (
            content[:start],
            content[:start] + content[end:],
            content[:end] + piece + content[end:],
            content[:other] + piece + content[other:],
            content[:start] + bytes(end - start) + content[end:] if any(piece) else content[:start],
            content + chance.randbytes(chance.randrange(1, 100)),
            chance.randbytes(chance.randrange(1, 100)) + content,
        )
    )


def _entries(content: bytes, chance: random.Random) -> bytes:
    """The archive made anew with names and files that no submission has."""
    files = archive.read(content, archive.Limits())
    entries = list(files.items())
    trick = chance.randrange(6)
    if trick == 0:
        entries += [(chance.choice(_NAMES), chance.choice((b"x", zip_form.write({"x": b"y"}), b"\x1f\x8b\x08")))]
    elif trick == 1:
        entries += [(f"runs/1/{number:05}", b"") for number in range(chance.choice((1, 50, 1000, 5000)))]
    elif trick == 2:
        entries.pop(chance.randrange(len(entries)))
    elif trick == 3:
        chance.shuffle(entries)
        if entries == list(files.items()):
            entries.reverse()
    elif trick == 4:
        entries.append((f"runs/1/{chance.choice(('power', 'windows'))}.bin", bytes(chance.choice((10, 30)) * 1024**2)))
    else:
        name, data = entries[chance.randrange(len(entries))]
        entries.append((name, data))
    packed = [zip_form._deflated(name, data) for name, data in entries]
    return b"".join(bytes(part) for part in zip_form.parts(packed))


def _headers(content: bytes, chance: random.Random) -> bytes:
    """Fields of one directory entry, or of the end, set to what harms."""
    found = bytearray(content)
    if chance.random() < 0.3:
        at = len(found) - zip_form.END.size + chance.choice((4, 8, 10, 12, 16, 20))
    else:
        starts = [place for place in range(len(found) - 4) if found[place : place + 4] == zip_form.CENTRAL_SIGN]
        at = chance.choice(starts) + chance.choice((4, 6, 8, 10, 12, 16, 20, 24, 28, 30, 32, 38, 40, 42))
    value = chance.choice((b"\xff\xff\xff\xff", b"\x00\x00", b"\x01\x00", b"\xff\xff", b"\x00\xa0\xff\xa1"))
    before = bytes(found)
    found[at : at + len(value)] = value
    return bytes(found) if bytes(found) != before else before[:-1]


def _content(content: bytes, chance: random.Random) -> bytes:
    """One file changed, under the old manifest."""
    files = archive.read(content, archive.Limits())
    name = chance.choice(sorted(files))
    files[name] = _broken(files[name], chance)
    return zip_form.write(files)


def _resealed(content: bytes, chance: random.Random) -> bytes:
    """One file of the evidence broken, and the manifest made to fit."""
    files = archive.read(content, archive.Limits())
    name = chance.choice([name for name in sorted(files) if name not in (MANIFEST, SUBMISSION)])
    files[name] = _broken(files[name], chance)
    return _sealed(files)


def _values(content: bytes, chance: random.Random) -> bytes:
    """One value of the evidence or of what is claimed replaced by a hostile one, and the manifest made to fit."""
    files = archive.read(content, archive.Limits())
    name = chance.choice([name for name in sorted(files) if name != MANIFEST])
    lines = files[name].splitlines() if name.endswith("l") else [files[name]]
    at = chance.randrange(len(lines))
    document = json.loads(lines[at])
    place = document["runs"][0] if name == SUBMISSION else document
    before = json.dumps(document)
    for _ in range(20):
        _spoil(place, chance)
        if json.dumps(document) != before:
            break
    lines[at] = json.dumps(document).encode()
    files[name] = b"\n".join(lines) + b"\n"
    return _sealed(files)


def _both(content: bytes, chance: random.Random) -> bytes:
    """Energies changed in the windows, and every sum made to fit, that of the score as well."""
    files = archive.read(content, archive.Limits())
    windows = next(name for name in sorted(files) if name.endswith("windows.jsonl"))
    lines = [json.loads(line) for line in files[windows].splitlines()]
    factor = chance.choice((0.5, 0.9, 0.99, 1.01, -1.0, 0.0))
    for line in lines:
        for reading in line["readings"]:
            if reading["energy_wh"] is not None:
                reading["energy_wh"] *= factor
    files[windows] = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    score = next(name for name in sorted(files) if name.endswith("score.json"))
    document = json.loads(files[score])
    document["provenance"]["files"][windows] = hashlib.sha256(files[windows]).hexdigest()
    files[score] = json.dumps(document).encode()
    return _sealed(files)


def _spoil(value: Any, chance: random.Random) -> None:
    """Change one place within a document."""
    while isinstance(value, dict | list) and value:
        # Nobody but the submitter can tell whether sums of files that were not handed in are right.
        keys = (
            [key for key in value if key not in ("source_files", "schema_version")] if isinstance(value, dict) else []
        )
        if isinstance(value, dict) and not keys:
            return
        key = chance.choice(keys) if isinstance(value, dict) else chance.randrange(len(value))
        if isinstance(value[key], dict | list) and value[key] and chance.random() < 0.9:
            value = value[key]
            continue
        # A field that is left out has its default, which most often is what says nothing.
        if chance.random() < 0.2 and value[key] not in (None, [], {}):
            del value[key]
        elif isinstance(value, dict) and chance.random() < 0.1:
            value["__reduce__"] = chance.choice(_HOSTILE)
        else:
            value[key] = chance.choice(_HOSTILE)
        return


def _broken(data: bytes, chance: random.Random) -> bytes:
    """The content of a file, no longer what it was."""
    at = chance.randrange(len(data))
    made: Callable[[], bytes] = chance.choice(
        (
            lambda: data[:at],
            lambda: data[:at] + bytes([data[at] ^ chance.randrange(1, 256)]) + data[at + 1 :],
            lambda: b"[" * chance.choice((10, 100_000)) + data,
            lambda: data[:at] + b"\x80\x04cos\nsystem\n" + data[at:],
            lambda: data + data,
            lambda: b"",
            lambda: b"\xff\xfe" + data,
            lambda: data.replace(b"0", b"9", 3) if b"0" in data else b"null",
        )
    )
    return made()


def _sealed(files: Files) -> bytes:
    return seal({name: data for name, data in files.items() if name != MANIFEST})


_KINDS: Final = (_bytes, _bytes, _pieces, _entries, _headers, _content, _resealed, _values, _values, _both)
