//! The model: a file that is here, or at an address and then fetched once; with what lies beside
//! it, and what of it the vectors follow from.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use encoder::{Backend, Encoder, Kind, Options, Pooling, Preprocessing};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;

use super::EncodeFailure;

/// What a model is to do.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    /// A path, or an http or https address.
    pub(crate) model: String,
    pub(crate) tokenizer: Option<PathBuf>,
    /// The most tokens of a text.
    pub(crate) tokens: Option<usize>,
    /// The name of the model's output.
    pub(crate) output: Option<String>,
    pub(crate) pooling: Option<Pooling>,
    /// Whether vectors get length one.
    pub(crate) is_unit: bool,
    /// The longer side of small pictures that are kept.
    pub(crate) thumbnail: Option<u32>,
    pub(crate) backend: Backend,
    /// Where fetched models are kept.
    pub(crate) cache: PathBuf,
}

/// A model that is ready.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) encoder: Encoder,
    pub(crate) has_thumbnails: bool,
    /// What vectors follow from, but for what they are made of.
    pub(crate) lineage: Value,
}

impl Opened {
    pub(crate) fn takes_texts(&self) -> bool {
        matches!(self.encoder.model().kind(), Kind::Texts { .. })
    }
}

const PREPROCESSING: &str = "preprocessor_config.json";
const TOKENIZER: &str = "tokenizer.json";

/// Opens it. `told` hears of what is fetched, in bytes.
pub(crate) fn open(
    handle: &Handle,
    wanted: &Wanted,
    told: &dyn Fn(u64),
) -> Result<Opened, EncodeFailure> {
    let is_web = ["http://", "https://"].iter().any(|scheme| wanted.model.starts_with(scheme));
    let path = match is_web {
        true => handle.block_on(fetch(&wanted.model, &wanted.cache, told))?,
        false => PathBuf::from(&wanted.model),
    };
    let preprocessing = match beside(&path, PREPROCESSING) {
        Some(found) => {
            let text = fs::read_to_string(&found).map_err(|error| encoder::Error::Unreadable {
                path: found.clone(),
                reason: error.to_string(),
            })?;
            Some(Preprocessing::from_json(&text, &found)?)
        }
        None => None,
    };
    let tokenizer = wanted.tokenizer.clone().or_else(|| beside(&path, TOKENIZER));
    let options = Options {
        preprocessing,
        tokenizer: tokenizer.clone(),
        tokens: wanted.tokens,
        output: wanted.output.clone(),
        pooling: wanted.pooling,
        is_unit: wanted.is_unit,
        thumbnail: wanted.thumbnail,
        backend: wanted.backend,
        ..Options::default()
    };
    let encoder = Encoder::open(&path, &options)?;
    let is_text = matches!(encoder.model().kind(), Kind::Texts { .. });
    let thumbnail = wanted.thumbnail.filter(|_| !is_text);
    let tokenizer = tokenizer.filter(|_| is_text);
    let lineage = json!({
        "file": path.file_name().map(|name| name.to_string_lossy()),
        "sha256": digest(&path, tokenizer.as_deref())?,
        "output": encoder.model().output(),
        "dimensions": encoder.model().dimensions(),
        "preprocessing": encoder.preprocessing(),
        "tokens": wanted.tokens.filter(|_| is_text),
        "pooling": wanted.pooling.map(|pooling| format!("{pooling:?}").to_lowercase()),
        "unit": wanted.is_unit,
        "thumbnail": thumbnail,
    });
    Ok(Opened { encoder, has_thumbnails: thumbnail.is_some(), lineage })
}

/// A file that belongs to the model: in its folder, or in the one above where that is how its
/// publisher keeps several formats apart.
fn beside(model: &Path, name: &str) -> Option<PathBuf> {
    let folder = model.parent()?;
    let is_format = folder.file_name().is_some_and(|name| name == "onnx");
    let above = folder.parent().filter(|_| is_format);
    let places = [Some(folder), above].into_iter().flatten();
    places.map(|folder| folder.join(name)).find(|path| path.is_file())
}

