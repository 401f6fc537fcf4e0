"""Queries over HTTP against DuckDB on the same files: filters, groups, aggregates, order, pages, samples."""

import datetime
import math

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from reference import Reference, assert_same


@pytest.fixture(scope="module")
def reference(sample_lake):
    return Reference(sample_lake)


def counted(*filters):
    return {"filters": list(filters), "aggregates": [{"op": "count", "as": "n"}]}


def clause(column, op, value=None, **more):
    return {"column": column, "op": op, **({} if value is None else {"value": value}), **more}


# Each row: a filter on flights, and the same in SQL.
FLIGHT_FILTERS = [
    (clause("delay", "eq", 0), "delay = 0"),
    (clause("delay", "ne", 0), "delay <> 0"),
    (clause("delay", "lt", -30), "delay < -30"),
    (clause("delay", "le", -30), "delay <= -30"),
    (clause("delay", "gt", 300), "delay > 300"),
    (clause("delay", "ge", 300), "delay >= 300"),
    (clause("delay", "between", [0, 60]), "delay BETWEEN 0 AND 60"),
    (clause("delay", "gt", 2.5), "delay > 2.5"),
    (clause("delay", "eq", 2.5), "false"),
    (clause("delay", "lt", "10"), "delay < 10"),
    (clause("delay", "in", [0, 1, 1600]), "delay IN (0, 1, 1600)"),
    (clause("delay", "not_in", [0, 1]), "delay NOT IN (0, 1)"),
    (clause("delay", "in", []), "false"),
    (clause("delay", "is_null"), "delay IS NULL"),
    (clause("delay", "not_null"), "delay IS NOT NULL"),
    (clause("hour", "between", [6.5, 7.25]), "hour BETWEEN 6.5::FLOAT AND 7.25::FLOAT"),
    (clause("origin", "eq", "SFO"), "origin = 'SFO'"),
    (clause("origin", "in", ["SFO", "OAK", "nowhere"]), "origin IN ('SFO', 'OAK')"),
    (clause("origin", "lt", "B"), "origin < 'B'"),
    (clause("origin", "contains", "A"), "contains(origin, 'A')"),
    (clause("origin", "contains", "fo", case_sensitive=False), "contains(lower(origin), 'fo')"),
    (clause("origin", "contains", "."), "contains(origin, '.')"),
    (clause("origin", "matches", "^S.O$"), "regexp_matches(origin, '^S.O$')"),
    (clause("origin", "matches", "s", case_sensitive=False), "regexp_matches(origin, 's', 'i')"),
    (clause("state", "is_null"), "state IS NULL"),
    (clause("state", "ne", "CA"), "state <> 'CA'"),
    (clause("state", "not_in", ["CA"]), "state NOT IN ('CA')"),
    (clause("note", "not_null"), "note IS NOT NULL"),
    (clause("date", "ge", "2001-06-30T23:00:00"), "date >= TIMESTAMP '2001-06-30 23:00:00'"),
    (clause("date", "eq", "2001-01-01T00:01:00"), "date = TIMESTAMP '2001-01-01 00:01:00'"),
    # A bare date is the end of its day as an upper end, and midnight elsewhere.
    (clause("date", "le", "2001-01-01"), "date < TIMESTAMP '2001-01-02'"),
    (clause("date", "gt", "2001-06-29"), "date >= TIMESTAMP '2001-06-30'"),
    (clause("date", "lt", "2001-01-02"), "date < TIMESTAMP '2001-01-02'"),
    (clause("date", "ge", "2001-06-30"), "date >= TIMESTAMP '2001-06-30'"),
    (clause("date", "between", ["2001-02-03", "2001-02-03"]), "date::DATE = DATE '2001-02-03'"),
    ({"not": clause("delay", "gt", 0)}, "NOT (delay > 0)"),
    ({"and": [clause("delay", "gt", 0), clause("distance", "lt", 500)]}, "delay > 0 AND distance < 500"),
    ({"or": [clause("delay", "gt", 500), clause("state", "eq", "HI")]}, "delay > 500 OR state = 'HI'"),
    (
        {"not": {"or": [clause("delay", "ge", 0), {"not": clause("state", "eq", "TX")}]}},
        "NOT (delay >= 0 OR NOT (state = 'TX'))",
    ),
    ({"and": []}, "true"),
    ({"or": []}, "false"),
]


