//! The origin private file system: a folder of the browser that pages cannot see into.
//! Files are written and read through synchronous handles, which only workers have and
//! which lock their file; a file that is locked by another tab is read as a blob.

use std::collections::BTreeMap;

use js_sys::{AsyncIterator, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    File, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemGetDirectoryOptions,
    FileSystemGetFileOptions, FileSystemReadWriteOptions, FileSystemSyncAccessHandle,
};

use crate::texts;
use crate::worker::net::text_of;
use crate::worker::turn::scope;

/// Why a file cannot be had. The browser's words, and whether room is what is missing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OpfsError {
    #[error("{}", texts::storage::QUOTA_USED_UP)]
    Quota,
    #[error("{}", texts::storage::IN_USE)]
    Locked,
    #[error("{}", texts::storage::NO_SUCH_FILE)]
    NotFound,
    #[error("{0}")]
    Other(String),
}

impl From<JsValue> for OpfsError {
    fn from(error: JsValue) -> Self {
        let name = Reflect::get(&error, &"name".into()).ok().and_then(|name| name.as_string());
        match name.as_deref() {
            Some("QuotaExceededError") => Self::Quota,
            Some("NoModificationAllowedError") => Self::Locked,
            Some("NotFoundError") => Self::NotFound,
            _ => Self::Other(text_of(&error)),
        }
    }
}

async fn settled<T: JsCast>(promise: Promise) -> Result<T, OpfsError> {
    JsFuture::from(promise).await?.dyn_into::<T>().map_err(OpfsError::from)
}

/// Our folder. Absent in private windows of some browsers and outside https.
pub async fn folder() -> Result<FileSystemDirectoryHandle, OpfsError> {
    let storage = Reflect::get(&scope().navigator(), &"storage".into())?;
    if storage.is_undefined() {
        return Err(OpfsError::Other(texts::storage::KEEPS_NO_FILES.to_owned()));
    }
    let storage: web_sys::StorageManager = storage.unchecked_into();
    let root: FileSystemDirectoryHandle = settled(storage.get_directory()).await?;
    let options = FileSystemGetDirectoryOptions::new();
    options.set_create(true);
    settled(root.get_directory_handle_with_options("limn", &options)).await
}

/// Bytes that the browser grants this address.
pub async fn quota() -> Option<u64> {
    let storage: web_sys::StorageManager =
        Reflect::get(&scope().navigator(), &"storage".into()).ok()?.dyn_into().ok()?;
    let estimate = JsFuture::from(storage.estimate().ok()?).await.ok()?;
    let quota = Reflect::get(&estimate, &"quota".into()).ok()?.as_f64()?;
    Some(quota as u64)
}

/// The files of the folder and their sizes.
pub async fn sizes(folder: &FileSystemDirectoryHandle) -> Result<BTreeMap<String, u64>, OpfsError> {
    let mut sizes = BTreeMap::new();
    let values: js_sys::Function = Reflect::get(folder, &"values".into())?.dyn_into()?;
    let iterator: AsyncIterator = values.call0(folder)?.unchecked_into();
    loop {
        let step = JsFuture::from(iterator.next_iterator()?).await?;
        if Reflect::get(&step, &"done".into())?.is_truthy() {
            return Ok(sizes);
        }
        let Ok(handle) = Reflect::get(&step, &"value".into())?.dyn_into::<FileSystemFileHandle>()
        else {
            continue;
        };
        // A file may go between its listing and this.
        if let Ok(file) = settled::<File>(handle.get_file()).await {
            sizes.insert(handle.name(), file.size() as u64);
        }
    }
}

pub async fn remove(folder: &FileSystemDirectoryHandle, name: &str) -> Result<(), OpfsError> {
    match JsFuture::from(folder.remove_entry(name)).await.map_err(OpfsError::from) {
        Ok(_) | Err(OpfsError::NotFound) => Ok(()),
        Err(error) => Err(error),
    }
}

/// A file open for writing from its start; closed when dropped.
#[derive(Debug)]
pub struct OpenForWriting {
    handle: FileSystemSyncAccessHandle,
    written: u64,
}

impl OpenForWriting {
    pub async fn create(folder: &FileSystemDirectoryHandle, name: &str) -> Result<Self, OpfsError> {
        let open = Self::over(folder, name).await?;
        open.handle.truncate_with_u32(0)?;
        Ok(open)
    }

