"""Record batches, written and read by docs/format/record-batch.md and nothing else."""

import gzip
import struct

MAGIC = b"LSB"
SERVER_HALF = struct.Struct("<3sBIQqQ")  # magic, version, length, base offset, append time, flushed-up-to offset
PRODUCER_HALF = struct.Struct("<qqIIIHBB")  # id, base timestamp, sequence, count, records length, epoch, compression, 0
RECORDS_AT = 72


def _crc_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _crc_table()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value):
    return varint(2 * value if value >= 0 else -2 * value - 1)


def record(delta, key, value, headers=()):
    body = zigzag(delta)
    body += varint(0) if key is None else varint(len(key) + 1) + key
    if headers:
        body += varint(len(value))
    body += value
    for name, content in headers:
        body += varint(len(name)) + name + varint(len(content)) + content
    return varint(2 * len(body) + (1 if headers else 0)) + body


def seal(records, timestamp, producer=(-1, 0, 0), compress=False):
    """`records`: those that `record` made. `producer`: id, epoch, base sequence."""
    plain = b"".join(records)
    content = gzip.compress(plain) if compress else plain
    producer_id, epoch, sequence = producer
    fields = PRODUCER_HALF.pack(
        producer_id, timestamp, sequence, len(records), len(plain), epoch, 1 if compress else 0, 0
    )
    checked = fields + content
    producer_half = struct.pack("<I", crc32c(checked)) + checked
    server_half = SERVER_HALF.pack(MAGIC, 1, 36 + len(producer_half), 0, 0, 0)
    return server_half + struct.pack("<I", crc32c(server_half)) + producer_half


class _Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, length):
        assert self.at + length <= len(self.data), "a length goes past the end"
        taken = self.data[self.at : self.at + length]
        self.at += length
        return taken

    def varint(self):
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def zigzag(self):
        value = self.varint()
        return value // 2 if value % 2 == 0 else -(value + 1) // 2

    def rest(self):
        return self.take(len(self.data) - self.at)


def read(batches):
    """The records of batches that stand end to end: dictionaries, in order."""
    records = []
    at = 0
    while at < len(batches):
        magic, version, length, base_offset, append_time, _ = SERVER_HALF.unpack_from(batches, at)
        assert (magic, version) == (MAGIC, 1)
        (server_crc,) = struct.unpack_from("<I", batches, at + 32)
        assert server_crc == crc32c(batches[at : at + 32])
        batch = batches[at : at + length]
        assert len(batch) == length
        (producer_crc,) = struct.unpack_from("<I", batch, 36)
        assert producer_crc == crc32c(batch[40:])
        _, timestamp, _, count, records_length, _, compression, reserved = PRODUCER_HALF.unpack_from(batch, 40)
        assert compression in (0, 1) and reserved == 0
        plain = gzip.decompress(batch[RECORDS_AT:]) if compression == 1 else batch[RECORDS_AT:]
        assert len(plain) == records_length
        reader = _Reader(plain)
        for index in range(count):
            found = _record(reader)
            delta = found.pop("delta")
            records.append(
                {"offset": base_offset + index, "timestamp": timestamp + delta, "append_time": append_time, **found}
            )
        assert reader.at == records_length
        at += length
    return records


def _record(reader):
    lead = reader.varint()
    body = _Reader(reader.take(lead // 2))
    delta = body.zigzag()
    key_length = body.varint()
    key = None if key_length == 0 else body.take(key_length - 1)
    if lead % 2 == 0:
        return {"delta": delta, "key": key, "value": body.rest(), "headers": []}
    value = body.take(body.varint())
    headers = []
    while body.at < len(body.data):
        name = body.take(body.varint())
        headers.append((name, body.take(body.varint())))
    assert headers
    return {"delta": delta, "key": key, "value": value, "headers": headers}


def fnv1a32(data):
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value