@pytest.mark.parametrize("wanted, sql", FLIGHT_FILTERS, ids=[sql for _, sql in FLIGHT_FILTERS])
def test_a_filter_counts_what_duckdb_counts(sample, reference, wanted, sql):
    found = sample.rows({"table": "flights", **counted(wanted)})
    assert found == reference.rows(f"SELECT count(*) FROM flights WHERE {sql}")


def test_filters_are_anded(sample, reference):
    filters = [clause("delay", "between", [0, 60]), clause("state", "in", ["CA", "NY"]), clause("hour", "ge", 12)]
    sql = "delay BETWEEN 0 AND 60 AND state IN ('CA', 'NY') AND hour >= 12"
    assert sample.rows({"table": "flights", **counted(*filters)}) == reference.rows(
        f"SELECT count(*) FROM flights WHERE {sql}"
    )


# Each row: a filter on kinds, and the ids that it should find, by Python over the file.
CENT_RANGE = range(-10050, 9999 + 1)


def cents(price):
    return int(price.scaleb(2))


def beyond(value, bound):
    return value is not None and value > bound


KIND_FILTERS = [
    (clause("i64", "eq", "9007199254740993"), lambda r: r["i64"] == 2**53 + 1),
    (clause("i64", "eq", 9007199254740993), lambda r: r["i64"] == 2**53 + 1),
    (clause("i64", "gt", 9007199254740992), lambda r: beyond(r["i64"], 2**53)),
    (clause("i64", "in", [9007199254740993, -9223372036854775808]), lambda r: r["i64"] in (2**53 + 1, -(2**63))),
    (clause("i64", "lt", "9223372036854775808"), lambda r: r["i64"] is not None),
    (clause("u64", "eq", "18446744073709551615"), lambda r: r["u64"] == 2**64 - 1),
    (clause("u64", "gt", 9223372036854775807), lambda r: beyond(r["u64"], 2**63 - 1)),
    (clause("u64", "ge", -1), lambda r: r["u64"] is not None),
    (clause("i8", "lt", 1000), lambda r: r["i8"] is not None),
    (clause("i8", "eq", 1000), lambda r: False),
    (clause("f64", "eq", 0), lambda r: r["f64"] == 0),
    (clause("f64", "ne", 0), lambda r: r["f64"] is not None and r["f64"] != 0),
    (clause("f64", "gt", 1e300), lambda r: r["f64"] == math.inf),
    (clause("f64", "le", 0), lambda r: r["f64"] is not None and r["f64"] <= 0),
    ({"not": clause("f64", "gt", 0)}, lambda r: r["f64"] is not None and not r["f64"] > 0),
    (clause("f64", "is_null"), lambda r: r["f64"] is None),
    (clause("f32", "eq", 1.5), lambda r: r["f32"] == 1.5),
    (
        clause("price", "between", ["-100.50", 99.99]),
        lambda r: r["price"] is not None and cents(r["price"]) in CENT_RANGE,
    ),
    (clause("boolean", "eq", True), lambda r: r["boolean"] is True),
    (clause("boolean", "ne", True), lambda r: r["boolean"] is False),
    (clause("text", "eq", ""), lambda r: r["text"] == ""),
    (clause("text", "in", ["東京", "🦆"]), lambda r: r["text"] in ("東京", "🦆")),
    (clause("text", "gt", "ß"), lambda r: r["text"] is not None and r["text"].encode() > "ß".encode()),
    (clause("text", "contains", "ä", case_sensitive=False), lambda r: r["text"] == "Ä"),
    (clause("text", "matches", r"^\w$"), lambda r: r["text"] in ("a", "Ä", "ß", "0")),
    (clause("large_text", "eq", "NULL"), lambda r: r["large_text"] == "NULL"),
    (clause("category", "ne", "a"), lambda r: r["category"] not in (None, "a")),
    (clause("day", "between", ["1980-01-01", "1999-12-31"]), lambda r: in_years(r["day"], 1980, 1999)),
    (clause("day", "le", "1970-01-01"), lambda r: r["day"] is not None and r["day"] <= datetime.date(1970, 1, 1)),
    (clause("at_utc", "ge", "2000-01-01T00:00:00"), lambda r: at_least(r["at_utc"], "2000-01-01T00:00:00+00:00")),
    (clause("at_utc", "ge", "2000-01-01T02:00:00+02:00"), lambda r: at_least(r["at_utc"], "2000-01-01T00:00:00+00:00")),
    (
        clause("at_berlin", "ge", "2000-01-01T00:00:00Z"),
        lambda r: at_least(r["at_berlin"], "2000-01-01T00:00:00+00:00"),
    ),
    (clause("nothing", "is_null"), lambda r: True),
    (clause("nothing", "eq", 1), lambda r: False),
    (clause("tags", "is_null"), lambda r: r["tags"] is None),
]


