"""The tables of the sample lake: real data of the npm package vega-datasets (BSD-3), one recipe each.

Between them they hold every way a table may lie in a lake, and `kinds` holds
every kind of value. Recipes are deterministic: the same rows in the same order.
"""

import datetime
import decimal
import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq

from delta_log import DeltaLog

RECIPES = {}


def recipe(name):
    """Enters a function (source, lake) into the list of tables to make."""

    def enter(function):
        RECIPES[name] = function
        return function

    return enter


@recipe("flights")
def flights(source, lake):
    """Three million flights of 2001 as Delta: written, appended, corrected, widened, compacted.

    142 flights say that they left over an hour early, some by 18 hours. Version 2
    takes them out, version 3 brings them back without the delay and with a note.
    """
    table = flights_with_places(source)
    half = table.num_rows // 2
    log = DeltaLog(lake / "flights", table.schema, features=["timestampNtz"])
    first = [log.add(part)[0] for part in by_month(table.slice(0, half))]
    log.commit("WRITE", mode="ErrorIfExists")
    second = [log.add(part)[0] for part in by_month(table.slice(half))]
    log.commit("WRITE", mode="Append")

    wrong = pc.less(table["delay"], -60)
    right = table.filter(pc.invert(wrong))
    for action in first + second:
        log.remove(action)
    kept = [log.add(part)[0] for part in by_month(right)]
    log.commit("DELETE", predicate="delay < -60")

    n_wrong = pc.sum(wrong).as_py()
    note = pa.array(["left over an hour early: delay withheld"] * n_wrong)
    corrected = table.filter(wrong).set_column(1, "delay", pa.nulls(n_wrong, pa.int16())).append_column("note", note)
    log.evolve(corrected.schema)
    kept += log.add(corrected)
    log.commit("WRITE", mode="Append", schemaMode="Merge")

    for action in kept:
        log.remove(action, data_change=False)
    whole = pa.concat_tables([right, corrected], promote_options="default").sort_by("date")
    for start in range(0, whole.num_rows, 1_500_000):
        log.add(whole.slice(start, 1_500_000), data_change=False)
    log.commit("OPTIMIZE", targetSize="16777216", zOrderBy=[])


def flights_with_places(source):
    table = pq.read_table(source / "flights-3m.parquet")
    airports = pyarrow.csv.read_csv(source / "airports.csv")
    origin = table["origin"].combine_chunks().cast(pa.string())
    state = pc.take(airports["state"], pc.index_in(origin, airports["iata"])).combine_chunks()
    # Airports abroad have NA for a state.
    state = pc.if_else(pc.equal(state, "NA"), None, state)
    date = table["date"].combine_chunks()
    hour = pc.add(pc.hour(date), pc.divide(pc.cast(pc.minute(date), pa.float32()), pa.scalar(60, pa.float32())))
    return pa.table(
        {
            "date": date,
            "delay": table["delay"].cast(pa.int16()),
            "distance": table["distance"].cast(pa.int16()),
            "hour": hour.cast(pa.float32()),
            "origin": origin,
            "destination": table["destination"].cast(pa.string()),
            "state": state,
        }
    )


def by_month(table):
    month = pc.month(table["date"])
    # July holds one midnight; it stays with June.
    month = pc.min_element_wise(month, 6)
    return [table.filter(pc.equal(month, value)) for value in sorted(pc.unique(month).to_pylist())]


@recipe("weather")
def weather(source, lake):
    """Four years of weather as Delta, a folder for each city, in three versions."""
    table = pyarrow.csv.read_csv(source / "weather.csv")
    log = DeltaLog(lake / "weather", table.schema, partition_by=["location"])
    last_year = pc.greater_equal(table["date"], datetime.date(2015, 1, 1))
    first = log.add(table.filter(pc.invert(last_year)))
    log.commit("WRITE", mode="ErrorIfExists", partitionBy=["location"])
    log.add(table.filter(last_year))
    log.commit("WRITE", mode="Append", partitionBy=["location"])
    # Seattle's observers told drizzle from rain, New York's did not.
    seattle = next(action for action in first if action["partitionValues"]["location"] == "Seattle")
    merged = table.filter(pc.and_(pc.equal(table["location"], "Seattle"), pc.invert(last_year)))
    kind = pc.if_else(pc.equal(merged["weather"], "drizzle"), "rain", merged["weather"])
    log.remove(seattle)
    log.add(merged.set_column(merged.column_names.index("weather"), "weather", kind))
    log.commit("UPDATE", predicate="location = 'Seattle' AND weather = 'drizzle'")


