"""Damage to a file as a row of bytes: any format, no knowledge of it."""

import random
import re

EXTREME_BYTES = (b"\0", b"\xff", b"\x7f", b"\x80", b"\r\n", b"{", b"[", b"}", b"]", b'"', b":")
EXTREME_NUMBERS = (
    b"0 -1 1 -0 255 65535 65536 2147483647 2147483648 -2147483649 4294967296 9223372036854775807 "
    b"18446744073709551616 1e30 1e308 -1e308 1e-308 1e999 nan NaN -inf Infinity 0x10 1_000 .5 1e "
    b"1000000 99999999"
).split()
_NUMBER = re.compile(rb"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
_WIDTHS = (1, 2, 4, 8)
_MOST = 100_000
_SEARCHED = 20_000


def flip(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(data)


def overwrite(data, rng):
    """A run of bytes gets random or extreme values."""
    start = rng.randrange(len(data))
    length = rng.choice((1, 1, 2, 4, 8, 64))
    new = rng.choice((rng.randbytes(length), rng.choice(EXTREME_BYTES) * length))[:length]
    return data[:start] + new + data[start + length :]


def truncate(data, rng):
    return data[: rng.choice((0, 1, rng.randrange(len(data)), rng.randrange(len(data))))]


def cut(data, rng):
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 2, 8, 100, len(data) // 4)) :]


def insert(data, rng):
    start = rng.randrange(len(data) + 1)
    new = rng.choice((rng.randbytes(rng.randrange(1, 17)), rng.choice(EXTREME_BYTES)))
    return data[:start] + new * rng.choice((1, 1, 1, 100)) + data[start:]


def splice(data, rng):
    """A piece of the file takes the place of, or goes before, another."""
    source, target = rng.randrange(len(data)), rng.randrange(len(data))
    piece = data[source : source + rng.randrange(1, max(2, len(data) // 4))]
    return data[:target] + piece + data[target + rng.choice((0, len(piece))) :]


def integer(data, rng):
    """A binary number becomes an extreme: a length, a count, an offset, a width."""
    width = rng.choice(_WIDTHS)
    order = rng.choice(("little", "big"))
    bits = 8 * width
    value = rng.choice((0, 1, 2, 2 ** (bits - 1) - 1, 2 ** (bits - 1), 2**bits - 1, 2**bits - 2))
    if width > 2 and rng.random() < 0.3:
        value = rng.choice((1 << 16, 1 << 20, 1 << 24, (1 << 28) + 1))
    # Heads hold the lengths.
    reach = len(data) if rng.random() < 0.5 else min(len(data), 128)
    start = rng.randrange(reach)
    return data[:start] + value.to_bytes(width, order) + data[start + width :]


def number(data, rng):
    """A number in text becomes an extreme."""
    start = rng.randrange(max(1, len(data) - _SEARCHED))
    found = list(_NUMBER.finditer(data, start, start + _SEARCHED))
    if not found:
        return integer(data, rng)
    for match in sorted(
        rng.sample(found, min(len(found), rng.choice((1, 1, 2)))),
        reverse=True,
        key=lambda match: match.start(),
    ):
        data = data[: match.start()] + rng.choice(EXTREME_NUMBERS) + data[match.end() :]
    return data


def lines(data, rng):
    """A line, or in one-line files a word, is dropped, doubled, moved or repeated often."""
    mark = b"\n" if data.count(b"\n") > 2 else rng.choice((b" ", b",", b"\n"))
    parts = data.split(mark)
    where = rng.randrange(len(parts))
    kind = rng.randrange(4)
    if kind == 0:
        del parts[where]
    elif kind == 1:
        parts.insert(where, rng.choice(parts))
    elif kind == 2:
        other = rng.randrange(len(parts))
        parts[where], parts[other] = parts[other], parts[where]
    else:
        most = _MOST // (len(parts[where]) + 1) + 1
        parts[where:where] = [parts[where]] * min(most, rng.choice((10, 1000)))
    return mark.join(parts)


KINDS = (flip, overwrite, truncate, cut, insert, splice, integer, number, lines)


def damage(data: bytes, rng: random.Random) -> bytes:
    """One to three kinds of damage; never more than doubles a file beyond 100 kB."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        if not data:
            return rng.randbytes(rng.randrange(64))
        data = rng.choice(KINDS)(data, rng)
    return data