def in_years(day, first, last):
    return day is not None and first <= day.year <= last


def at_least(moment, bound):
    return moment is not None and moment >= datetime.datetime.fromisoformat(bound)


@pytest.fixture(scope="module")
def kind_rows(sample_lake):
    # Nanoseconds do not fit Python's datetimes, and no filter here is on them.
    return pq.read_table(sample_lake / "kinds.parquet").drop_columns(["at_ns"]).to_pylist()


@pytest.mark.parametrize("wanted, rule", KIND_FILTERS, ids=[str(wanted)[:60] for wanted, _ in KIND_FILTERS])
def test_a_filter_on_every_kind(sample, kind_rows, wanted, rule):
    found = [row for (row,) in sample.rows({"table": "kinds", "columns": ["id"], "filters": [wanted]})]
    assert found == [row["id"] for row in kind_rows if rule(row)]


def test_within_a_polygon_of_two_columns(sample, reference):
    triangle = [[0, 0], [60, 0], [0, 600]]
    found = sample.rows(
        {"table": "flights", **counted({"columns": ["delay", "distance"], "op": "within", "value": triangle})}
    )
    # Edges belong to it: x ≥ 0, y ≥ 0, y ≤ 600 - 10 x.
    inside = "delay >= 0 AND distance >= 0 AND distance <= 600 - 10 * delay"
    assert found == reference.rows(f"SELECT count(*) FROM flights WHERE {inside}")


INTERACTIONS = [
    (
        {"interactive_component_type": "RangeSlider", "column_name": "delay", "value": [30, 60]},
        "delay BETWEEN 30 AND 60",
    ),
    (
        {"interactive_component_type": "MultiSelect", "column_name": "state", "value": ["CA", "HI"]},
        "state IN ('CA', 'HI')",
    ),
    ({"interactive_component_type": "Select", "column_name": "state", "value": "CA"}, "state = 'CA'"),
    ({"interactive_component_type": "MultiSelect", "column_name": "state", "value": []}, "true"),
    ({"interactive_component_type": "TextInput", "column_name": "origin", "value": "A"}, "contains(origin, 'A')"),
    ({"interactive_component_type": "Slider", "column_name": "delay", "value": 5}, "delay = 5"),
    (
        {"interactive_component_type": "DateRangePicker", "column_name": "date", "value": ["2001-03-01", "2001-03-31"]},
        "date >= '2001-03-01' AND date < '2001-04-01'",
    ),
]


@pytest.mark.parametrize("record, sql", INTERACTIONS, ids=[sql for _, sql in INTERACTIONS])
def test_an_interaction_record_is_a_filter(sample, reference, record, sql):
    assert sample.rows({"table": "flights", **counted(record)}) == reference.rows(
        f"SELECT count(*) FROM flights WHERE {sql}"
    )


AGGREGATES = [
    ({"op": "count"}, "count", "count(*)"),
    ({"op": "count", "column": "delay"}, "count_delay", "count(delay)"),
    ({"op": "count_distinct", "column": "state"}, "count_distinct_state", "count(DISTINCT state)"),
    ({"op": "sum", "column": "distance"}, "sum_distance", "sum(distance)::BIGINT"),
    ({"op": "mean", "column": "delay"}, "mean_delay", "avg(delay)"),
    ({"op": "min", "column": "date"}, "min_date", "min(date)"),
    ({"op": "max", "column": "origin"}, "max_origin", "max(origin)"),
    ({"op": "median", "column": "hour"}, "median_hour", "median(hour::DOUBLE)"),
    ({"op": "quantile", "column": "delay", "q": 0.9}, "quantile_delay", "quantile_cont(delay, 0.9)"),
    ({"op": "stddev", "column": "delay"}, "stddev_delay", "stddev_samp(delay)"),
    ({"op": "variance", "column": "hour"}, "variance_hour", "var_samp(hour::DOUBLE)"),
]


@pytest.mark.parametrize("aggregate, name, sql", AGGREGATES, ids=[name for _, name, _ in AGGREGATES])
def test_an_aggregate_over_everything(sample, reference, aggregate, name, sql):
    answer = sample.arrow({"table": "flights", "aggregates": [aggregate]})
    assert answer.column_names == [name]
    assert_same([tuple(row.values()) for row in answer.to_pylist()], reference.rows(f"SELECT {sql} FROM flights"))


