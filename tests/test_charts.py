"""What charts ask of the companion, against DuckDB on the same files: log bins, cells, lines by time, boxes."""

import pytest

from reference import Reference, assert_same

COUNT = {"op": "count", "as": "n"}
# What the page sends for a cell, a line or a box is made by `app/src/plan`, whose own tests
# hold it to the worker's counts; here the same shapes are held to another engine.
BRUSHED = {"column": "distance", "op": "between", "value": [200, 900]}
WHERE = "distance BETWEEN 200 AND 900"


@pytest.fixture(scope="module")
def reference(sample_lake):
    return Reference(sample_lake)


def asked(sample, group_by, aggregates, filters=()):
    return sample.rows({"table": "flights", "filters": list(filters), "group_by": group_by, "aggregates": aggregates})


def test_bins_that_grow_alike_hold_what_lies_between_them(sample, reference):
    (low, high), = reference.rows("SELECT min(distance)::DOUBLE, max(distance)::DOUBLE FROM flights WHERE distance > 0")
    edges = sorted({float(round(low * (high / low) ** (nth / 24))) for nth in range(25)})
    found = asked(sample, [{"column": "distance", "bin": {"edges": edges}, "as": "x"}], [COUNT])
    table = ", ".join(f"({edge!r}::DOUBLE)" for edge in ["-inf", *edges])
    expected = reference.rows(
        f"SELECT (SELECT max(edge) FROM (VALUES {table}) AS e(edge) WHERE edge <= distance) AS x, count(*) "
        "FROM flights GROUP BY x ORDER BY x NULLS LAST"
    )
    assert_same(found, expected)


def test_cells_of_two_columns(sample, reference):
    keys = [
        {"column": "distance", "bin": {"step": 100, "origin": 0}, "as": "x"},
        {"column": "delay", "bin": {"step": 15, "origin": 0}, "as": "y"},
    ]
    expected = reference.rows(
        f"SELECT floor(distance / 100.0)::BIGINT * 100 AS x, floor(delay / 15.0)::BIGINT * 15 AS y, count(*) "
        f"FROM flights WHERE {WHERE} GROUP BY x, y ORDER BY x NULLS LAST, y NULLS LAST"
    )
    assert_same(asked(sample, keys, [COUNT], [BRUSHED]), expected)


LINES = [
    ("mean", "avg(delay)"),
    ("sum", "sum(delay)::BIGINT"),
    ("min", "min(delay)"),
    ("max", "max(delay)"),
    ("median", "median(delay)"),
]


@pytest.mark.parametrize("step, unit", [("P1D", "day"), ("P1W", "week"), ("P1M", "month"), ("P3M", "quarter"), ("P12M", "year")])
@pytest.mark.parametrize("op, sql", LINES, ids=[op for op, _ in LINES])
def test_lines_by_steps_of_the_calendar(sample, reference, step, unit, op, sql):
    keys = [{"column": "date", "bin": {"step": step}, "as": "x"}]
    found = asked(sample, keys, [COUNT, {"op": op, "column": "delay", "as": "v"}], [BRUSHED])
    expected = reference.rows(
        f"SELECT date_trunc('{unit}', date)::TIMESTAMP AS x, count(*), {sql} FROM flights WHERE {WHERE} "
        "GROUP BY x ORDER BY x NULLS LAST"
    )
    assert [row[1] for row in found] == [row[1] for row in expected]
    assert_same([(row[2],) for row in found], [(row[2],) for row in expected])


def test_boxes_are_quartiles_fences_and_what_lies_outside(sample, reference):
    states = [state for (state,) in reference.rows(
        "SELECT state FROM flights WHERE state IS NOT NULL GROUP BY state ORDER BY count(*) DESC, state LIMIT 5"
    )]
    for state in states:
        own = [BRUSHED, {"column": "state", "op": "in", "value": [state]}]
        quantiles = [{"op": "quantile", "column": "delay", "q": q, "as": f"q{q}"} for q in (0.25, 0.5, 0.75)]
        found, = asked(sample, [], [COUNT, {"op": "mean", "column": "delay", "as": "mean"}, *quantiles], own)
        where = f"{WHERE} AND delay IS NOT NULL AND state = '{state}'"
        expected = reference.rows(
            "SELECT count(*), avg(delay), quantile_cont(delay, 0.25), quantile_cont(delay, 0.5), "
            f"quantile_cont(delay, 0.75) FROM flights WHERE {WHERE} AND state = '{state}'"
        )
        assert_same([found], expected)
        _, _, first, _, third = expected[0]
        low, high = first - 1.5 * (third - first), third + 1.5 * (third - first)
        ends = [COUNT, {"op": "min", "column": "delay", "as": "low"}, {"op": "max", "column": "delay", "as": "high"}]
        within = {"column": "delay", "op": "between", "value": [low, high]}
        assert_same(
            asked(sample, [], ends, [*own, within]),
            reference.rows(f"SELECT count(*), min(delay), max(delay) FROM flights WHERE {where} AND delay BETWEEN {low} AND {high}"),
        )
