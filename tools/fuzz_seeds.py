"""Puts good inputs where the fuzzer starts from: python tools/fuzz_seeds.py FOLDER."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import lakes  # noqa: E402
from test_hostile import GOOD_GROUPS, GOOD_QUERY  # noqa: E402

ADDRESSES = [
    "?link=1&table=flights&version=4&columns=date,delay&filter=delay:between:0:60&sort=-delay",
    "?link=1&table=flights&filter=origin:in:ATL:ORD&view=1:scatter:distance:delay:origin",
    "?table=sales%2F2024&view=none&renderer=raster&budget=1000000&debug=1",
]


def main(folder):
    for target in ("ipc", "query", "address"):
        (folder / target).mkdir(parents=True, exist_ok=True)
    table = lakes.every_kind(20)
    for kind in ("file", "stream"):
        for compression in (None, "lz4", "zstd"):
            path = folder / "ipc" / f"{kind}-{compression}"
            lakes.ipc(path, table, kind, compression, rows_per_batch=8)
            # The first byte is the size of the pieces.
            path.write_bytes(b"\x20" + path.read_bytes())
    for index, query in enumerate((GOOD_QUERY, GOOD_GROUPS)):
        (folder / "query" / f"good-{index}").write_text(json.dumps(query))
    for index, address in enumerate(ADDRESSES):
        (folder / "address" / f"good-{index}").write_text(address)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
