"""The HTTP side of the contract: caching, headers, content negotiation, OpenAPI, the app, and every error."""

import json
import re

import pytest
import requests

from limn_server import explain, problem

PINNED = {"table": "flights", "version": 4, "columns": ["delay"], "limit": 5}
UNPINNED = {"table": "flights", "columns": ["delay"], "limit": 5}


def test_a_pinned_answer_is_immutable(sample):
    response = sample.query_by_get(PINNED)
    assert response.status_code == 200, explain(response)
    assert re.fullmatch(r'"[^"]+"', response.headers["ETag"])
    assert "immutable" in response.headers["Cache-Control"]


def test_an_unpinned_answer_is_not(sample):
    response = sample.query_by_get(UNPINNED)
    assert "immutable" not in response.headers.get("Cache-Control", "")
    assert response.headers["Limn-Version"] == "4"


def test_the_same_etag_is_not_sent_again(sample):
    first = sample.query_by_get(PINNED)
    again = sample.query_by_get(PINNED, headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["ETag"] == first.headers["ETag"]
    listed = sample.query_by_get(PINNED, headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})
    assert listed.status_code == 304
    assert sample.query_by_get(PINNED, headers={"If-None-Match": "*"}).status_code in (200, 304)
    other = sample.query_by_get(PINNED, headers={"If-None-Match": '"other"'})
    assert other.status_code == 200
    assert other.content == first.content


def test_etags_differ_by_what_makes_the_answer_differ(sample):
    variants = [
        sample.query_by_get(PINNED),
        sample.query_by_get(PINNED, "parquet"),
        sample.query_by_get(PINNED, "json"),
        sample.query_by_get(PINNED | {"version": 3}),
        sample.query_by_get(PINNED | {"limit": 6}),
        sample.query_by_get(PINNED | {"columns": ["distance"]}),
        sample.query_by_get(PINNED | {"offset": 1}),
        sample.query_by_get(PINNED | {"sample": {"rows": 5, "seed": 1}}),
        sample.query_by_get(PINNED | {"filters": [{"column": "delay", "op": "gt", "value": 1}]}),
    ]
    tags = [response.headers["ETag"] for response in variants]
    assert len(set(tags)) == len(tags)
    assert sample.query_by_get(PINNED).headers["ETag"] == tags[0]


def test_the_order_of_json_keys_does_not_matter(sample):
    turned = dict(reversed(PINNED.items()))
    assert sample.query_by_get(turned).headers["ETag"] == sample.query_by_get(PINNED).headers["ETag"]


def test_get_and_post_answer_the_same(sample):
    for form in ("arrow-stream", "csv", "json"):
        assert sample.query_by_get(PINNED, form).content == sample.query(PINNED, form).content


def test_a_compressed_answer_has_an_etag_of_its_own(sample):
    url = sample.url + "/api/query"
    parameters = {"q": json.dumps(PINNED | {"limit": 5000}), "format": "json"}
    tags = set()
    for encoding in ("identity", "gzip"):
        with requests.get(url, parameters, headers={"Accept-Encoding": encoding}, timeout=60) as response:
            assert response.status_code == 200
            assert response.headers.get("Content-Encoding", "identity") in ("identity", encoding)
            tags.add((response.headers.get("Content-Encoding"), response.headers["ETag"]))
            if "Content-Encoding" in response.headers:
                assert "accept-encoding" in response.headers["Vary"].lower()
    assert len({encoding for encoding, _ in tags}) == len({tag for _, tag in tags})


def test_every_answer_says_what_it_is_of(sample):
    response = sample.query({"table": "flights", "limit": 3})
    assert response.headers["Limn-Table"] == "flights"
    assert response.headers["Limn-Version"] == "4"
    assert response.headers["Limn-Total-Rows"] == "3000000"
    assert response.headers["Limn-Reduction"]
    metadata = sample.arrow({"table": "flights", "limit": 3}).schema.metadata
    assert metadata[b"limn.table"] == b"flights"
    assert metadata[b"limn.version"] == b"4"
    assert metadata[b"limn.total_rows"] == b"3000000"
    assert b"limn.reduction" in metadata