@recipe("birdstrikes")
def birdstrikes(source, lake):
    """Ten thousand birds and aircraft as Delta; what may have been a bat is hidden by deletion vectors."""
    table = pyarrow.csv.read_csv(source / "birdstrikes.csv", convert_options=NULLS_IN_CSV)
    table = table.rename_columns([name.lower().replace(" $", "_usd").replace(" ", "_") for name in table.column_names])
    log = DeltaLog(
        lake / "birdstrikes",
        table.schema,
        features=["deletionVectors"],
        configuration={"delta.enableDeletionVectors": "true"},
    )
    parts = [table.slice(0, 6000), table.slice(6000)]
    actions = [log.add(part)[0] for part in parts]
    log.commit("WRITE", mode="ErrorIfExists")

    unsure = [rows_where(part, "wildlife_species", "Unknown bird or bat") for part in parts]
    actions = [log.delete_rows(action, rows) for action, rows in zip(actions, unsure)]
    log.commit("DELETE", predicate="wildlife_species = 'Unknown bird or bat'")

    # A vector replaces the one before it, so it names the rows of both deletions.
    taxiing = rows_where(parts[1], "phase_of_flight", "Taxi")
    log.delete_rows(actions[1], unsure[1] + taxiing)
    log.commit("DELETE", predicate="phase_of_flight = 'Taxi'")


NULLS_IN_CSV = pyarrow.csv.ConvertOptions(strings_can_be_null=True, null_values=[""])


def rows_where(table, column, value):
    hit = pc.fill_null(pc.equal(table[column], value), False)
    return pc.indices_nonzero(hit.combine_chunks()).to_pylist()


@recipe("movies.parquet")
def movies(source, lake):
    """3,201 films as one Parquet file: text with nulls, money, dates, dictionaries."""
    rows = json.loads((source / "movies.json").read_text())
    table = pa.table(
        {
            "title": text_column(rows, "Title"),
            "release_date": pa.array([film_date(row["Release Date"]) for row in rows], pa.date32()),
            "us_gross": pa.array([row["US Gross"] for row in rows], pa.int64()),
            "worldwide_gross": pa.array([row["Worldwide Gross"] for row in rows], pa.int64()),
            "production_budget": pa.array([row["Production Budget"] for row in rows], pa.int64()),
            "running_time_min": pa.array([row["Running Time min"] for row in rows], pa.int32()),
            "rating": text_column(rows, "MPAA Rating").dictionary_encode(),
            "genre": text_column(rows, "Major Genre").dictionary_encode(),
            "distributor": text_column(rows, "Distributor"),
            "director": text_column(rows, "Director"),
            "rotten_tomatoes": pa.array([row["Rotten Tomatoes Rating"] for row in rows], pa.int16()),
            "imdb": pa.array([row["IMDB Rating"] for row in rows], pa.float64()),
            "imdb_votes": pa.array([row["IMDB Votes"] for row in rows], pa.int32()),
        }
    )
    pq.write_table(table, lake / "movies.parquet", compression="zstd")


def text_column(rows, name):
    return pa.array([None if row[name] is None else str(row[name]) for row in rows], pa.string())


def film_date(text):
    if text is None:
        return None
    for form in ("%b %d %Y", "%Y-%m-%d"):
        try:
            return datetime.datetime.strptime(text, form).date()
        except ValueError:
            continue
    return None


@recipe("airports.csv")
def airports(source, lake):
    """3,376 airports as the CSV file they came as."""
    (lake / "airports.csv").write_bytes((source / "airports.csv").read_bytes())


@recipe("penguins.arrow")
def penguins(source, lake):
    """344 penguins as an Arrow IPC file with dictionaries and LZ4 bodies."""
    rows = json.loads((source / "penguins.json").read_text())
    columns = {}
    for name in rows[0]:
        column = pa.array([row[name] for row in rows])
        key = name.lower().replace("(", "").replace(")", "").replace(" ", "_")
        columns[key] = column.dictionary_encode() if pa.types.is_string(column.type) else column
    table = pa.table(columns)
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.OSFile(str(lake / "penguins.arrow"), "wb") as sink:
        with pa.ipc.new_file(sink, table.schema, options=options) as writer:
            writer.write_table(table)


