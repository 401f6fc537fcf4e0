//! The models that jobs may name: files in ONNX in one folder of this machine. A job never says
//! where on a disk, or on a network, something is.

use std::collections::HashMap;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use encoder::Takes;

/// Folders within folders that are looked into.
const DEPTH_MAX: usize = 4;
/// Models that are listed.
const LISTED_MAX: usize = 500;

/// The folder, and what is known of its files.
#[derive(Debug, Default)]
pub struct Models {
    folder: Option<PathBuf>,
    known: Mutex<HashMap<PathBuf, Known>>,
}

/// What a file was when it was looked at, and what it takes, or why it cannot be used.
type Known = (Stamp, Result<Takes, String>);

/// What a file is told apart by from what it was before.
pub(crate) type Stamp = (u64, Option<SystemTime>);

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its path in the folder, with slashes.
    pub name: String,
    pub bytes: u64,
    /// What it makes vectors of, or why it cannot be used.
    pub takes: Result<Takes, String>,
}

impl Models {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, known: Mutex::default() }
    }

    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// All of them, by name. Reads files that have not been looked at: blocks.
    pub fn list(&self) -> Vec<Listed> {
        let found = self.find();
        found
            .into_iter()
            .map(|(name, path, metadata)| self.listed(name, &path, &metadata))
            .collect()
    }

    /// The one of this name, and where it is.
    pub(crate) fn get(&self, name: &str) -> Result<(PathBuf, Listed, Stamp), String> {
        let found = self.find();
        let names: Vec<String> = found.iter().map(|(name, ..)| name.clone()).collect();
        let Some((name, path, metadata)) = found.into_iter().find(|(known, ..)| known == name)
        else {
            let name: String = name.chars().take(200).collect();
            return Err(match (&self.folder, names.as_slice()) {
                (None, _) => {
                    "the companion has no models: start it with --models FOLDER, a folder of models \
                     in ONNX"
                        .to_owned()
                }
                (Some(_), []) => "the companion's folder of models has none in ONNX".to_owned(),
                (Some(_), names) => format!("no model {name:?}; there are {}", names.join(", ")),
            });
        };
        let listed = self.listed(name, &path, &metadata);
        Ok((path, listed, stamp(&metadata)))
    }

    fn listed(&self, name: String, path: &Path, metadata: &Metadata) -> Listed {
        let stamp = stamp(metadata);
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known().get(path).filter(|(then, _)| *then == stamp).cloned();
        let takes = match before {
            Some((_, takes)) => takes,
            None => {
                let takes = encoder::takes(path).map_err(|error| told(&error, path, &name));
                known().insert(path.to_owned(), (stamp, takes.clone()));
                takes
            }
        };
        Listed { name, bytes: metadata.len(), takes }
    }

    fn find(&self) -> Vec<(String, PathBuf, Metadata)> {
        let mut found = Vec::new();
        if let Some(folder) = &self.folder {
            collect(folder, "", 0, &mut found);
        }
        found.sort_by(|(a, ..), (b, ..)| a.cmp(b));
        found
    }
}

/// What went wrong, by the model's name: where folders of this machine are is nobody's business.
pub(crate) fn told(error: &dyn std::fmt::Display, path: &Path, name: &str) -> String {
    let text = error.to_string().replace(&path.display().to_string(), name);
    match path.parent() {
        Some(folder) => text.replace(&format!("{}/", folder.display()), ""),
        None => text,
    }
}

fn stamp(metadata: &Metadata) -> Stamp {
    (metadata.len(), metadata.modified().ok())
}

/// Files that end as models do; a folder that cannot be read has none.
fn collect(folder: &Path, prefix: &str, depth: usize, to: &mut Vec<(String, PathBuf, Metadata)>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        let Ok(metadata) = std::fs::metadata(&path) else { continue };
        if name.starts_with('.') || to.len() >= LISTED_MAX {
            continue;
        }
        let name = format!("{prefix}{name}");
        if metadata.is_dir() && depth < DEPTH_MAX {
            collect(&path, &format!("{name}/"), depth + 1, to);
        } else if metadata.is_file() && name.to_lowercase().ends_with(".onnx") {
            to.push((name, path, metadata));
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn models_are_those_of_the_folder_alone() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("outside.onnx"), b"no model").unwrap();
        let folder = root.path().join("models");
        std::fs::create_dir_all(folder.join("clip")).unwrap();
        for name in ["b.onnx", "clip/a.onnx", "notes.txt", ".hidden.onnx"] {
            std::fs::write(folder.join(name), b"no model").unwrap();
        }
        let models = Models::new(Some(folder));
        let names: Vec<String> = models.list().into_iter().map(|listed| listed.name).collect();
        assert_eq!(names, ["b.onnx", "clip/a.onnx"]);
        let why = models.list()[0].takes.clone().unwrap_err();
        assert!(why.starts_with("b.onnx is no ONNX model"), "{why}");
        for name in ["../outside.onnx", "clip/../b.onnx", "/etc/passwd", "", "notes.txt"] {
            let refused = models.get(name).unwrap_err();
            assert!(refused.contains("b.onnx, clip/a.onnx"), "{refused}");
        }
        assert!(models.get("clip/a.onnx").is_ok());
        let none = Models::default().get("b.onnx").unwrap_err();
        assert!(none.contains("--models"), "{none}");
    }
}
