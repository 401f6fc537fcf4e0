//! Every route of the contract with what it answers, and every kind of problem with its status.

use axum::body::Body;
use http::{Method, Request, Response};
use server::config::LimitSettings;

use super::world::{World, bytes_of, problem};

async fn world() -> World {
    World::new(LimitSettings::default()).await
}

async fn json(response: Response<Body>) -> serde_json::Value {
    assert_eq!(response.status(), 200);
    assert_eq!(response.headers()["content-type"], "application/json");
    serde_json::from_slice(&bytes_of(response).await.unwrap()).unwrap()
}

async fn text(response: Response<Body>) -> String {
    String::from_utf8(bytes_of(response).await.unwrap().to_vec()).unwrap()
}

#[tokio::test]
async fn health_says_what_answers() {
    let found = json(world().await.get("/api/health").await).await;
    let version = env!("CARGO_PKG_VERSION");
    let expected = serde_json::json!({
        "status": "ok", "version": version, "engine": "local", "gpu": null,
    });
    assert_eq!(found, expected);
}

#[tokio::test]
async fn the_listing_names_every_table_and_says_what_is_wrong_with_one() {
    let found = json(world().await.get("/api/tables").await).await;
    assert_eq!(found["truncated"], false);
    let tables = found["tables"].as_array().unwrap();
    let names: Vec<_> = tables.iter().map(|table| table["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["broken", "few", "numbers", "words"]);
    let broken = &tables[0];
    assert_eq!(broken["error"]["type"], "urn:limn:problem:unreadable-table");
    assert!(broken["rows"].is_null() && broken["columns"].as_array().unwrap().is_empty());
    let few = &tables[1];
    assert_eq!((&few["format"], &few["rows"]), (&"parquet".into(), &20.into()));
    assert!(few["version"].as_str().unwrap().starts_with("f-"), "{few}");
    assert!(few["bytes"].as_u64().unwrap() > 0);
    let kinds = few["columns"].as_array().unwrap().iter();
    let kinds: Vec<_> =
        kinds.map(|c| (c["name"].as_str(), c["type"].as_str(), c["kind"].as_str())).collect();
    assert_eq!(
        kinds,
        [
            (Some("id"), Some("Int64"), Some("number")),
            (Some("mixed"), Some("Int64"), Some("number")),
            (Some("text"), Some("Utf8"), Some("text")),
            (Some("float"), Some("Float64"), Some("number")),
        ]
    );
    assert_eq!((&tables[3]["format"], &tables[3]["rows"]), (&"csv".into(), &2.into()));
}

#[tokio::test]
async fn a_table_comes_with_statistics_and_learns_how_many_values_there_are() {
    let world = world().await;
    let table = json(world.get("/api/tables/few").await).await;
    let of = |table: &serde_json::Value, column: &str| table["statistics"][column].clone();
    let id = serde_json::json!({"min": 0, "max": 19, "null_count": 0, "distinct_count": null});
    assert_eq!(of(&table, "id"), id);
    assert_eq!(of(&table, "float")["null_count"], 1);
    assert_eq!(of(&table, "float")["max"], 2.375);
    let own = table["columns"].as_array().unwrap()[0]["statistics"].clone();
    assert_eq!(own, id);

    // Counted by a filter's options under no other filter, and known from then on.
    let options = json(world.get("/api/tables/few/options?column=text&limit=1").await).await;
    assert_eq!((&options["distinct"], &options["truncated"]), (&20.into(), &true.into()));
    let filters = "%5B%7B%22column%22:%22id%22,%22op%22:%22lt%22,%22value%22:3%7D%5D";
    let path = format!("/api/tables/few/options?column=mixed&filters={filters}");
    assert_eq!(json(world.get(&path).await).await["distinct"], 3);
    let table = json(world.get("/api/tables/few").await).await;
    assert_eq!(of(&table, "text")["distinct_count"], 20);
    assert_eq!(of(&table, "mixed")["distinct_count"], serde_json::Value::Null);
    assert_eq!(table["columns"][2]["kind"], "category");
}

#[tokio::test]
async fn versions_and_a_version_by_its_name() {
    let world = world().await;
    let versions = json(world.get("/api/tables/few/versions").await).await;
    let versions = versions["versions"].as_array().unwrap();
    assert_eq!(versions.len(), 1);
    let version = versions[0]["version"].as_str().unwrap();
    let table = json(world.get(&format!("/api/tables/few?version={version}")).await).await;
    assert_eq!(table["version"], version);
    let pinned = format!(
        "/api/query?q=%7B%22table%22:%22few%22,%22version%22:%22{version}%22,%22limit%22:1%7D"
    );
    let response = world.get(&pinned).await;
    assert_eq!(response.headers()["cache-control"], "public, max-age=31536000, immutable");
    let etag = response.headers()["etag"].clone();
    let again = Request::get(&pinned).header("if-none-match", &etag).body(Body::empty()).unwrap();
    let again = world.send(again).await;
    assert_eq!((again.status().as_u16(), &again.headers()["etag"]), (304, &etag));
    assert!(bytes_of(again).await.unwrap().is_empty());
}

#[tokio::test]
async fn options_list_values_by_value_with_their_rows() {
    let world = world().await;
    let found = json(world.get("/api/tables/few/options?column=float&limit=3").await).await;
    let expected = serde_json::json!({
        "values": [{"value": 0.0, "count": 1}, {"value": 0.125, "count": 1}, {"value": 0.25, "count": 1}],
        "distinct": 19, "nulls": 1, "truncated": true,
    });
    assert_eq!(found, expected);
    let found = json(world.get("/api/tables/words/options?column=word&search=ON").await).await;
    assert_eq!(found["values"], serde_json::json!([{"value": "one", "count": 1}]));
}

#[tokio::test]
async fn a_query_is_answered_in_six_formats_by_both_methods() {
    let world = world().await;
    let query = r#"{"table":"few","columns":["id","float"],"filters":[{"column":"id","op":"in","value":[7,8,9]}]}"#;
    let in_address =
        percent_encoding::utf8_percent_encode(query, percent_encoding::NON_ALPHANUMERIC);
    let whole: [(&str, &str, Option<&str>); 6] = [
        ("arrow-stream", "application/vnd.apache.arrow.stream", None),
        ("arrow-file", "application/vnd.apache.arrow.file", None),
        ("parquet", "application/vnd.apache.parquet", None),
        ("csv", "text/csv; charset=utf-8", Some("id,float\n7,NaN\n8,\n9,1.125\n")),
        (
            "json",
            "application/json",
            Some(
                "[\n{\"id\":7,\"float\":\"NaN\"},\n{\"id\":8,\"float\":null},\n{\"id\":9,\"float\":1.125}\n]\n",
            ),
        ),
        (
            "ndjson",
            "application/x-ndjson",
            Some(
                "{\"id\":7,\"float\":\"NaN\"}\n{\"id\":8,\"float\":null}\n{\"id\":9,\"float\":1.125}\n",
            ),
        ),
    ];
    for (format, media_type, expected) in whole {
        let posted = world.post(&format!("/api/query?format={format}"), query).await;
        let got = world.get(&format!("/api/query?q={in_address}&format={format}")).await;
        for response in [&posted, &got] {
            let headers = response.headers();
            assert_eq!(response.status(), 200, "{format}");
            assert_eq!(headers["content-type"], media_type);
            for (name, value) in
                [("limn-table", "few"), ("limn-total-rows", "20"), ("limn-reduction", "none")]
            {
                assert_eq!(headers[name], value, "{format} {name}");
            }
            assert!(headers["etag"].to_str().unwrap().starts_with('"'));
            assert!(headers["vary"].to_str().unwrap().contains("Accept"));
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert!(headers.contains_key("limn-version") && headers.contains_key("server-timing"));
        }
        let (posted, got) = (bytes_of(posted).await.unwrap(), bytes_of(got).await.unwrap());
        assert_eq!(posted, got, "{format}");
        match expected {
            Some(expected) => assert_eq!(String::from_utf8(posted.to_vec()).unwrap(), expected),
            None => assert!(!posted.is_empty()),
        }
    }
}

#[tokio::test]
async fn several_queries_are_answered_together_on_one_version() {
    let world = world().await;
    let queries = r#"{"queries": [
        {"table": "few", "aggregates": [{"op": "count", "as": "n"}]},
        {"table": "words", "columns": ["word"]},
        {"table": "few", "columns": ["id"], "limit": 2}
    ]}"#;
    let found = json(world.post("/api/queries?format=json", queries).await).await;
    let answers = found["answers"].as_array().unwrap();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[0]["rows"], serde_json::json!([{"n": 20}]));
    assert_eq!(answers[1]["rows"], serde_json::json!([{"word": "one"}, {"word": "of two"}]));
    assert_eq!(answers[2]["rows"], serde_json::json!([{"id": 0}, {"id": 1}]));
    assert_eq!(answers[0]["version"], answers[2]["version"]);
    assert_eq!(answers[2]["reduction"], "page");
    let response = world.post("/api/queries", queries).await;
    let bytes = bytes_of(response).await.unwrap();
    let mut rest = &bytes[..];
    for columns in [1, 1, 1] {
        let mut reader = arrow_ipc::reader::StreamReader::try_new(&mut rest, None).unwrap();
        assert_eq!(reader.schema().fields().len(), columns);
        assert!(reader.all(|batch| batch.is_ok()));
    }
    assert!(rest.is_empty());
    let wrong = r#"[{"table": "few"}, {"table": "few", "columns": ["idd"]}]"#;
    let (status, kind, field, _) = problem(world.post("/api/queries", wrong).await).await;
    assert_eq!((status, kind.as_str()), (400, "unknown-column"));
    assert_eq!(field.as_deref(), Some("queries[1].columns[0]"));
}

