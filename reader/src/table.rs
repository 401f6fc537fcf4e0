//! What was opened: a file of any form, of the user's own or at an address, or a folder with
//! a Delta log. Found out from its content; then read column by column.

use std::rc::Rc;

use app::cell::cell_text;
use app::protocol::{ColumnInfo, VersionInfo};
use app::reading::Opened;
use app::worker::budget::bytes_per_row_of_text;
use arrow_array::{Array, ArrayRef, RecordBatch, TimestampMillisecondArray};
use arrow_schema::{Schema, SchemaRef};
use bytes::Bytes;
use engine::ipc::limits::DecodeLimits;
use engine::ipc::stream::StreamDecoder;
use engine::kind::columns_from_schema;
use engine::query::Version;
use sha2::{Digest, Sha256};

use super::delta::rows::Rows;
use super::delta::{self, Snapshot};
use super::files::{FileChunks, FileFolder, FileSource};
use super::parquet::{Footer, ParquetFile};
use super::source::Chunks;
use super::stream::{ReadError, Stream, places};
use super::text::TextTable;
use super::web::{Identity, WebChunks, WebFolder, WebSource};

/// A table that was opened, and the reading that goes on.
pub struct Table {
    content: Content,
    schema: Rc<Schema>,
    rows: Option<u64>,
    reading: Option<Reading>,
    /// Told once, when it ends.
    stream: Option<Stream>,
}

enum Content {
    File(FileSource, Footer),
    Web(WebSource, Footer),
    FileText(Box<TextTable<FileChunks>>),
    WebText(Box<TextTable<WebChunks>>),
    FileArrow(FileChunks),
    WebArrow(WebChunks),
    FileDelta(FileFolder, Rc<Snapshot>),
    WebDelta(WebFolder, Rc<Snapshot>),
}

enum Reading {
    File(ParquetFile<FileSource>),
    Web(ParquetFile<WebSource>),
    /// The text itself knows.
    Text,
    /// Bytes as they are.
    Raw,
    FileDelta(Box<Rows<FileFolder>>),
    WebDelta(Box<Rows<WebFolder>>),
}

/// What a file is by its first bytes.
enum Form {
    Parquet,
    Arrow,
    Text,
}

fn form_of(head: &[u8]) -> Result<Form, ReadError> {
    let refused = |what: &str| Err(ReadError::Bad(what.to_owned()));
    match head {
        [] => refused("the file is empty"),
        [b'P', b'A', b'R', b'1', ..] => Ok(Form::Parquet),
        [b'P', b'A', b'R', b'E', ..] => refused("the file is encrypted"),
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xFF, 0xFF, 0xFF, 0xFF, ..] => Ok(Form::Arrow),
        [b'F', b'E', b'A', b'1', ..] => refused("feather of version 1 is not supported"),
        [b'P', b'K', 3, 4, ..] => refused("the file is a zip archive: unpack it first"),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => refused("the file is compressed by zstd: unpack it first"),
        _ => Ok(Form::Text),
    }
}

impl Table {
    /// Opens one file, or the Delta table among several.
    pub async fn of_files(
        files: Vec<(String, FileSource)>,
        version: Option<u64>,
    ) -> Result<(Self, Opened), ReadError> {
        if let [(path, file)] = files.as_slice()
            && !path.contains('/')
        {
            return Self::of_file(file.clone()).await;
        }
        let logs = files.iter().filter_map(|(path, _)| path.split_once("_delta_log/"));
        let root = logs.map(|(root, _)| root.to_owned()).next().ok_or_else(|| {
            ReadError::Bad("the folder holds no Delta log: open its files one by one".to_owned())
        })?;
        let inside = |(path, file): (String, FileSource)| {
            path.strip_prefix(&root).map(|path| (path.to_owned(), file))
        };
        let folder = FileFolder { files: files.into_iter().filter_map(inside).collect() };
        let snapshot = Rc::new(delta::log::open(&folder, version).await?);
        let opened = of_snapshot(&snapshot);
        Ok(Self::new(Content::FileDelta(folder, Rc::clone(&snapshot)), &snapshot.schema, opened))
    }

    async fn of_file(file: FileSource) -> Result<(Self, Opened), ReadError> {
        let bytes = Some(file.size());
        let head = file.part(0, file.size().min(4096))?;
        match form_of(&head)? {
            Form::Parquet => {
                let footer = Footer::read(&file).await?;
                let (schema, rows) = (footer.schema().clone(), footer.rows());
                let opened = opened("parquet", &schema, rows, bytes);
                Ok(Self::new(Content::File(file, footer), &schema, opened))
            }
            Form::Arrow => {
                let mut chunks = FileChunks::new(file);
                let schema = arrow_schema(&mut chunks).await?;
                let opened = opened("arrow", &schema, None, bytes);
                Ok(Self::new(Content::FileArrow(chunks), &schema, opened))
            }
            Form::Text => {
                let text = Box::new(TextTable::open(FileChunks::new(file)).await?);
                let facts = text.facts().clone();
                let mut opened = opened(facts.format, &facts.schema, facts.rows, bytes);
                opened.notices = facts.notices;
                Ok(Self::new(Content::FileText(text), &facts.schema, opened))
            }
        }
    }