/// Of the model, of weights that it keeps in files of their own, whose names begin with its name,
/// and of the tokenizer: all that numbers are computed from.
fn digest(model: &Path, tokenizer: Option<&Path>) -> Result<String, EncodeFailure> {
    let unreadable = |path: &Path, error: std::io::Error| encoder::Error::Unreadable {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let folder = match model.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = model.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let listed = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let mut files: Vec<PathBuf> = listed
        .filter_map(|entry| entry.ok())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with(&name))
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files.extend(tokenizer.map(Path::to_owned));
    let mut hash = Sha256::new();
    let mut part = vec![0; 1 << 20];
    for path in files {
        let mut file = File::open(&path).map_err(|error| unreadable(&path, error))?;
        loop {
            let read = file.read(&mut part).map_err(|error| unreadable(&path, error))?;
            if read == 0 {
                break;
            }
            hash.update(part.get(..read).unwrap_or_default());
        }
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Without an answer, or a further part of one, for so long there will be none.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fetches a model and what lies beside it, once: another time what is here is used.
async fn fetch(address: &str, cache: &Path, told: &dyn Fn(u64)) -> Result<PathBuf, EncodeFailure> {
    let failed = |reason: String| EncodeFailure::Fetch { url: address.to_owned(), reason };
    let url = reqwest::Url::parse(address).map_err(|error| failed(error.to_string()))?;
    let name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    let name = match name.is_empty() {
        true => "model.onnx".to_owned(),
        false => name.to_owned(),
    };
    let hash: String =
        Sha256::digest(address.as_bytes()).iter().take(8).map(|b| format!("{b:02x}")).collect();
    let folder = cache.join(hash);
    let model = folder.join(&name);
    if model.is_file() {
        return Ok(model);
    }
    let at = |error: std::io::Error| failed(format!("{}: {error}", folder.display()));
    fs::create_dir_all(&folder).map_err(at)?;
    let client = Client::builder()
        .user_agent(concat!("limn/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(PATIENCE)
        .read_timeout(PATIENCE)
        .build();
    let client = client.map_err(|error| failed(error.to_string()))?;
    // What lies beside it first: once the model is here, all of it is.
    let weights = [format!("{name}_data"), format!("{name}.data")];
    let mut bytes = 0;
    for other in weights.iter().map(String::as_str).chain([PREPROCESSING, TOKENIZER]) {
        let is_format = url.path().rsplit('/').nth(1) == Some("onnx");
        let places: &[&str] = if is_format { &["", "../"] } else { &[""] };
        for place in places {
            let Ok(beside) = url.join(&format!("{place}{other}")) else { continue };
            if download(&client, beside, &folder.join(other), &mut bytes, told)
                .await
                .map_err(failed)?
            {
                break;
            }
        }
    }
    match download(&client, url, &model, &mut bytes, told).await.map_err(failed)? {
        true => Ok(model),
        false => Err(failed("there is none (status 404)".to_owned())),
    }
}

/// Whether there was something; nothing is there in part.
async fn download(
    client: &Client,
    url: reqwest::Url,
    to: &Path,
    bytes: &mut u64,
    told: &dyn Fn(u64),
) -> Result<bool, String> {
    let said = |error: reqwest::Error| error.without_url().to_string();
    let mut answer = client.get(url).send().await.map_err(said)?;
    match answer.status() {
        StatusCode::NOT_FOUND => return Ok(false),
        status if !status.is_success() => return Err(format!("status {}", status.as_u16())),
        _ => {}
    }
    let folder = to.parent().unwrap_or(Path::new("."));
    let kept = |error: std::io::Error| format!("{}: {error}", to.display());
    let mut part = tempfile::NamedTempFile::new_in(folder).map_err(kept)?;
    let wanted = answer.content_length();
    let mut got = 0;
    while let Some(chunk) = answer.chunk().await.map_err(said)? {
        part.write_all(&chunk).map_err(kept)?;
        got += chunk.len() as u64;
        *bytes += chunk.len() as u64;
        told(*bytes);
    }
    if wanted.is_some_and(|wanted| wanted != got) {
        return Err(format!("it broke off after {got} bytes"));
    }
    part.persist(to).map_err(|error| kept(error.error))?;
    Ok(true)
}