#[tokio::test]
async fn the_description_names_every_route() {
    let found = json(world().await.get("/api/openapi.json").await).await;
    assert!(found["openapi"].as_str().unwrap().starts_with("3."));
    let mut routes = Vec::new();
    for (path, methods) in found["paths"].as_object().unwrap() {
        let methods = methods.as_object().unwrap().keys();
        routes.extend(methods.map(|method| format!("{method} {path}")));
    }
    routes.sort();
    assert_eq!(
        routes,
        [
            "delete /api/jobs/{id}",
            "get /api/health",
            "get /api/image",
            "get /api/jobs",
            "get /api/jobs/{id}",
            "get /api/jobs/{id}/events",
            "get /api/jobs/{id}/log",
            "get /api/models",
            "get /api/openapi.json",
            "get /api/query",
            "get /api/tables",
            "get /api/tables/{name}",
            "get /api/tables/{name}/neighbours",
            "get /api/tables/{name}/options",
            "get /api/tables/{name}/versions",
            "post /api/jobs",
            "post /api/jobs/estimate",
            "post /api/queries",
            "post /api/query",
        ]
    );
}

#[tokio::test]
async fn the_app_comes_with_its_headers_on_every_address_of_its_own() {
    let world = world().await;
    for path in ["/", "/index.html", "/some/view"] {
        let response = world.get(path).await;
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers().clone();
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "no-referrer");
        assert_eq!(headers["x-frame-options"], "DENY");
        // Without a bundle there is a text that says how to make one.
        if headers["content-type"] == "text/html; charset=utf-8" {
            assert_eq!(headers["cache-control"], "no-cache");
            let policy = headers["content-security-policy"].to_str().unwrap();
            for part in ["default-src 'self'", "object-src 'none'", "frame-ancestors 'none'"] {
                assert!(policy.contains(part), "{policy}");
            }
        } else {
            assert!(text(response).await.contains("make build"));
        }
    }
}

