"""Delta commits written by hand, for tables that must come out the same byte for byte.

Writers of the field name files at random and shuffle batches between threads.
The sample lake wants rows in order and the same files on every machine, so its
data files are written by pyarrow and its log here: commits, statistics and
deletion vectors as the Delta protocol has them. Tests make their other tables
with `deltalake`, so that both kinds are read.
"""

import base64
import datetime
import json
import os
import struct
import uuid
import zlib
from pathlib import Path
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FIRST_COMMIT = datetime.datetime(2024, 3, 4, 9, 0, tzinfo=datetime.timezone.utc)
ROWS_PER_GROUP = 131_072

DELTA_TYPES = {
    pa.bool_(): "boolean",
    pa.int8(): "byte",
    pa.int16(): "short",
    pa.int32(): "integer",
    pa.int64(): "long",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.string(): "string",
    pa.binary(): "binary",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp_ntz",
    pa.timestamp("us", "UTC"): "timestamp",
}


class DeltaLog:
    """One table being written: `add` files to a commit, `commit` it, go on."""

    def __init__(self, folder, schema, partition_by=(), features=(), configuration=None, identity=None):
        self.folder = Path(folder)
        # What ids and file names are derived from.
        self.identity = identity or self.folder.name
        self.partition_by = list(partition_by)
        self.features = sorted(features)
        self.configuration = configuration or {}
        self.schema = schema
        self.version = -1
        self.n_files = 0
        self.pending = []
        (self.folder / "_delta_log").mkdir(parents=True)

    def add(self, table, data_change=True):
        """Writes a file per partition value, and returns the add actions."""
        actions = []
        for values, part in self._partitions(table):
            folder = "".join(f"{key}={quote(value)}/" for key, value in values.items())
            name = f"part-{self.n_files:05d}-{self._uuid(f'file {self.n_files}')}-c000.zstd.parquet"
            path = self.folder / folder / name
            path.parent.mkdir(exist_ok=True)
            self.n_files += 1
            pq.write_table(part, path, compression="zstd", row_group_size=ROWS_PER_GROUP)
            action = {
                # A path is URL-encoded once more than the folder's own name.
                "path": quote(folder, safe="/=") + name,
                "partitionValues": values,
                "size": path.stat().st_size,
                "modificationTime": self._millis(self.version + 1),
                "dataChange": data_change,
                "stats": json.dumps(statistics(part), separators=(",", ":")),
            }
            actions.append(action)
            self.pending.append({"add": action})
        return actions

    def remove(self, action, data_change=True):
        removed = {
            "path": action["path"],
            "deletionTimestamp": self._millis(self.version + 1),
            "dataChange": data_change,
            "extendedFileMetadata": True,
            "partitionValues": action["partitionValues"],
            "size": action["size"],
        }
        if "deletionVector" in action:
            removed["deletionVector"] = action["deletionVector"]
        self.pending.append({"remove": removed})

    def delete_rows(self, action, rows):
        """Hides rows of a file by a deletion vector; `rows` are all that are hidden from now on."""
        identity = uuid.UUID(bytes=self._uuid(f"vector {self.version + 1} {action['path']}").bytes)
        descriptor = write_deletion_vector(self.folder, identity, rows)
        self.remove(action)
        stats = json.loads(action["stats"]) | {"tightBounds": False}
        hidden = action | {"deletionVector": descriptor, "stats": json.dumps(stats, separators=(",", ":"))}
        hidden["modificationTime"] = self._millis(self.version + 1)
        self.pending.append({"add": hidden})
        return hidden

    def commit(self, operation, **parameters):
        self.version += 1
        millis = self._millis(self.version)
        info = {
            "timestamp": millis,
            "operation": operation,
            "operationParameters": {
                key: value if isinstance(value, str) else json.dumps(value) for key, value in parameters.items()
            },
            "engineInfo": "limn-sample-lake",
        }
        lines = [{"commitInfo": info}]
        if self.version == 0:
            lines += [{"protocol": self._protocol()}, {"metaData": self._metadata()}]
        path = self.folder / "_delta_log" / f"{self.version:020d}.json"
        path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines + self.pending))
        os.utime(path, (millis / 1000, millis / 1000))
        self.pending = []

    def evolve(self, schema):
        """Takes a wider schema, from the next commit on."""
        self.schema = schema
        self.pending.append({"metaData": self._metadata()})

    def _protocol(self):
        if not self.features:
            return {"minReaderVersion": 1, "minWriterVersion": 2}
        return {
            "minReaderVersion": 3,
            "minWriterVersion": 7,
            "readerFeatures": self.features,
            "writerFeatures": self.features,
        }

    def _metadata(self):
        fields = [
            {"name": field.name, "type": DELTA_TYPES[field.type], "nullable": field.nullable, "metadata": {}}
            for field in self.schema
        ]
        return {
            "id": str(self._uuid("table")),
            "format": {"provider": "parquet", "options": {}},
            "schemaString": json.dumps({"type": "struct", "fields": fields}, separators=(",", ":")),
            "partitionColumns": self.partition_by,
            "configuration": self.configuration,
            "createdTime": self._millis(0),
        }

    def _partitions(self, table):
        if not self.partition_by:
            return [({}, table)]
        keys = table.group_by(self.partition_by).aggregate([])
        keys = keys.sort_by([(key, "ascending") for key in self.partition_by])
        parts = []
        for key in keys.to_pylist():
            part = table
            for column, value in key.items():
                part = part.filter(pc.equal(part[column], value))
            values = {column: str(value) for column, value in key.items()}
            parts.append((values, part.drop_columns(self.partition_by)))
        return parts

    def _uuid(self, what):
        return uuid.uuid5(uuid.NAMESPACE_URL, f"limn:{self.identity}:{what}")

    def _millis(self, version):
        return int((FIRST_COMMIT + datetime.timedelta(days=7 * version)).timestamp() * 1000)


