"""Makes the sample lake: real tables in every layout that Limn reads.

    python tools/sample_lake.py [--out ./lake] [--source node_modules/vega-datasets/data]

Everything is written to a folder beside the lake first and moved when it is
complete, so that a lake is never half there.
"""

import argparse
import shutil
import sys
import time
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, QueryBuilder

from sample_tables import RECIPES

SOURCE = Path(__file__).resolve().parent.parent / "node_modules" / "vega-datasets" / "data"


def make(source, out):
    draft = out.with_name(f".{out.name}-{time.time_ns()}")
    draft.mkdir(parents=True)
    try:
        for name, recipe in RECIPES.items():
            began = time.monotonic()
            recipe(source, draft)
            print(f"   {name}: {time.monotonic() - began:.1f} s", file=sys.stderr)
        check(draft)
        (draft / ".limn-sample").write_text("made by tools/sample_lake.py\n")
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def check(lake):
    """Reads what the hand-written logs say with a library that knows nothing of them."""
    history = {
        "flights": [1_500_000, 3_000_000, 2_999_858, 3_000_000, 3_000_000],
        "weather": [2192, 2922, 2922],
        "birdstrikes": [10_000, 9371, 9363],
    }
    for name, counts in history.items():
        for version, n_rows in enumerate(counts):
            reader = QueryBuilder().register("t", DeltaTable(lake / name, version=version))
            found = pa.table(reader.execute("SELECT count(*) AS n FROM t").read_all())["n"][0].as_py()
            if found != n_rows:
                raise SystemExit(f"{name} version {version} has {found} rows and should have {n_rows}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("lake"))
    parser.add_argument("--source", type=Path, default=SOURCE)
    arguments = parser.parse_args()
    if arguments.out.exists():
        raise SystemExit(f"{arguments.out} is there already: remove it first")
    if not arguments.source.is_dir():
        raise SystemExit(f"no data in {arguments.source}: run npm ci first")
    make(arguments.source, arguments.out)


if __name__ == "__main__":
    main()