    /// Opens what is at an address: a file, or a folder with a Delta log.
    pub async fn of_address(
        url: &str,
        version: Option<Version>,
    ) -> Result<(Self, Opened), ReadError> {
        let number = match &version {
            Some(Version::Number(number)) => Some(*number),
            _ => None,
        };
        let bare = url.split(['?', '#']).next().unwrap_or(url);
        let last = bare.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let is_folder = number.is_some() || bare.ends_with('/') || !last.contains('.');
        let folder = WebFolder::new(bare);
        if is_folder && (number.is_some() || delta::log::is_table(&folder).await?) {
            if version.is_some() && number.is_none() {
                return Err(ReadError::Bad("only a companion compares versions".to_owned()));
            }
            let snapshot = Rc::new(delta::log::open(&folder, number).await?);
            let mut opened = of_snapshot(&snapshot);
            opened.uid = format!("{} {}", folder_key(bare), snapshot.id);
            return Ok(Self::new(
                Content::WebDelta(folder, Rc::clone(&snapshot)),
                &snapshot.schema,
                opened,
            ));
        }
        let (table, mut opened, identity) = Self::of_web_file(url, last).await?;
        opened.uid = url.to_owned();
        opened.bytes = identity.size;
        if identity.is_known() {
            opened.version = Some(fingerprint(&identity));
        }
        if version.is_some() && version != opened.version {
            return Err(ReadError::Bad(
                "the file at this address is no longer the one that the link was made for"
                    .to_owned(),
            ));
        }
        Ok((table, opened))
    }

    async fn of_web_file(url: &str, name: &str) -> Result<(Self, Opened, Identity), ReadError> {
        let lower = name.to_lowercase();
        let texts = [".csv", ".tsv", ".txt", ".json", ".jsonl", ".ndjson", ".gz"];
        // A text is read once from its start; what it is called saves a request.
        if !texts.iter().any(|ending| lower.ends_with(ending)) {
            let source = WebSource::open(url).await?;
            let identity = source.identity.clone();
            if matches!(form_of(source.head())?, Form::Parquet) {
                let footer = Footer::read(&source).await?;
                let (schema, rows) = (footer.schema().clone(), footer.rows());
                let mut opened = opened("parquet", &schema, rows, None);
                if source.is_whole() {
                    opened.notices.push(format!(
                        "{url}: the host gives no parts of files: all of it was fetched"
                    ));
                }
                let (table, opened) = Self::new(Content::Web(source, footer), &schema, opened);
                return Ok((table, opened, identity));
            }
        }
        let mut chunks = WebChunks::open(url).await?;
        let identity = chunks.identity().clone();
        let head = chunks.next().await?.unwrap_or_default();
        chunks.restart().await?;
        match form_of(&head)? {
            Form::Arrow => {
                let schema = arrow_schema(&mut chunks).await?;
                let (table, opened) = Self::new(
                    Content::WebArrow(chunks),
                    &schema,
                    opened("arrow", &schema, None, None),
                );
                Ok((table, opened, identity))
            }
            Form::Parquet => {
                Err(ReadError::Bad(format!("{url} is Parquet, whatever its name says")))
            }
            Form::Text => {
                let text = Box::new(TextTable::open(chunks).await?);
                let facts = text.facts().clone();
                let mut opened = opened(facts.format, &facts.schema, facts.rows, None);
                opened.notices = facts.notices;
                let (table, opened) = Self::new(Content::WebText(text), &facts.schema, opened);
                Ok((table, opened, identity))
            }
        }
    }

    fn new(content: Content, schema: &SchemaRef, opened: Opened) -> (Self, Opened) {
        let schema = Rc::new(Schema::clone(schema));
        let table = Self { content, schema, rows: opened.rows, reading: None, stream: None };
        (table, opened)
    }