def statistics(table):
    """The `stats` of an add action, written as the protocol writes values."""
    lowest, highest, nulls = {}, {}, {}
    for name in table.column_names:
        column = table[name]
        nulls[name] = column.null_count
        if column.null_count == len(column) or pa.types.is_boolean(column.type) or pa.types.is_binary(column.type):
            continue
        low, high = (value.as_py() for value in pc.min_max(column).values())
        lowest[name], highest[name] = stats_value(low), stats_value(high)
    return {"numRecords": table.num_rows, "minValues": lowest, "maxValues": highest, "nullCount": nulls}


def stats_value(value):
    if isinstance(value, datetime.datetime):
        text = value.isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def write_deletion_vector(folder, identity, rows):
    """A file with one deletion vector, and the descriptor that a log names it by."""
    rows = sorted(set(rows))
    body = struct.pack("<I", 1681511377) + roaring_array(rows)
    framed = b"\x01" + struct.pack(">I", len(body)) + body + struct.pack(">I", zlib.crc32(body))
    (Path(folder) / f"deletion_vector_{identity}.bin").write_bytes(framed)
    return {
        "storageType": "u",
        "pathOrInlineDv": z85(identity.bytes),
        "offset": 1,
        "sizeInBytes": len(body),
        "cardinality": len(rows),
    }


def roaring_array(rows):
    """Row numbers as the protocol's 64-bit Roaring array: a 32-bit bitmap per high word."""
    words = {}
    for row in rows:
        words.setdefault(row >> 32, []).append(row & 0xFFFFFFFF)
    out = struct.pack("<Q", len(words))
    for word, low in sorted(words.items()):
        out += struct.pack("<I", word) + roaring(low)
    return out


def roaring(values):
    """A 32-bit Roaring bitmap in the portable layout, without run containers."""
    containers = {}
    for value in values:
        containers.setdefault(value >> 16, []).append(value & 0xFFFF)
    head = struct.pack("<II", 12346, len(containers))
    bodies = []
    for key, low in sorted(containers.items()):
        head += struct.pack("<HH", key, len(low) - 1)
        if len(low) <= 4096:
            bodies.append(struct.pack(f"<{len(low)}H", *low))
        else:
            bits = bytearray(8192)
            for value in low:
                bits[value >> 3] |= 1 << (value & 7)
            bodies.append(bytes(bits))
    offset = len(head) + 4 * len(bodies)
    for body in bodies:
        head += struct.pack("<I", offset)
        offset += len(body)
    return head + b"".join(bodies)


def z85(data):
    """ZeroMQ's base 85: the standard library's digits, in another alphabet."""
    theirs = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
    ours = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
    return base64.b85encode(data).decode().translate(str.maketrans(theirs, ours))
