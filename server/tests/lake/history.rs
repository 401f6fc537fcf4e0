//! Versions: listed, opened by number and by time, and told apart when they cannot be had.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use server::lake::{BadTable, LakeError, Version, VersionSpec};

use super::rows::{in_order, lakes, newest, scan, sorted_texts, test_data};

const DAY: Duration = Duration::from_secs(86_400);

/// A table of four versions, each a day after the other, each adding one value.
fn table(folder: &Path) {
    let log = folder.join("t/_delta_log");
    fs::create_dir_all(&log).unwrap();
    for version in 0..4_u64 {
        let path = format!("part-{version}.parquet");
        super::files::write_parquet(&folder.join("t").join(&path), &[version as i64]);
        let size = fs::metadata(folder.join("t").join(&path)).unwrap().len();
        let schema = r#"{\"type\":\"struct\",\"fields\":[{\"name\":\"x\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}"#;
        let head = match version {
            0 => format!(
                "{}\n{}\n",
                r#"{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}"#,
                r#"{"metaData":{"id":"the-id","format":{"provider":"parquet","options":{}},"schemaString":"SCHEMA","partitionColumns":[],"configuration":{}}}"#.replace("SCHEMA", schema)
            ),
            _ => String::new(),
        };
        let commit = format!(
            "{{\"commitInfo\":{{\"timestamp\":1,\"operation\":\"WRITE\",\"operationParameters\":{{\"mode\":\"Append\"}},\"operationMetrics\":{{\"numFiles\":\"1\"}}}}}}\n{head}\
             {{\"add\":{{\"path\":\"{path}\",\"partitionValues\":{{}},\"size\":{size},\"modificationTime\":1,\"dataChange\":true,\"stats\":\"{{\\\"numRecords\\\":1,\\\"minValues\\\":{{\\\"x\\\":{version}}},\\\"maxValues\\\":{{\\\"x\\\":{version}}},\\\"nullCount\\\":{{\\\"x\\\":0}}}}\"}}}}\n"
        );
        let file = log.join(format!("{version:020}.json"));
        fs::write(&file, commit).unwrap();
        set_time(&file, version);
    }
}

fn set_time(file: &Path, days: u64) {
    let time = SystemTime::UNIX_EPOCH + DAY * (20_000 + days as u32);
    fs::File::options().write(true).open(file).unwrap().set_modified(time).unwrap();
}

fn day(days: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::Duration::days(20_000 + days)
}

async fn rows(folder: &Path, version: VersionSpec) -> Result<Vec<String>, LakeError> {
    let snapshot = lakes(folder).table("t").await?.snapshot(version).await?;
    Ok(sorted_texts(&scan(&snapshot, in_order()).await.unwrap()))
}

fn exact(version: u64) -> VersionSpec {
    VersionSpec::Exact(Version::Delta(version))
}

#[tokio::test]
async fn versions_are_listed_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    table(folder.path());
    let table = lakes(folder.path()).table("t").await.unwrap();
    let versions = table.versions(None).await.unwrap();
    let numbers: Vec<String> = versions.iter().map(|commit| commit.version.to_string()).collect();
    assert_eq!(numbers, ["3", "2", "1", "0"]);
    let newest = serde_json::to_value(versions.first().unwrap()).unwrap();
    let expected = serde_json::json!({
        "version": 3, "timestamp": day(3), "operation": "WRITE",
        "parameters": {"mode": "Append"}, "metrics": {"numFiles": "1"},
    });
    assert_eq!(newest, expected);
    assert_eq!(table.versions(Some(2)).await.unwrap().len(), 2);
}

#[tokio::test]
async fn versions_open_by_number_and_by_time() {
    let folder = tempfile::tempdir().unwrap();
    table(folder.path());
    for (version, expected) in [
        (VersionSpec::Latest, &["0", "1", "2", "3"][..]),
        (exact(0), &["0"]),
        (exact(2), &["0", "1", "2"]),
        (VersionSpec::AsOf(day(1)), &["0", "1"]),
        (VersionSpec::AsOf(day(2) - chrono::Duration::seconds(1)), &["0", "1"]),
        (VersionSpec::AsOf(day(900)), &["0", "1", "2", "3"]),
    ] {
        assert_eq!(rows(folder.path(), version).await.unwrap(), expected, "{version}");
    }
    let snapshot = newest(folder.path(), "t").await.unwrap();
    assert_eq!(
        (snapshot.uid(), snapshot.timestamp(), snapshot.rows()),
        ("the-id", Some(day(3)), Some(4))
    );
}