def test_reductions_are_named(sample):
    def reduction(**query):
        return sample.query({"table": "penguins", **query}).headers["Limn-Reduction"]

    whole = reduction()
    assert whole.startswith("none")
    assert reduction(limit=5).startswith("page")
    assert reduction(sample={"rows": 5, "seed": 1}).startswith("sample")
    assert reduction(group_by=["species"], aggregates=[{"op": "count"}]) != whole


def test_header_values_are_percent_encoded(made):
    response = made.query({"table": "sales/2024/größe", "limit": 1})
    assert requests.utils.unquote(response.headers["Limn-Table"]) == "sales/2024/größe"
    assert response.headers["Limn-Table"].isascii()


def test_openapi_describes_the_routes(sample):
    document = sample.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.")
    routes = {"/api/health", "/api/tables", "/api/tables/{name}", "/api/query", "/api/tables/{name}/versions"}
    assert routes <= set(document["paths"])
    assert {"get", "post"} <= set(document["paths"]["/api/query"])


def test_an_unknown_route_is_a_problem(sample):
    problem(sample.get("/api/nothing"), 404)
    problem(sample.session.put(sample.url + "/api/query", data="{}", timeout=30), 405)


# The app


def test_the_app_is_served_with_a_policy(sample):
    page = sample.get("/")
    if page.status_code == 404 or "<html" not in page.text.lower():
        pytest.skip("this binary carries no app")
    assert page.headers["Content-Type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src" in policy or "script-src" in policy
    assert "unsafe-inline" not in policy.split("script-src", 1)[-1].split(";")[0]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" not in page.headers.get("Cache-Control", "")
    # A deep link is the page too.
    assert sample.get("/some/view?table=flights").status_code in (200, 404)


def test_hashed_files_are_immutable_and_have_their_types(sample):
    page = sample.get("/").text
    if "<html" not in page.lower():
        pytest.skip("this binary carries no app")
    names = set(re.findall(r"[\w./-]+-[0-9a-f]{8,}[\w-]*\.(?:js|wasm|css)", page))
    assert any(name.endswith(".wasm") for name in names), page[:2000]
    types = {"js": "javascript", "wasm": "application/wasm", "css": "text/css"}
    for name in names:
        response = sample.get("/" + name.lstrip("./"))
        assert response.status_code == 200, name
        assert types[name.rsplit(".", 1)[1]] in response.headers["Content-Type"], name
        assert "immutable" in response.headers["Cache-Control"], name


def test_the_wasm_travels_compressed(sample):
    page = sample.get("/").text
    names = re.findall(r"[\w./-]+\.wasm", page)
    if not names:
        pytest.skip("this binary carries no app")
    url = sample.url + "/" + names[0].lstrip("./")
    with requests.get(url, headers={"Accept-Encoding": "br, gzip"}, timeout=60) as response:
        assert response.headers.get("Content-Encoding") in ("br", "gzip")


@pytest.mark.parametrize("path", ["/../Cargo.toml", "/%2e%2e/%2e%2e/etc/passwd", "/..%2fCargo.toml", "//etc/passwd"])
def test_static_files_stay_inside_the_app(sample, path):
    request = requests.Request("GET", sample.url).prepare()
    request.url = sample.url + path
    response = requests.Session().send(request, timeout=30)
    assert "[workspace]" not in response.text
    assert "root:" not in response.text


def test_other_origins_are_let_in_by_a_list_only(serve, sample_lake, sample):
    origin = "https://example.org"
    assert "Access-Control-Allow-Origin" not in sample.get("/api/health", headers={"Origin": origin}).headers


# Errors


def column(name="delay", op="eq", value=1):
    return {"column": name, "op": op, "value": value}


BAD_QUERIES = [
    ("unknown column", {"columns": ["delays"]}, "columns[0]"),
    ("unknown column in a filter", {"filters": [column("delays")]}, "filters[0].column"),
    ("unknown column in an order", {"order_by": [{"column": "delays"}]}, "order_by[0].column"),
    ("unknown column in a group", {"group_by": ["delays"]}, "group_by[0]"),
    ("unknown column in an aggregate", {"aggregates": [{"op": "sum", "column": "delays"}]}, "aggregates[0].column"),
    ("unknown operator", {"filters": [column(op="approximately")]}, None),
    ("unknown aggregate", {"aggregates": [{"op": "mode", "column": "delay"}]}, None),
    ("text for a number", {"filters": [column(), column(value="late")]}, "filters[1].value"),
    ("number for text", {"filters": [column("origin", value=5)]}, "filters[0].value"),
    ("no value", {"filters": [{"column": "delay", "op": "eq"}]}, None),
    ("null for a value", {"filters": [column(value=None)]}, None),
    ("one end of two", {"filters": [column(op="between", value=[1])]}, "filters[0].value"),
    ("a scalar for a list", {"filters": [column(op="in", value=1)]}, "filters[0].value"),
    ("not a date", {"filters": [column("date", "ge", "yesterday")]}, "filters[0].value"),
    ("no such day", {"filters": [column("date", "ge", "2001-02-30")]}, "filters[0].value"),
    ("bad regex", {"filters": [column("origin", "matches", "(")]}, "filters[0].value"),
    ("regex on a number", {"filters": [column("delay", "matches", "1")]}, None),
    ("contains on a number", {"filters": [column("delay", "contains", "1")]}, None),
    ("deep error", {"filters": [{"or": [column(), {"not": column(value="x")}]}]}, None),
    ("sum of text", {"aggregates": [{"op": "sum", "column": "origin"}]}, None),
    ("quantile without q", {"aggregates": [{"op": "quantile", "column": "delay"}]}, None),
    ("quantile out of range", {"aggregates": [{"op": "quantile", "column": "delay", "q": 1.5}]}, None),
    ("two columns of one name", {"aggregates": [{"op": "count", "as": "n"}, {"op": "count", "as": "n"}]}, None),
    ("bin of text", {"group_by": [{"column": "origin", "bin": {"step": 1}}]}, None),
    ("bin of no width", {"group_by": [{"column": "delay", "bin": {"step": 0}}]}, None),
    ("negative limit", {"limit": -1}, None),
    ("limit of text", {"limit": "ten"}, None),
    ("negative offset", {"offset": -5}, None),
    ("sample of nothing", {"sample": {"seed": 7}}, None),
    (
        "polygon of two points",
        {"filters": [{"columns": ["delay", "hour"], "op": "within", "value": [[0, 0], [1, 1]]}]},
        None,
    ),
    (
        "polygon over text",
        {"filters": [{"columns": ["delay", "origin"], "op": "within", "value": [[0, 0], [1, 1], [0, 1]]}]},
        None,
    ),
    ("filters of another shape", {"filters": "delay > 3"}, None),
]


@pytest.mark.parametrize("query, field", [(q, f) for _, q, f in BAD_QUERIES], ids=[name for name, _, _ in BAD_QUERIES])
def test_a_bad_query_is_a_problem_with_its_field(sample, query, field):
    body = problem(sample.query({"table": "flights", **query}), 400, field=field)
    problem(sample.query_by_get({"table": "flights", **query}), 400, field=field)
    assert len(body["detail"]) < 2000


def test_a_near_column_is_named(sample):
    assert "delay" in problem(sample.query({"table": "flights", "columns": ["dellay"]}), 400)["detail"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "1", '"flights"', "{}", '{"table": 5}', '{"table": "flights"', '{"table":"flights",}'],
)
def test_what_is_not_a_query_is_a_problem(sample, text):
    headers = {"Content-Type": "application/json"}
    problem(sample.session.post(sample.url + "/api/query", data=text, headers=headers, timeout=30), 400, 422)
    problem(sample.get("/api/query", params={"q": text}), 400, 422)


def test_an_unknown_format_is_a_problem(sample):
    problem(sample.query(PINNED, "xlsx"), 400, 406)
    problem(sample.get("/api/query"), 400)


def test_a_group_by_a_column_that_is_not_selected_works(sample):
    response = sample.query({"table": "flights", "group_by": ["state"], "aggregates": [{"op": "count"}], "limit": 1})
    assert response.status_code == 200, explain(response)
