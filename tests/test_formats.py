"""Every format we serve, read by foreign readers, against the rows that they find in the files themselves."""

import base64
import csv
import datetime
import decimal
import io
import json
import math
import subprocess

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest

from limn_server import MEDIA_TYPES, ROOT, explain
from reference import assert_same

FORMATS = list(MEDIA_TYPES)
MOVIES = {"table": "movies"}


def served(limn, query, form):
    response = limn.query(query, form)
    assert response.status_code == 200, explain(response)
    assert response.headers["Content-Type"].split(";")[0].strip() == MEDIA_TYPES[form]
    return response.content


def plain(table):
    """A table without dictionaries and large offsets, which say nothing about its values."""
    columns = []
    for column in table.columns:
        kind = column.type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        widths = {pa.large_string(): pa.string(), pa.large_binary(): pa.binary()}
        columns.append(column.cast(widths.get(kind, kind)).combine_chunks())
    return pa.table(columns, names=table.column_names)


# Readers: name → (format, function from bytes to rows as tuples)


def rows(table):
    return list(zip(*(column.to_pylist() for column in table.columns))) if table.num_columns else []


def polars_rows(frame):
    return frame.rows()


def duckdb_rows(path, function):
    return duckdb.connect().execute(f"SELECT * FROM {function}").fetchall()


def javascript_rows(content):
    """The `apache-arrow` package, as rows of JSON with big integers as text."""
    done = subprocess.run(
        ["node", ROOT / "tests/read_arrow.mjs"],
        input=content,
        stdout=subprocess.PIPE,
        check=True,
        cwd=ROOT,
        timeout=120,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def movies(sample_lake):
    return pq.read_table(sample_lake / "movies.parquet")


@pytest.mark.parametrize("form", ["arrow-stream", "arrow-file", "parquet"])
def test_pyarrow_and_polars_read_what_is_in_the_file(sample, movies, form):
    content = served(sample, MOVIES, form)
    read = {
        "arrow-stream": (lambda b: pa.ipc.open_stream(b).read_all(), pl.read_ipc_stream),
        "arrow-file": (lambda b: pa.ipc.open_file(b).read_all(), pl.read_ipc),
        "parquet": (lambda b: pq.read_table(io.BytesIO(b)), pl.read_parquet),
    }[form]
    answer = read[0](content)
    assert plain(answer).equals(plain(movies))
    frame = read[1](io.BytesIO(content))
    assert_same(frame.rows(), rows(movies))


def test_pyarrow_and_polars_read_csv(sample, movies):
    content = served(sample, MOVIES, "csv")
    texts = {field.name: pa.string() for field in plain(movies).schema if pa.types.is_string(field.type)}
    options = pyarrow.csv.ConvertOptions(
        column_types=texts, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
    )
    parse = pyarrow.csv.ParseOptions(newlines_in_values=True)
    table = pyarrow.csv.read_csv(io.BytesIO(content), parse_options=parse, convert_options=options)
    assert_same(rows(table), rows(movies))
    schema = dict(zip(movies.column_names, pl.from_arrow(plain(movies)).dtypes))
    assert_same(pl.read_csv(content, schema=schema, try_parse_dates=True).rows(), rows(movies))


def test_polars_reads_json_and_ndjson(sample, movies):
    titles = movies["title"].to_pylist()
    votes = movies["imdb_votes"].to_pylist()
    for form, read in (("json", pl.read_json), ("ndjson", pl.read_ndjson)):
        frame = read(io.BytesIO(served(sample, MOVIES, form)), infer_schema_length=None)
        assert frame["title"].to_list() == titles, form
        assert frame["imdb_votes"].to_list() == votes, form


@pytest.mark.parametrize("form", ["parquet", "csv", "json", "ndjson"])
def test_duckdb_reads_what_it_finds_in_the_file(sample, sample_lake, tmp_path, form):
    path = tmp_path / f"answer.{form}"
    path.write_bytes(served(sample, MOVIES, form))
    function = {
        "parquet": f"read_parquet('{path}')",
        "csv": f"read_csv('{path}', header=true)",
        "json": f"read_json('{path}', format='array')",
        "ndjson": f"read_json('{path}', format='newline_delimited')",
    }[form]
    question = (
        "SELECT genre, count(*), count(us_gross), sum(us_gross), avg(imdb), min(release_date), max(release_date) "
        "FROM {} GROUP BY genre ORDER BY genre NULLS LAST"
    )
    database = duckdb.connect()
    expected = database.execute(question.format(f"read_parquet('{sample_lake}/movies.parquet')")).fetchall()
    assert_same(database.execute(question.format(function)).fetchall(), expected)


@pytest.mark.parametrize("form", ["arrow-stream", "arrow-file"])
def test_duckdb_reads_arrow(sample, sample_lake, form):
    content = served(sample, MOVIES, form)
    opened = pa.ipc.open_stream(content) if form == "arrow-stream" else pa.ipc.open_file(content)
    answer = opened.read_all()
    database = duckdb.connect()
    database.register("answer", answer)
    expected = database.execute(f"SELECT * FROM read_parquet('{sample_lake}/movies.parquet')").fetchall()
    assert_same(database.execute("SELECT * FROM answer").fetchall(), expected)


@pytest.mark.parametrize("form", ["arrow-stream", "arrow-file"])
def test_javascript_reads_arrow(sample, movies, form):
    found = javascript_rows(served(sample, MOVIES, form))
    assert found["rows"] == movies.num_rows
    assert found["columns"] == movies.column_names
    expected = [["null" if v is None else javascript_text(v) for v in row] for row in rows(movies)]
    assert_same(found["values"], expected)


def javascript_text(value):
    if isinstance(value, datetime.date):
        midnight = datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.timezone.utc)
        return str(int(midnight.timestamp() * 1000))
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