def test_groups_come_sorted_with_null_last(sample, reference):
    query = {"table": "flights", "group_by": ["state"], "aggregates": [entry for entry, _, _ in AGGREGATES]}
    columns = ", ".join(sql for _, _, sql in AGGREGATES)
    expected = reference.rows(f"SELECT state, {columns} FROM flights GROUP BY state ORDER BY state NULLS LAST")
    assert expected[-1][0] is None
    assert_same(sample.rows(query), expected)


GROUPS = [
    ([{"column": "delay", "bin": {"step": 10}}], "floor(delay / 10.0)::BIGINT * 10"),
    ([{"column": "hour", "bin": {"step": 0.5}}], "floor(hour::DOUBLE / 0.5) * 0.5"),
    ([{"column": "distance", "bin": {"step": 250, "origin": 21}}], "floor((distance - 21) / 250.0)::BIGINT * 250 + 21"),
    (
        [{"column": "distance", "bin": {"edges": [100, 250, 1000.5]}}],
        "CASE WHEN distance IS NULL THEN NULL WHEN distance >= 1000.5 THEN 1000.5 WHEN distance >= 250 THEN 250.0"
        " WHEN distance >= 100 THEN 100.0 ELSE '-inf'::DOUBLE END",
    ),
    ([{"column": "date", "bin": {"step": "P1D"}}], "date_trunc('day', date)"),
    ([{"column": "date", "bin": {"step": "P1W"}}], "date_trunc('week', date)"),
    ([{"column": "date", "bin": {"step": "P3M"}}], "date_trunc('quarter', date)"),
    ([{"column": "date", "bin": {"step": "PT6H"}}], "time_bucket(INTERVAL 6 HOURS, date, TIMESTAMP '1970-01-01')"),
]


@pytest.mark.parametrize("group, sql", GROUPS, ids=[sql for _, sql in GROUPS])
def test_bins_carry_their_lower_edge(sample, reference, group, sql):
    query = {"table": "flights", "group_by": group, "aggregates": [{"op": "count", "as": "n"}]}
    expected = reference.rows(f"SELECT {sql} AS edge, count(*) FROM flights GROUP BY edge ORDER BY edge NULLS LAST")
    assert_same(sample.rows(query), expected)


def test_groups_by_several_columns_with_a_name_of_their_own(sample, reference):
    answer = sample.arrow(
        {
            "table": "flights",
            "filters": [clause("delay", "gt", 100)],
            "group_by": ["state", {"column": "delay", "bin": {"step": 100}, "as": "late"}],
            "aggregates": [{"op": "mean", "column": "distance", "as": "far"}, {"op": "count", "as": "n"}],
        }
    )
    assert answer.column_names == ["state", "late", "far", "n"]
    expected = reference.rows(
        "SELECT state, floor(delay / 100.0)::BIGINT * 100 AS late, avg(distance), count(*) FROM flights "
        "WHERE delay > 100 GROUP BY state, late ORDER BY state NULLS LAST, late NULLS LAST"
    )
    assert_same([tuple(row.values()) for row in answer.to_pylist()], expected)


def test_groups_without_aggregates_are_distinct_keys(sample, reference):
    expected = reference.rows("SELECT DISTINCT origin FROM flights ORDER BY origin")
    assert sample.rows({"table": "flights", "group_by": ["origin"]}) == expected


def test_groups_in_another_order_and_paged(sample, reference):
    query = {
        "table": "flights",
        "group_by": ["origin"],
        "aggregates": [{"op": "count", "as": "n"}],
        "order_by": [{"column": "n", "descending": True}, {"column": "origin"}],
    }
    expected = reference.rows("SELECT origin, count(*) AS n FROM flights GROUP BY origin ORDER BY n DESC, origin")
    assert sample.rows(query | {"limit": 10}) == expected[:10]
    assert sample.rows(query | {"limit": 10, "offset": 225}) == expected[225:]


