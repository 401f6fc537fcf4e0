//! Which tables a lake has, what they are called, and which names lead nowhere.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use server::lake::{LakeError, LakeOptions, LakeSpec, Lakes, VersionSpec};

use super::files::write_parquet;
use super::rows::{in_order, lakes, newest, scan, test_data, texts};

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

async fn names(lakes: &Lakes) -> Vec<String> {
    lakes.list().await.tables.into_iter().map(|table| table.name).collect()
}

/// A lake with a table of each kind, and much that is none.
fn lake() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    write_parquet(&root.join("flights.parquet"), &[1]);
    write(root, "Ünï cödé 100%.csv", "a\n1\n");
    write(root, "clash.csv", "a\n1\n");
    write(root, "clash.tsv", "a\n1\n");
    write(root, "README.md", "# no table");
    write(root, "_hidden.csv", "a\n1\n");
    write(root, ".hidden.csv", "a\n1\n");
    write(root, "_folder/x.csv", "a\n1\n");
    write_parquet(&root.join("one/a.parquet"), &[1]);
    write_parquet(&root.join("one/b.parquet"), &[2]);
    write(root, "several/a.csv", "a\n1\n");
    write(root, "several/b.csv", "b\n1\n");
    write(root, "several/deep/x.csv", "a\n1\n");
    write(root, "several/deep/y.csv", "z\n1\n");
    write_parquet(&root.join("hive/k=1/a.parquet"), &[1]);
    write(root, "both.csv", "a\n1\n");
    write_parquet(&root.join("both/a.parquet"), &[1]);
    write(root, "broken.csv", "");
    write(root, "delta/_delta_log/00000000000000000000.json", "{}\n");
    write_parquet(&root.join("delta/part-0.parquet"), &[1]);
    folder
}

#[tokio::test]
async fn every_table_is_listed_under_one_name() {
    let folder = lake();
    let listing = lakes(folder.path()).list().await;
    let found: Vec<(&str, &str)> = listing
        .tables
        .iter()
        .map(|table| {
            let format = table.format.map_or("?", |format| format.as_str());
            (table.name.as_str(), if table.snapshot.is_ok() { format } else { "error" })
        })
        .collect();
    let expected = [
        ("both", "parquet"),
        ("both.csv", "csv"),
        ("broken", "error"),
        ("clash.csv", "csv"),
        ("clash.tsv", "csv"),
        ("delta", "error"),
        ("flights", "parquet"),
        ("hive", "parquet"),
        ("one", "parquet"),
        ("several/a", "csv"),
        ("several/b", "csv"),
        ("several/deep/x", "csv"),
        ("several/deep/y", "csv"),
        ("Ünï cödé 100%", "csv"),
    ];
    assert_eq!(found, expected);
    assert!(!listing.truncated);
}