# Every kind of value, by way of every format


@pytest.fixture(scope="module")
def kinds(sample_lake):
    return pq.read_table(sample_lake / "kinds.parquet")


@pytest.mark.parametrize("form", ["arrow-stream", "arrow-file", "parquet"])
def test_no_value_and_no_type_changes_in_arrow_and_parquet(sample, kinds, form):
    content = served(sample, {"table": "kinds"}, form)
    if form == "parquet":
        answer = pq.read_table(io.BytesIO(content))
    else:
        answer = (pa.ipc.open_stream if form == "arrow-stream" else pa.ipc.open_file)(content).read_all()
    assert answer.column_names == kinds.column_names
    for name in kinds.column_names:
        mine, theirs = plain(answer.select([name])), plain(kinds.select([name]))
        assert mine.schema.field(0).type == theirs.schema.field(0).type, name
        if name in ("f32", "f64"):
            # NaN is equal to nothing, and minus zero to zero: compare the bits.
            bits = {"f32": pa.int32(), "f64": pa.int64()}[name]
            mine, theirs = (pa.table([t.column(0).combine_chunks().view(bits)], names=[name]) for t in (mine, theirs))
        assert mine.equals(theirs), name


def test_answers_hold_no_views_or_runs(made, made_lake):
    answer = made.arrow({"table": "kinds-in-ipc"})
    for field in answer.schema:
        assert not any(word in str(field.type) for word in ("view", "run_end")), field
    with pa.ipc.open_file(str(made_lake / "kinds-in-ipc.arrow")) as reader:
        file = reader.read_all()
    for name in ("view", "bytes_view", "large", "category", "half", "large_list", "runs", "nothing"):
        assert answer[name].to_pylist() == file[name].to_pylist(), name


def json_value(value, kind):
    """What the contract writes for a value in JSON."""
    if value is None:
        return None
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= 2**53 - 1 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list):
        return [json_value(item, None) for item in value]
    if isinstance(value, dict):
        return {key: json_value(item, None) for key, item in value.items()}
    return value


@pytest.mark.parametrize("form", ["json", "ndjson"])
def test_json_keeps_every_value(sample, kinds, form):
    content = served(sample, {"table": "kinds"}, form).decode()
    found = json.loads(content) if form == "json" else [json.loads(line) for line in content.splitlines()]
    assert len(found) == kinds.num_rows
    times = {"day", "at_ms", "at_us", "at_ns", "at_utc", "at_berlin"}
    for name in kinds.column_names:
        if name in times:
            continue
        for row, value in zip(found, kinds[name].to_pylist()):
            wanted = json_value(value, name)
            got = row.get(name)
            if name == "f32" and isinstance(wanted, float):
                assert math.isclose(got, wanted, rel_tol=1e-6), (name, got, wanted)
            elif isinstance(wanted, float):
                assert got == wanted and math.copysign(1, got) == math.copysign(1, wanted), (name, got, wanted)
            elif name in ("price", "wide"):
                assert got is wanted is None or decimal.Decimal(got) == decimal.Decimal(wanted), (name, got, wanted)
                assert got is None or isinstance(got, str)
            elif name in ("vector", "floats"):
                assert_same([(got,)], [(wanted,)], 1e-6)
            else:
                assert got == wanted and type(got) is type(wanted), (name, got, wanted)