@recipe("stocks.arrows")
def stocks(source, lake):
    """Five companies' prices by month as an Arrow IPC stream of several batches, ZSTD bodies."""
    table = pyarrow.csv.read_csv(source / "stocks.csv")
    dates = [datetime.datetime.strptime(text, "%b %d %Y").date() for text in table["date"].to_pylist()]
    table = table.set_column(1, "date", pa.array(dates, pa.date32()))
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    with pa.OSFile(str(lake / "stocks.arrows"), "wb") as sink:
        with pa.ipc.new_stream(sink, table.schema, options=options) as writer:
            writer.write_table(table, max_chunksize=128)


@recipe("sp500")
def sp500(source, lake):
    """Twenty years of an index as a folder of Parquet files, one a year."""
    table = pyarrow.csv.read_csv(source / "sp500-2000.csv")
    year = pc.year(table["date"])
    (lake / "sp500").mkdir()
    for value in sorted(pc.unique(year).to_pylist()):
        pq.write_table(table.filter(pc.equal(year, value)), lake / "sp500" / f"{value}.parquet", compression="zstd")


@recipe("zipcodes")
def zipcodes(source, lake):
    """42,049 postal codes, Hive-partitioned by state; the codes stay text, for their leading zeros."""
    options = pyarrow.csv.ConvertOptions(column_types={"zip_code": pa.string()})
    table = pyarrow.csv.read_csv(source / "zipcodes.csv", convert_options=options)
    for state in sorted(pc.unique(table["state"]).to_pylist()):
        folder = lake / "zipcodes" / f"state={state}"
        folder.mkdir(parents=True)
        part = table.filter(pc.equal(table["state"], state)).drop_columns(["state"])
        pq.write_table(part, folder / "part-0.parquet", compression="zstd")


@recipe("earthquakes.parquet")
def earthquakes(source, lake):
    """1,707 earthquakes with a zoned time, a point as a list and a struct of reports."""
    features = json.loads((source / "earthquakes.json").read_text())["features"]
    rows = [(feature["properties"], feature["geometry"]["coordinates"]) for feature in features]
    rows.sort(key=lambda row: row[0]["time"])
    report = pa.struct({"felt": pa.int32(), "stations": pa.int32(), "tsunami": pa.bool_()})
    reports = [{"felt": p["felt"], "stations": p["nst"], "tsunami": bool(p["tsunami"])} for p, _ in rows]
    table = pa.table(
        {
            "time": pa.array([p["time"] for p, _ in rows], pa.timestamp("ms", "UTC")),
            "place": pa.array([p["place"] for p, _ in rows], pa.string()),
            "magnitude": pa.array([p["mag"] for p, _ in rows], pa.float64()),
            "kind": pa.array([p["type"] for p, _ in rows]).dictionary_encode(),
            "longitude": pa.array([c[0] for _, c in rows], pa.float64()),
            "latitude": pa.array([c[1] for _, c in rows], pa.float64()),
            "depth_km": pa.array([c[2] for _, c in rows], pa.float32()),
            "point": pa.array([c for _, c in rows], pa.list_(pa.float64())),
            "reports": pa.array(reports, report),
        }
    )
    pq.write_table(table, lake / "earthquakes.parquet", compression="zstd")


@recipe("kinds.parquet")
def kinds(_source, lake):
    """A thousand made rows of every kind of value, with nulls and the awkward ones of each."""
    pq.write_table(every_kind(1000), lake / "kinds.parquet", compression="zstd", row_group_size=250)