def test_groups_that_do_not_fit_in_memory_go_by_way_of_the_disk(serve, sample_lake, sample, tmp_path):
    """Nearly as many groups as rows, answered alike with little memory and with enough."""
    limn = serve(sample_lake, arguments=("--memory", "32MiB", "--spill-dir", tmp_path))
    query = {
        "table": "flights",
        "group_by": ["date", "origin", "destination", "delay"],
        "aggregates": [{"op": "count", "as": "n"}, {"op": "mean", "column": "distance", "as": "far"}],
    }
    top = {"order_by": [{"column": "n", "descending": True}], "limit": 50}
    assert limn.rows(query | top) == sample.rows(query | top)
    found, expected = limn.arrow(query), sample.arrow(query)
    assert found.num_rows > 1_500_000
    assert found.drop_columns("far").equals(expected.drop_columns("far"))
    # What a server of two gibibytes would take for it is far more.
    assert limn.peak_memory_bytes() < 500 << 20
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_aggregates_over_no_rows(sample):
    nobody = [clause("delay", "gt", 30000)]
    query = {"table": "flights", "filters": nobody, "aggregates": [entry for entry, _, _ in AGGREGATES]}
    (row,) = sample.rows(query)
    assert row == (0, 0, 0) + (None,) * 8
    assert sample.rows(query | {"group_by": ["state"]}) == []


def test_an_integer_sum_is_an_int64(sample):
    answer = sample.arrow({"table": "flights", "aggregates": [{"op": "sum", "column": "delay"}, {"op": "count"}]})
    assert answer.schema.types == [pa.int64(), pa.int64()]


def test_order_by_several_columns(sample, reference):
    query = {
        "table": "flights",
        "columns": ["delay", "origin", "distance"],
        "filters": [clause("state", "eq", "HI")],
        "order_by": [{"column": "delay", "descending": True}, {"column": "origin"}, {"column": "distance"}],
        "limit": 500,
    }
    sql = (
        "SELECT delay, origin, distance FROM flights WHERE state = 'HI' "
        "ORDER BY delay DESC NULLS LAST, origin NULLS LAST, distance NULLS LAST LIMIT 500"
    )
    assert sample.rows(query) == reference.rows(sql)


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("nulls", ["last", "first"])
def test_nulls_and_nan_have_their_place(sample, kind_rows, descending, nulls):
    order = {"column": "f64", "descending": descending} | ({"nulls": "first"} if nulls == "first" else {})
    found = [value for (value,) in sample.rows({"table": "kinds", "columns": ["f64"], "order_by": [order]})]
    values = [row["f64"] for row in kind_rows]
    numbers = sorted((v for v in values if v is not None and not math.isnan(v)), reverse=descending)
    nan = [v for v in values if v is not None and math.isnan(v)]
    null = [None] * values.count(None)
    expected = null + numbers + nan if nulls == "first" else numbers + nan + null
    if nulls == "first":
        # NaN keeps to the side of the nulls or to its own: the contract orders it before nulls only.
        rest = found[len(null) :]
        found = found[: len(null)] + [v for v in rest if not math.isnan(v)] + [v for v in rest if math.isnan(v)]
    assert_same([(v,) for v in found], [(v,) for v in expected])


@pytest.mark.parametrize("column", ["text", "category", "large_text"])
def test_text_is_ordered_by_bytes_and_ties_by_table_order(sample, kind_rows, column):
    found = sample.rows({"table": "kinds", "columns": [column, "id"], "order_by": [{"column": column}]})
    key = {row["id"]: row[column] for row in kind_rows}
    expected = sorted(key.items(), key=lambda item: (item[1] is None, (item[1] or "").encode(), item[0]))
    assert found == [(text, row) for row, text in expected]


def test_rows_come_in_table_order(sample, reference):
    query = {"table": "flights", "columns": ["_row", "date", "delay", "origin"], "offset": 1_499_990, "limit": 20}
    found = sample.rows(query)
    assert [row[0] for row in found] == list(range(1_499_990, 1_500_010))
    expected = reference.rows("SELECT date, delay, origin FROM flights LIMIT 20 OFFSET 1499990")
    assert_same([row[1:] for row in found], expected)


def test_row_numbers_stay_those_of_the_table_under_a_filter(sample, kind_rows):
    found = sample.rows({"table": "kinds", "columns": ["_row", "id"], "filters": [clause("boolean", "eq", True)]})
    assert found == [(row["id"], row["id"]) for row in kind_rows if row["boolean"]]


def test_pages_join_to_the_whole(sample):
    query = {"table": "movies", "columns": ["title", "imdb"], "order_by": [{"column": "imdb", "descending": True}]}
    whole = sample.rows(query)
    assert len(whole) == 3201
    pages = [sample.rows(query | {"offset": start, "limit": 500}) for start in range(0, 3500, 500)]
    assert [row for page in pages for row in page] == whole


def test_limit_zero_keeps_the_columns(sample):
    answer = sample.arrow({"table": "movies", "columns": ["title"], "limit": 0})
    assert (answer.num_rows, answer.column_names) == (0, ["title"])