def test_json_times_are_iso(sample, kinds):
    found = sample.query({"table": "kinds"}, "json").json()
    for name in ("day", "at_ms", "at_us", "at_utc", "at_berlin"):
        for row, value in zip(found, kinds[name].to_pylist()):
            if value is None:
                assert row.get(name) is None
                continue
            parse = datetime.date.fromisoformat if name == "day" else datetime.datetime.fromisoformat
            got = parse(row[name])
            assert got == value, (name, row[name], value)
            assert name not in ("at_utc", "at_berlin") or got.tzinfo is not None


def test_csv_tells_null_from_the_empty_string(sample, kinds):
    content = served(sample, {"table": "kinds", "columns": ["text", "id"], "limit": 60}, "csv").decode()
    reader = csv.reader(io.StringIO(content, newline=""))
    head = next(reader)
    assert head == ["text", "id"]
    text = kinds["text"].to_pylist()[:60]
    assert [row[0] for row in reader] == [value or "" for value in text]
    empty = {i for i, value in enumerate(text) if value == ""}
    null = {i for i, value in enumerate(text) if value is None}
    lines = content.replace('"two\nlines"', "two lines").splitlines()[1:]
    assert empty and null
    assert {i for i, line in enumerate(lines) if line.startswith('"",')} == empty
    assert {i for i, line in enumerate(lines) if line.startswith(",")} == null


def test_csv_writes_nested_values_as_json(sample, kinds):
    content = served(sample, {"table": "kinds", "columns": ["tags", "nested"]}, "csv").decode()
    found = list(csv.DictReader(io.StringIO(content, newline="")))
    for row, tags, nested in zip(found, kinds["tags"].to_pylist(), kinds["nested"].to_pylist()):
        assert (json.loads(row["tags"]) if row["tags"] else None) == tags
        assert (json.loads(row["nested"]) if row["nested"] else None) == nested


@pytest.mark.parametrize("form", FORMATS)
def test_an_answer_of_no_rows_is_a_good_one(sample, tmp_path, form):
    query = {"table": "movies", "columns": ["title", "imdb"], "filters": [{"column": "imdb", "op": "gt", "value": 11}]}
    content = served(sample, query, form)
    if form == "json":
        assert json.loads(content) == []
    elif form == "ndjson":
        assert content == b""
    elif form == "csv":
        assert content.decode().strip() == "title,imdb"
    else:
        table = {
            "arrow-stream": lambda: pa.ipc.open_stream(content).read_all(),
            "arrow-file": lambda: pa.ipc.open_file(content).read_all(),
            "parquet": lambda: pq.read_table(io.BytesIO(content)),
        }[form]()
        assert (table.num_rows, table.column_names) == (0, ["title", "imdb"])


@pytest.mark.parametrize("form", FORMATS)
def test_three_million_rows_stream_in_every_format(sample, form):
    query = {"table": "flights", "columns": ["delay", "distance"]}
    if form in ("json", "ndjson", "csv"):
        query["filters"] = [{"column": "date", "op": "lt", "value": "2001-02-01"}]
    content = served(sample, query, form)
    n_rows = {
        "arrow-stream": lambda: pa.ipc.open_stream(content).read_all().num_rows,
        "arrow-file": lambda: pa.ipc.open_file(content).read_all().num_rows,
        "parquet": lambda: pq.read_metadata(io.BytesIO(content)).num_rows,
        "csv": lambda: content.count(b"\n") - 1,
        "json": lambda: len(json.loads(content)),
        "ndjson": lambda: content.count(b"\n"),
    }[form]()
    count = {key: value for key, value in query.items() if key != "columns"} | {"aggregates": [{"op": "count"}]}
    assert sample.rows(count) == [(n_rows,)]


@pytest.mark.parametrize("form, media_type", MEDIA_TYPES.items())
def test_the_format_may_be_asked_for_by_accept(sample, form, media_type):
    response = sample.query({"table": "movies", "limit": 1}, headers={"Accept": media_type})
    assert response.status_code == 200, explain(response)
    assert response.headers["Content-Type"].split(";")[0] == media_type