def every_kind(n_rows, seed=614):
    """Columns of every type that a table may have; awkward values come first, then drawn ones."""
    random = np.random.default_rng(seed)
    days = random.integers(-20_000, 40_000, n_rows)
    micros = random.integers(-(2**50), 2**51, n_rows)
    f64 = awkward(
        [float("nan"), -0.0, 0.0, float("inf"), float("-inf"), 5e-324, 1.5, -1.5], random.normal(0, 1e3, n_rows)
    )
    words = np.array(["", "a", "Ä", "ß", "東京", "🦆", "a,b", 'say "x"', "two\nlines", " space ", "NULL", "0"])
    text = awkward(words.tolist(), words[random.integers(0, len(words), n_rows)])
    vectors = random.normal(0, 1, (n_rows, 4)).astype("f4")
    columns = {
        "id": pa.array(np.arange(n_rows, dtype="i4")),
        "i8": pa.array(awkward([-128, 127, 0], random.integers(-128, 128, n_rows)), pa.int8()),
        "i16": pa.array(awkward([-(2**15), 2**15 - 1], random.integers(-(2**15), 2**15, n_rows)), pa.int16()),
        "i32": pa.array(awkward([-(2**31), 2**31 - 1], random.integers(-(2**31), 2**31, n_rows)), pa.int32()),
        "i64": pa.array(
            awkward(
                [-(2**63), 2**63 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**53 + 3],
                random.integers(-(2**62), 2**62, n_rows),
            ),
            pa.int64(),
        ),
        "u8": pa.array(awkward([0, 255], random.integers(0, 256, n_rows)), pa.uint8()),
        "u16": pa.array(awkward([0, 2**16 - 1], random.integers(0, 2**16, n_rows)), pa.uint16()),
        "u32": pa.array(awkward([0, 2**32 - 1], random.integers(0, 2**32, n_rows)), pa.uint32()),
        "u64": pa.array(awkward([0, 2**64 - 1, 2**63, 2**53 + 1], random.integers(0, 2**63, n_rows)), pa.uint64()),
        "f32": pa.array(np.array(f64, dtype="f4"), pa.float32()),
        "f64": pa.array(f64, pa.float64()),
        "boolean": pa.array(random.random(n_rows) < 0.5),
        "text": pa.array(text, pa.string()),
        "large_text": pa.array(text[::-1], pa.large_string()),
        "category": pa.array(text, pa.string()).dictionary_encode(),
        "bytes": pa.array([value.encode() + b"\x00\xff" for value in text], pa.binary()),
        "day": pa.array(days.astype("i4"), pa.int32()).cast(pa.date32()),
        "at_ms": pa.array(micros // 1000, pa.int64()).cast(pa.timestamp("ms")),
        "at_us": pa.array(micros, pa.int64()).cast(pa.timestamp("us")),
        "at_ns": pa.array(micros * 100 + 7, pa.int64()).cast(pa.timestamp("ns")),
        "at_utc": pa.array(micros, pa.int64()).cast(pa.timestamp("us", "UTC")),
        "at_berlin": pa.array(micros, pa.int64()).cast(pa.timestamp("us", "Europe/Berlin")),
        "price": pa.array(scaled(random.integers(-(10**9), 10**9, n_rows), 2), pa.decimal128(12, 2)),
        "wide": pa.array(awkward(scaled([10**37 - 1], 10), scaled(micros, 10)), pa.decimal128(38, 10)),
        "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), 4),
        "floats": pa.array([row[: i % 5].tolist() for i, row in enumerate(vectors)], pa.list_(pa.float32())),
        "tags": pa.array([text[i : i + i % 4] for i in range(n_rows)], pa.list_(pa.string())),
        "nested": pa.array([{"a": int(i), "b": {"c": text[i]}} for i in range(n_rows)]),
        "nothing": pa.nulls(n_rows, pa.int32()),
    }
    # Every seventh value is null, at another place in each column.
    for shift, name in enumerate(columns):
        if name not in ("id", "nothing"):
            columns[name] = with_nulls(columns[name], (np.arange(n_rows) + shift) % 7 == 6)
    return pa.table(columns)


def scaled(integers, digits):
    with decimal.localcontext(prec=40):
        return [decimal.Decimal(int(value)).scaleb(-digits) for value in integers]


def awkward(first, rest):
    # Twice, since every seventh value is hidden afterwards.
    return [*first, *first, *(value.item() if hasattr(value, "item") else value for value in rest)][: len(rest)]


def with_nulls(column, hidden):
    # `take` with a null index gives a null of any type, nested ones too.
    rows = pa.array(np.arange(len(column)), mask=hidden)
    return column.take(rows)
