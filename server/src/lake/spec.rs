//! `--lake` arguments: a path, a URI, or `name=URI`. Says where a lake is; opens nothing.

use std::path::PathBuf;
use std::str::FromStr;

use super::error::LakeError;
use super::name;

/// Where one lake is, and the name that prefixes its tables, if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LakeSpec {
    pub name: Option<String>,
    pub root: LakeRoot,
}

/// The kinds of place a lake can be in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LakeRoot {
    /// A folder on this machine.
    Folder(PathBuf),
    /// A bucket and a prefix in it, which may be empty.
    S3 { bucket: String, prefix: String },
}

impl LakeSpec {
    /// The `--lake` argument by which another process opens the same lake, wherever it runs.
    pub fn argument(&self) -> String {
        let address = match &self.root {
            LakeRoot::Folder(path) => {
                std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string()
            }
            LakeRoot::S3 { .. } => self.root.uri(),
        };
        match &self.name {
            Some(name) => format!("{name}={address}"),
            None => address,
        }
    }

    /// How the lake is called in messages: its name, else its address.
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => self.root.uri(),
        }
    }
}

impl LakeRoot {
    /// The address in the form it was given, without credentials (it never holds any).
    pub fn uri(&self) -> String {
        match self {
            Self::Folder(path) => path.display().to_string(),
            Self::S3 { bucket, prefix } if prefix.is_empty() => format!("s3://{bucket}"),
            Self::S3 { bucket, prefix } => format!("s3://{bucket}/{prefix}"),
        }
    }
}

impl FromStr for LakeSpec {
    type Err = LakeError;

    /// A `name=` is taken off only where it looks like a name, so that a folder called
    /// `year=2024/x` needs `./year=2024/x`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = |reason: String| LakeError::Spec { spec: text.to_owned(), reason };
        let (name, address) = match text.split_once('=') {
            Some((name, address)) if is_lake_name(name) => (Some(name.to_owned()), address),
            _ => (None, text),
        };
        if let Some(name) = &name {
            name::check(name).map_err(|error| invalid(error.to_string()))?;
        }
        let root = root_from_address(address).map_err(invalid)?;
        Ok(Self { name, root })
    }
}

fn is_lake_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '_')
}

fn root_from_address(address: &str) -> Result<LakeRoot, String> {
    if address.is_empty() {
        return Err("the address is empty".to_owned());
    }
    let Some((scheme, _)) = address.split_once("://") else {
        return Ok(LakeRoot::Folder(PathBuf::from(address)));
    };
    match scheme {
        "file" => url::Url::parse(address)
            .ok()
            .and_then(|url| url.to_file_path().ok())
            .map(LakeRoot::Folder)
            .ok_or_else(|| "a file URI needs an absolute path".to_owned()),
        "s3" | "s3a" => s3_from_uri(address),
        other => Err(format!("unknown scheme {other:?}, expected a path, file:// or s3://")),
    }
}

fn s3_from_uri(uri: &str) -> Result<LakeRoot, String> {
    // Taken apart by hand: a key is not a URL path, so `%` and `#` in it stand for themselves.
    let rest = uri.split_once("://").map_or("", |(_, rest)| rest);
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if bucket.is_empty() || bucket.contains('@') || bucket.contains(':') {
        return Err("an S3 address is s3://bucket or s3://bucket/prefix".to_owned());
    }
    let prefix = prefix.trim_matches('/');
    object_store::path::Path::parse(prefix).map_err(|error| error.to_string())?;
    Ok(LakeRoot::S3 { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn addresses_are_paths_uris_or_named() {
        let folder = |path: &str| LakeRoot::Folder(PathBuf::from(path));
        let s3 = |bucket: &str, prefix: &str| LakeRoot::S3 {
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
        };
        for (text, name, root) in [
            ("./lake", None, folder("./lake")),
            ("/data/my lake", None, folder("/data/my lake")),
            ("file:///data/a%20b", None, folder("/data/a b")),
            ("s3://bucket", None, s3("bucket", "")),
            ("s3://bucket/a/b/", None, s3("bucket", "a/b")),
            ("prod=s3://bucket/a", Some("prod"), s3("bucket", "a")),
            ("x=/data", Some("x"), folder("/data")),
            ("./year=2024/x", None, folder("./year=2024/x")),
        ] {
            let spec: LakeSpec = text.parse().unwrap();
            assert_eq!((spec.name.as_deref(), &spec.root), (name, &root), "{text}");
        }
    }

    #[test]
    fn addresses_that_no_lake_can_have_are_refused() {
        for text in [
            "",
            "x=",
            "ftp://host/a",
            "s3://",
            "s3:///key",
            "file://host/a",
            "s3://b/../c",
            "_x=/data",
        ] {
            assert!(text.parse::<LakeSpec>().is_err(), "{text}");
        }
    }
}