#[tokio::test]
async fn versions_that_never_were_are_not_those_that_are_gone() {
    let folder = tempfile::tempdir().unwrap();
    table(folder.path());
    let never = rows(folder.path(), exact(4)).await.unwrap_err();
    assert!(matches!(never, LakeError::NoVersion { .. }), "{never}");
    assert_eq!(never.to_string(), r#"no version 4 of table "t": the latest is 3"#);
    let early = rows(folder.path(), VersionSpec::AsOf(day(-1))).await.unwrap_err();
    assert!(matches!(early, LakeError::NoVersion { .. }), "{early}");
    let print: VersionSpec = "f-0123456789abcdef".parse().unwrap();
    assert!(matches!(rows(folder.path(), print).await, Err(LakeError::NoVersion { .. })));

    fs::remove_file(folder.path().join("t/_delta_log/00000000000000000001.json")).unwrap();
    let hole = rows(folder.path(), VersionSpec::Latest).await.unwrap_err();
    assert!(
        matches!(hole, LakeError::Bad { problem: BadTable::MissingCommit { version: 1 }, .. }),
        "{hole}"
    );
    assert_eq!(rows(folder.path(), exact(0)).await.unwrap(), ["0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cleaned_log_says_what_is_gone() {
    let Some(data) = test_data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let from = data.join("delta/basic-with-inserts-deletes-checkpoint/delta");
    copy(&from, &folder.path().join("t"));
    let log = folder.path().join("t/_delta_log");
    let checkpoint = fs::read_dir(&log).unwrap().filter_map(|entry| {
        let name = entry.unwrap().file_name().into_string().unwrap();
        name.ends_with(".checkpoint.parquet").then(|| name[..20].parse::<u64>().unwrap())
    });
    let checkpoint = checkpoint.max().unwrap();
    let whole = rows(folder.path(), VersionSpec::Latest).await.unwrap();
    for version in 0..checkpoint {
        fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    assert_eq!(rows(folder.path(), VersionSpec::Latest).await.unwrap(), whole);
    let gone = rows(folder.path(), exact(0)).await.unwrap_err();
    assert!(matches!(gone, LakeError::Gone { .. }), "{gone}");
    let earlier = VersionSpec::AsOf(DateTime::UNIX_EPOCH);
    let gone = rows(folder.path(), earlier).await.unwrap_err();
    assert!(matches!(gone, LakeError::Gone { .. }), "{gone}");
    let table = lakes(folder.path()).table("t").await.unwrap();
    let oldest = table.versions(None).await.unwrap().last().unwrap().version;
    assert_eq!(oldest, Version::Delta(checkpoint));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => fs::write(target, fs::read(entry.path()).unwrap()).unwrap(),
        }
    }
}

#[tokio::test]
async fn a_vacuumed_file_makes_old_versions_gone_and_the_newest_broken() {
    let folder = tempfile::tempdir().unwrap();
    table(folder.path());
    fs::remove_file(folder.path().join("t/part-1.parquet")).unwrap();
    let snapshot = newest(folder.path(), "t").await.unwrap();
    let error = scan(&snapshot, in_order()).await.unwrap_err();
    let error = super::rows::lake_error(&error);
    assert!(
        matches!(&error, LakeError::Bad { problem: BadTable::MissingFile { file }, .. } if file == "t/part-1.parquet"),
        "{error}"
    );
    let table = lakes(folder.path()).table("t").await.unwrap();
    let old = table.snapshot(exact(1)).await.unwrap();
    let error = super::rows::lake_error(&scan(&old, in_order()).await.unwrap_err());
    assert!(matches!(error, LakeError::Gone { .. }), "{error}");
}

#[tokio::test]
async fn a_new_version_and_a_new_table_are_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    table(folder.path());
    let lakes = lakes(folder.path());
    let open = |version| {
        let lakes = lakes.clone();
        async move { lakes.table("t").await.unwrap().snapshot(version).await.unwrap() }
    };
    let log = folder.path().join("t/_delta_log");
    let last = log.join("00000000000000000003.json");
    let commit = fs::read_to_string(&last).unwrap();
    fs::remove_file(&last).unwrap();
    assert_eq!(open(VersionSpec::Latest).await.version(), Version::Delta(2));
    fs::write(&last, &commit).unwrap();
    assert_eq!(open(VersionSpec::Latest).await.version(), Version::Delta(3));
    let known = open(exact(0)).await;
    assert!(std::sync::Arc::ptr_eq(&known, &open(exact(0)).await));

    // The same name and the same number of versions, and another table.
    let first = log.join("00000000000000000000.json");
    let other = fs::read_to_string(&first).unwrap().replace("the-id", "other-id");
    fs::write(&first, other).unwrap();
    fs::write(&last, commit.replace("part-3", "part-0")).unwrap();
    assert_eq!(open(exact(0)).await.uid(), "other-id");
    assert_eq!(open(VersionSpec::Latest).await.uid(), "other-id");
}

#[tokio::test]
async fn statistics_come_from_the_log() {
    let folder = tempfile::tempdir().unwrap();
    table(folder.path());
    let snapshot = newest(folder.path(), "t").await.unwrap();
    let statistics = snapshot.statistics().await.unwrap();
    let [x] = statistics.as_slice() else { panic!("{statistics:?}") };
    let ends = (x.min.as_ref().unwrap().to_string(), x.max.as_ref().unwrap().to_string());
    assert_eq!(ends, ("0".to_owned(), "3".to_owned()));
    assert_eq!((x.null_count, x.distinct_count), (Some(0), None));
}
