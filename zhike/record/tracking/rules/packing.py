"""Bodies of inbox rows, packed: events of a batch are alike, so the database writes, keeps and reads a fraction.

A packed body begins with a byte that no JSON begins with, then the length of what it holds, then LZ4. Others are as
they are.
"""

import pyarrow as pa

MARK = b"\x01"
HEAD = 5
LEAST = 256  # Bytes; less is not worth the trouble.
_LZ4 = pa.Codec("lz4_raw")


def packed(body: bytes) -> bytes:
    """Return a body as the inbox keeps it."""
    if len(body) < LEAST:
        return body
    found: bytes = MARK + len(body).to_bytes(HEAD - 1, "big") + _LZ4.compress(body, asbytes=True)
    return found if len(found) < len(body) else body


def unpacked(body: bytes) -> bytes:
    """Return the JSON of an inbox row's body. What is no packed body comes back as it is."""
    if not body.startswith(MARK):
        return body
    try:
        found: bytes = _LZ4.decompress(body[HEAD:], int.from_bytes(body[1:HEAD], "big"), asbytes=True)
    except (pa.ArrowException, OSError, MemoryError):
        return body
    return found