    /// Begins to read columns; answers the first bytes, where they are made here.
    pub async fn begin(&mut self, columns: &[String]) -> Result<Option<Vec<u8>>, ReadError> {
        self.stream = None;
        let places = places(&self.schema, Some(columns))?;
        let reading = match &mut self.content {
            Content::File(source, footer) => {
                Reading::File(ParquetFile::new(source.clone(), footer.clone(), places)?)
            }
            Content::Web(source, footer) => {
                Reading::Web(ParquetFile::new(source.clone(), footer.clone(), places)?)
            }
            Content::FileText(text) => text.begin(columns).await.map(|_| Reading::Text)?,
            Content::WebText(text) => text.begin(columns).await.map(|_| Reading::Text)?,
            Content::FileArrow(chunks) => chunks.restart().await.map(|()| Reading::Raw)?,
            Content::WebArrow(chunks) => chunks.restart().await.map(|()| Reading::Raw)?,
            Content::FileDelta(folder, snapshot) => {
                Reading::FileDelta(Box::new(Rows::new(folder.clone(), snapshot, columns)?))
            }
            Content::WebDelta(folder, snapshot) => {
                Reading::WebDelta(Box::new(Rows::new(folder.clone(), snapshot, columns)?))
            }
        };
        let is_raw = matches!(reading, Reading::Raw);
        self.reading = Some(reading);
        if is_raw {
            return Ok(None);
        }
        let schema = Rc::clone(&self.schema);
        let wanted = places_of(&schema, columns)?;
        let mut stream = Stream::new(&std::sync::Arc::new(wanted), self.rows)?;
        let first = stream.take();
        self.stream = Some(stream);
        Ok(Some(first))
    }

    /// The next bytes of the stream; `None` after its end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, ReadError> {
        let Some(reading) = &mut self.reading else { return Ok(None) };
        if matches!(reading, Reading::Raw) {
            return match &mut self.content {
                Content::FileArrow(chunks) => chunks.next().await,
                Content::WebArrow(chunks) => chunks.next().await,
                _ => Ok(None),
            };
        }
        let batch: Option<RecordBatch> = match reading {
            Reading::File(file) => file.next_batch().await?,
            Reading::Web(file) => file.next_batch().await?,
            Reading::FileDelta(rows) => rows.next_batch().await?,
            Reading::WebDelta(rows) => rows.next_batch().await?,
            Reading::Text | Reading::Raw => match &mut self.content {
                Content::FileText(text) => text.next_batch().await?,
                Content::WebText(text) => text.next_batch().await?,
                _ => None,
            },
        };
        match (batch, &mut self.stream) {
            (Some(batch), Some(stream)) => Ok(Some(stream.write(&batch)?.into())),
            _ => {
                self.reading = None;
                let end = self.stream.take().map(Stream::finish).transpose()?;
                Ok(end.map(Bytes::from))
            }
        }
    }
}

fn places_of(schema: &Schema, columns: &[String]) -> Result<Schema, ReadError> {
    Ok(schema.project(&places(schema, Some(columns))?)?)
}

fn folder_key(url: &str) -> &str {
    url.trim_end_matches('/')
}

/// A hash of what an address says of its file, as the companion names versions of files.
fn fingerprint(identity: &Identity) -> Version {
    let digest = Sha256::digest(identity.text());
    let hex: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Version::Fingerprint(format!("f-{hex}"))
}

/// The schema of an Arrow stream or file, which stands at its start.
async fn arrow_schema(chunks: &mut impl Chunks) -> Result<SchemaRef, ReadError> {
    let mut decoder = StreamDecoder::new(DecodeLimits::default());
    let mut schema = None;
    while schema.is_none() {
        let Some(chunk) = chunks.next().await? else { break };
        drop(decoder.push(&chunk)?);
        schema = decoder.schema().cloned();
    }
    chunks.restart().await?;
    schema.ok_or_else(|| ReadError::Bad("the Arrow file ends before its schema".to_owned()))
}

fn opened(format: &str, schema: &SchemaRef, rows: Option<u64>, bytes: Option<u64>) -> Opened {
    let describe = |column: engine::kind::Column| ColumnInfo {
        bytes_per_row: bytes_per_row_of_text(&column.data_type),
        name: column.name,
        data_type: column.data_type,
        kind: column.kind,
        nullable: column.nullable,
        min: None,
        max: None,
        null_count: None,
        distinct_count: None,
    };
    Opened {
        format: format.to_owned(),
        version: None,
        rows,
        bytes,
        uid: String::new(),
        columns: columns_from_schema(schema).into_iter().map(describe).collect(),
        versions: Vec::new(),
        notices: Vec::new(),
    }
}

fn of_snapshot(snapshot: &Snapshot) -> Opened {
    let versions = snapshot.history.iter().map(|commit| VersionInfo {
        version: Version::Number(commit.version),
        timestamp: commit.timestamp.and_then(moment_text),
        operation: commit.operation.clone(),
    });
    Opened {
        version: Some(Version::Number(snapshot.version)),
        versions: versions.collect(),
        uid: snapshot.id.clone(),
        ..opened("delta", &snapshot.schema, snapshot.rows(), Some(snapshot.bytes()))
    }
}

fn moment_text(millis: i64) -> Option<String> {
    let moment = TimestampMillisecondArray::from(vec![millis]).with_timezone("UTC");
    let moment: ArrayRef = std::sync::Arc::new(moment);
    cell_text(&moment, 0).filter(|_| moment.is_valid(0))
}