#[tokio::test]
async fn every_listed_name_finds_its_table_and_no_other_does() {
    let folder = lake();
    let lakes = lakes(folder.path());
    for name in names(&lakes).await {
        assert_eq!(lakes.table(&name).await.unwrap().name(), name);
    }
    for (name, near) in [
        ("flight", Some("flights")),
        ("clash", Some("clash.csv")),
        ("several", None),
        ("several/c", Some("several/a")),
        ("delta/part-0", None),
        ("hive/k=1/a", None),
        ("README", None),
        ("nowhere/at/all", None),
    ] {
        match lakes.table(name).await {
            Err(LakeError::NoTable { near: found, .. }) => {
                assert_eq!(found.as_deref(), near, "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn hostile_names_reach_nothing() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "secret.csv", "password\nhunter2\n");
    write(folder.path(), "lake/real.csv", "a\n1\n");
    write(folder.path(), "lake/_private.csv", "a\n1\n");
    symlink(folder.path().join("secret.csv"), folder.path().join("lake/leak.csv")).unwrap();
    symlink(folder.path(), folder.path().join("lake/up")).unwrap();
    symlink("real.csv", folder.path().join("lake/alias.csv")).unwrap();
    let lakes = lakes(&folder.path().join("lake"));
    assert_eq!(names(&lakes).await, ["alias", "real"]);
    for name in [
        "../secret",
        "..",
        ".",
        "",
        "/",
        "//",
        "real/",
        "a/../real",
        "%2e%2e/secret",
        "..%2fsecret",
        "up/secret",
        "leak",
        "leak.csv",
        "_private",
        "..\\secret",
        "real\0",
        "file:///etc/passwd",
        "/etc/passwd",
        "s3://bucket/x",
        "real.csv/..",
        "~root",
        "\u{202e}",
        "real\n",
    ] {
        let error = lakes.table(name).await.expect_err(name);
        assert!(
            matches!(error, LakeError::Name { .. } | LakeError::NoTable { .. }),
            "{name:?}: {error:?}"
        );
    }
    let long = "x".repeat(5000);
    assert!(matches!(lakes.table(&long).await, Err(LakeError::Name { .. })));
}

#[tokio::test]
async fn a_log_cannot_lead_out_of_the_lake() {
    let folder = tempfile::tempdir().unwrap();
    write_parquet(&folder.path().join("secret.parquet"), &[42]);
    let secret = folder.path().join("secret.parquet");
    let paths = [
        "../../secret.parquet".to_owned(),
        format!("file://{}", secret.display()),
        secret.display().to_string(),
        "https://host/x.parquet".to_owned(),
    ];
    for path in paths {
        let protocol = r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#;
        let metadata = r#"{"metaData":{"id":"i","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}"#;
        let add = format!(
            r#"{{"add":{{"path":"{path}","partitionValues":{{}},"size":400,"modificationTime":1,"dataChange":true}}}}"#
        );
        write(
            folder.path(),
            "lake/t/_delta_log/00000000000000000000.json",
            &format!("{protocol}\n{metadata}\n{add}\n"),
        );
        let error = newest(&folder.path().join("lake"), "t").await.unwrap_err();
        assert!(error.to_string().contains("leaves the lake"), "{path}: {error}");
    }
}

#[tokio::test]
async fn an_unknown_feature_is_refused_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    for feature in ["flyingCars", "icebergCompatV9"] {
        let protocol = format!(
            r#"{{"protocol":{{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["{feature}"],"writerFeatures":["{feature}"]}}}}"#
        );
        let metadata = r#"{"metaData":{"id":"i","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":[],"configuration":{}}}"#;
        write(
            folder.path(),
            "t/_delta_log/00000000000000000000.json",
            &format!("{protocol}\n{metadata}\n"),
        );
        let error = newest(folder.path(), "t").await.unwrap_err();
        let expected =
            format!("cannot read table \"t\": table feature {feature:?} is not supported");
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn several_lakes_are_told_apart_by_their_names() {
    let (first, second, third) =
        (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(first.path(), "t.csv", "a\n1\n");
    write(second.path(), "t.csv", "a\n2\n");
    write(second.path(), "u.csv", "a\n3\n");
    write(third.path(), "t.csv", "a\n4\n");
    let spec = |name: &str, folder: &Path| {
        format!("{name}{}", folder.display()).parse::<LakeSpec>().unwrap()
    };
    let specs = [spec("", first.path()), spec("", second.path()), spec("third=", third.path())];
    let lakes = Lakes::open(&specs, LakeOptions::default()).unwrap();
    assert_eq!(names(&lakes).await, ["t", "third/t", "u"]);
    for (name, value) in [("t", "1"), ("u", "3"), ("third/t", "4")] {
        let snapshot = lakes.snapshot(name, VersionSpec::Latest).await.unwrap();
        assert_eq!(snapshot.table(), name);
        assert_eq!(texts(&scan(&snapshot, in_order()).await.unwrap()), [value]);
    }
    assert!(lakes.table("third").await.is_err());
    let twice = [spec("x=", first.path()), spec("x=", second.path())];
    assert!(Lakes::open(&twice, LakeOptions::default()).is_err());
    let missing = [spec("", Path::new("/nowhere/at/all"))];
    assert!(Lakes::open(&missing, LakeOptions::default()).is_err());
}

#[tokio::test]
async fn a_lake_can_be_one_table() {
    let Some(data) = test_data() else { return };
    let lakes = lakes(&data.join("delta/table-with-dv-small"));
    assert_eq!(names(&lakes).await, ["table-with-dv-small"]);
    assert!(lakes.table("table-with-dv-small").await.is_ok());
    assert!(
        lakes.table("part-00000-fae5310a-a37d-4e51-827b-c3d5516560ca-c000.snappy").await.is_err()
    );
}

#[tokio::test]
async fn a_listing_ends_at_its_bounds() {
    let folder = tempfile::tempdir().unwrap();
    for i in 0..20 {
        write(folder.path(), &format!("folder {i}/a.csv"), "a\n1\n");
        write(folder.path(), &format!("folder {i}/b.csv"), "b\n1\n");
    }
    write(folder.path(), "1/2/3/4/5/6/7/8/9/10/x.csv", "a\n1\n");
    let spec: LakeSpec = folder.path().to_str().unwrap().parse().unwrap();
    let options = LakeOptions { entries_max: 30, ..LakeOptions::default() };
    let few = Lakes::open(std::slice::from_ref(&spec), options).unwrap().list().await;
    assert!(few.truncated && few.tables.len() < 40);
    let all = Lakes::open(&[spec], LakeOptions::default()).unwrap();
    let listing = all.list().await;
    assert!(listing.truncated && listing.tables.len() == 40);
    // A table that the listing did not reach is found by its name all the same.
    assert!(all.table("1/2/3/4/5/6/7/8/9/10/x").await.is_ok());
}