def test_a_sample_is_seeded_filtered_and_in_table_order(sample):
    def drawn(rows, seed, *filters):
        query = {"table": "flights", "columns": ["_row", "distance"], "filters": list(filters)}
        return sample.rows(query | {"sample": {"rows": rows, "seed": seed}})

    first = drawn(1000, 7)
    assert len(first) == 1000
    assert first == drawn(1000, 7)
    assert [row for row, _ in first] == sorted({row for row, _ in first})
    assert first != drawn(1000, 8)
    # The n smallest hashes are among the m smallest.
    assert set(drawn(100, 7)) < set(first)
    # A row's hash is its own, whatever the filter.
    far = drawn(1000, 7, clause("distance", "gt", 2000))
    assert {row for row in first if row[1] > 2000} <= set(far)
    assert len(far) == 1000
    assert drawn(10, 7, clause("distance", "gt", 30000)) == []


def test_a_sample_is_fair(sample, reference):
    rows = sample.rows({"table": "flights", "columns": ["distance"], "sample": {"rows": 20_000, "seed": 1}})
    mean, spread = reference.rows("SELECT avg(distance), stddev_samp(distance) FROM flights")[0]
    found = sum(distance for (distance,) in rows) / len(rows)
    assert abs(found - mean) < 5 * spread / math.sqrt(len(rows))


def test_older_versions_and_their_schemas(sample):
    counts = [1_500_000, 3_000_000, 2_999_858, 3_000_000, 3_000_000]
    for version, n_rows in enumerate(counts):
        assert sample.rows({"table": "flights", "version": version, **counted()}) == [(n_rows,)]
    old = sample.arrow({"table": "flights", "version": 0, "limit": 1})
    assert "note" not in old.column_names
    assert "note" in sample.arrow({"table": "flights", "limit": 1}).column_names


def test_deletion_vectors_hide_rows(sample):
    suspects = clause("wildlife_species", "eq", "Unknown bird or bat")
    for version, n_rows, n_suspects in ((0, 10_000, 629), (1, 9371, 0), (2, 9363, 0)):
        assert sample.rows({"table": "birdstrikes", "version": version, **counted()}) == [(n_rows,)]
        assert sample.rows({"table": "birdstrikes", "version": version, **counted(suspects)}) == [(n_suspects,)]
    rows = sample.rows({"table": "birdstrikes", "columns": ["_row"], "version": 2})
    assert [row for (row,) in rows] == sorted(row for (row,) in rows)


def test_partition_columns_filter_and_group(sample, reference):
    query = {"table": "weather", "group_by": ["location"], "aggregates": [{"op": "max", "column": "temp_max"}]}
    expected = reference.rows("SELECT location, max(temp_max) FROM weather GROUP BY location ORDER BY location")
    assert_same(sample.rows(query), expected)
    wanted = clause("location", "eq", "New York")
    assert sample.rows({"table": "weather", **counted(wanted)}) == [(1461,)]
    codes = sample.rows(
        {"table": "zipcodes", "columns": ["zip_code", "state"], "filters": [clause("state", "eq", "NY")], "limit": 2}
    )
    assert codes == reference.rows("SELECT zip_code, state FROM zipcodes WHERE state = 'NY' LIMIT 2")
    assert codes[0][0].startswith("00")


def test_options_count_under_the_other_filters(sample, reference):
    found = sample.options("flights", column="state")
    expected = reference.rows(
        "SELECT state, count(*) FROM flights WHERE state IS NOT NULL GROUP BY state ORDER BY state"
    )
    assert [(entry["value"], entry["count"]) for entry in found["values"] if entry["value"] is not None] == expected
    assert found["distinct"] in (len(expected), len(expected) + 1)
    assert found["truncated"] is False

    filters = [clause("delay", "gt", 500), clause("state", "eq", "CA")]
    found = sample.options("flights", column="state", filters=filters)
    expected = reference.rows(
        "SELECT state, count(*) FROM flights WHERE delay > 500 AND state IS NOT NULL GROUP BY state ORDER BY state"
    )
    assert [(e["value"], e["count"]) for e in found["values"] if e["value"] is not None and e["count"]] == expected

    found = sample.options("flights", column="origin", search="A", limit=3)
    assert found["truncated"] is True
    assert len(found["values"]) == 3
    assert all("a" in entry["value"].lower() for entry in found["values"])
    assert [entry["value"] for entry in found["values"]] == sorted(entry["value"] for entry in found["values"])