    /// Opens a file to be written over from its start.
    async fn over(folder: &FileSystemDirectoryHandle, name: &str) -> Result<Self, OpfsError> {
        let options = FileSystemGetFileOptions::new();
        options.set_create(true);
        let file: FileSystemFileHandle =
            settled(folder.get_file_handle_with_options(name, &options)).await?;
        let handle: FileSystemSyncAccessHandle = settled(file.create_sync_access_handle()).await?;
        Ok(Self { handle, written: 0 })
    }

    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), OpfsError> {
        let options = FileSystemReadWriteOptions::new();
        while !bytes.is_empty() {
            options.set_at(self.written as f64);
            let n_bytes = self.handle.write_with_u8_array_and_options(bytes, &options)? as usize;
            // A disk that is full may take a part and say nothing; Chromium answers an error's
            // number, below zero and read as unsigned.
            if n_bytes == 0 || n_bytes > bytes.len() {
                return Err(OpfsError::Quota);
            }
            self.written += n_bytes as u64;
            bytes = bytes.get(n_bytes..).unwrap_or_default();
        }
        Ok(())
    }

    pub fn flush(&self) -> Result<(), OpfsError> {
        Ok(self.handle.flush()?)
    }

    pub fn written(&self) -> u64 {
        self.written
    }
}

impl Drop for OpenForWriting {
    fn drop(&mut self) {
        self.handle.close();
    }
}

/// A file open for reading at any place.
#[derive(Debug)]
pub enum OpenForReading {
    Handle(FileSystemSyncAccessHandle),
    /// Another tab has the handle.
    Blob(File),
}

impl OpenForReading {
    pub async fn open(folder: &FileSystemDirectoryHandle, name: &str) -> Result<Self, OpfsError> {
        let file: FileSystemFileHandle = settled(folder.get_file_handle(name)).await?;
        match settled(read_only_handle(&file)?).await {
            Ok(handle) => Ok(Self::Handle(handle)),
            Err(OpfsError::Locked) => Ok(Self::Blob(settled(file.get_file()).await?)),
            Err(error) => Err(error),
        }
    }

    pub fn size(&self) -> Result<u64, OpfsError> {
        Ok(match self {
            Self::Handle(handle) => handle.get_size()? as u64,
            Self::Blob(file) => file.size() as u64,
        })
    }

    /// Exactly `n_bytes` from `at`.
    pub async fn read(&self, at: u64, n_bytes: usize) -> Result<Vec<u8>, OpfsError> {
        let bytes = match self {
            Self::Handle(handle) => {
                let options = FileSystemReadWriteOptions::new();
                options.set_at(at as f64);
                let mut bytes = vec![0; n_bytes];
                let n_read = handle.read_with_u8_array_and_options(&mut bytes, &options)? as usize;
                if n_read > n_bytes {
                    return Err(OpfsError::Other(texts::storage::UNREADABLE.to_owned()));
                }
                bytes.truncate(n_read);
                bytes
            }
            Self::Blob(file) => {
                let end = at as f64 + n_bytes as f64;
                let part = file.slice_with_f64_and_f64(at as f64, end)?;
                let buffer = JsFuture::from(part.array_buffer()).await?;
                Uint8Array::new(&buffer).to_vec()
            }
        };
        if bytes.len() == n_bytes {
            return Ok(bytes);
        }
        Err(OpfsError::Other(texts::storage::TOO_SHORT.to_owned()))
    }
}

impl Drop for OpenForReading {
    fn drop(&mut self) {
        if let Self::Handle(handle) = self {
            handle.close();
        }
    }
}

/// Asks for a shared handle; browsers that do not know the mode give an exclusive one.
fn read_only_handle(file: &FileSystemFileHandle) -> Result<Promise, OpfsError> {
    let options = js_sys::Object::new();
    Reflect::set(&options, &"mode".into(), &"read-only".into())?;
    let create: js_sys::Function =
        Reflect::get(file, &"createSyncAccessHandle".into())?.dyn_into()?;
    Ok(create.call1(file, &options)?.dyn_into()?)
}

/// The whole of a small file as text; `None` where it is not. Read without a handle, which
/// would be in the way of another tab that writes the file under its lock.
pub async fn read_text(folder: &FileSystemDirectoryHandle, name: &str) -> Option<String> {
    let handle: FileSystemFileHandle = settled(folder.get_file_handle(name)).await.ok()?;
    let file = OpenForReading::Blob(settled(handle.get_file()).await.ok()?);
    let n_bytes = usize::try_from(file.size().ok()?).ok()?;
    String::from_utf8(file.read(0, n_bytes).await.ok()?).ok()
}

pub async fn write_text(
    folder: &FileSystemDirectoryHandle,
    name: &str,
    text: &str,
) -> Result<(), OpfsError> {
    let mut file = OpenForWriting::over(folder, name).await?;
    let n_bytes = text.len() as f64;
    // Without room for it, what is there stays.
    if file.handle.get_size()? < n_bytes {
        file.handle.truncate_with_f64(n_bytes)?;
        if file.handle.get_size()? < n_bytes {
            return Err(OpfsError::Quota);
        }
    }
    file.write(text.as_bytes())?;
    file.handle.truncate_with_f64(n_bytes)?;
    file.flush()
}