#[tokio::test]
async fn every_mistake_has_its_problem() {
    let world = world().await;
    let filter = |text: &str| format!(r#"{{"table": "few", "filters": [{text}]}}"#);
    let table = |more: &str| format!(r#"{{"table": "few"{more}}}"#);
    for (query, status, kind, field, says) in [
        (r#"{"table": "fews"}"#.to_owned(), 404, "unknown-table", "table", "\"few\""),
        (r#"{"table": "../few"}"#.to_owned(), 400, "table-name", "table", ""),
        (table(r#", "columns": ["idd"]"#), 400, "unknown-column", "columns[0]", "\"id\""),
        (
            filter(r#"{"column": "txt", "op": "eq", "value": "a"}"#),
            400,
            "unknown-column",
            "filters[0].column",
            "\"text\"",
        ),
        (
            filter(r#"{"column": "id", "op": "contains", "value": "1"}"#),
            400,
            "operator-for-type",
            "filters[0].op",
            "id",
        ),
        (
            filter(r#"{"column": "text", "op": "matches", "value": "("}"#),
            400,
            "bad-regex",
            "filters[0].value",
            "",
        ),
        (
            filter(r#"{"column": "id", "op": "eq", "value": "x"}"#),
            400,
            "wrong-type",
            "filters[0].value",
            "",
        ),
        (table(r#", "limit": -1"#), 400, "malformed-query", "limit", ""),
        (table(r#", "version": "f-0000000000000000""#), 410, "version-gone", "version", ""),
        (table(r#", "version": 3"#), 404, "unknown-version", "version", ""),
        (table(r#", "version": "yesterday""#), 400, "version", "version", ""),
        (r#"{"table": "broken"}"#.to_owned(), 422, "unreadable-table", "", "broken.parquet"),
        (
            table(r#", "aggregates": [{"op": "sum", "column": "text"}]"#),
            400,
            "operator-for-type",
            "aggregates[0].op",
            "text",
        ),
    ] {
        let (found, name, blamed, detail) = problem(world.query(&query).await).await;
        assert_eq!((found, name.as_str()), (status, kind), "{query}: {detail}");
        assert_eq!(blamed.unwrap_or_default(), field, "{query}");
        assert!(detail.contains(says), "{query}: {detail}");
    }
}

#[tokio::test]
async fn requests_of_the_wrong_shape_have_their_problem() {
    let world = world().await;
    for (path, status, kind, field) in [
        ("/api/nothing", 404, "unknown-route", None),
        ("/api/tables/fwe", 404, "unknown-table", Some("table")),
        ("/api/tables/few/options", 400, "parameters", Some("column")),
        ("/api/tables/few/options?column=idd", 400, "unknown-column", Some("column")),
        ("/api/tables/few/options?column=id&limit=many", 400, "parameters", None),
        ("/api/tables/few/options?column=id&filters=x", 400, "malformed-query", Some("filters")),
        ("/api/query", 400, "parameters", Some("q")),
        ("/api/query?q=%7B%22table%22:%22few%22%7D&format=xlsx", 400, "format", Some("format")),
        (
            "/api/query?q=%7B%22table%22:%22few%22%7D&compression=x",
            400,
            "format",
            Some("compression"),
        ),
        ("/api/tables/few?version=x", 400, "version", Some("version")),
    ] {
        let (found, name, blamed, detail) = problem(world.get(path).await).await;
        assert_eq!(
            (found, name.as_str(), blamed.as_deref()),
            (status, kind, field),
            "{path}: {detail}"
        );
    }
    let request = |method: Method, path: &str, headers: &[(&str, &str)]| {
        let request = Request::builder().method(method).uri(path);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(Body::empty()).unwrap()
    };
    let few = "/api/query?q=%7B%22table%22:%22few%22%7D";
    for (request, status, kind) in [
        (request(Method::PUT, "/api/query", &[]), 405, "method-not-allowed"),
        (request(Method::DELETE, "/", &[]), 405, "method-not-allowed"),
        (request(Method::GET, few, &[("accept", "image/png")]), 406, "not-acceptable"),
        (request(Method::GET, few, &[("host", "evil.example")]), 421, "misdirected"),
    ] {
        let (found, name, ..) = problem(world.send(request).await).await;
        assert_eq!((found, name.as_str()), (status, kind));
    }
}
