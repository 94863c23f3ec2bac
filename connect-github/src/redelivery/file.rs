//! Watermarks in a JSON file, written to a second file that takes the first one's place: a crash leaves the old or the
//! new one, and never half of one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use connect_core::{Error, ErrorKind};
use serde::{Deserialize, Serialize};

use super::store::{Saved, StoredWatermark, WatermarkStore};
use super::watermark::Watermark;

/// Keeps watermarks in one JSON file, for one machine: processes take turns by a lock file beside it (`NAME.lock`), so the
/// folder must be on a disk that knows locks. Nothing is written before the first pass.
///
/// ```
/// use connect_github::redelivery::FileWatermarks;
/// let store = FileWatermarks::new("/var/lib/hub/redelivery.json");
/// # let _ = store;
/// ```
#[derive(Clone, Debug)]
pub struct FileWatermarks {
    path: PathBuf,
}

#[derive(Default, Serialize, Deserialize)]
struct Document {
    #[serde(default)]
    watermarks: BTreeMap<String, Entry>,
}

#[derive(Serialize, Deserialize)]
struct Entry {
    version: u64,
    watermark: Watermark,
}

impl FileWatermarks {
    /// In this file; its folder must exist.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// With `.lock` or the like after its name.
    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(&self.path);
        name.push(ending);
        name.into()
    }

    fn read(&self) -> Result<Document, Error> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Document::default()),
            Err(error) => return Err(unavailable("read", &self.path, error)),
        };
        serde_json::from_slice(&bytes).map_err(|error| {
            let path = self.path.display();
            let message =
                format!("{path} holds no watermarks; remove it, and the next pass looks three days back");
            Error::new(ErrorKind::Config, message).with_source(error)
        })
    }

    fn write(&self, document: &Document) -> Result<(), Error> {
        let new = self.beside(".new");
        let failed = |error| unavailable("write", &self.path, error);
        let bytes = serde_json::to_vec(document).map_err(|error| failed(error.into()))?;
        let mut file = File::create(&new).map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&new, &self.path).map_err(failed)?;
        // The name is in the folder, which has to reach the disk as well; some systems cannot open folders.
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
            let _ = folder.sync_all();
        }
        Ok(())
    }

    fn save(&self, key: &str, expected: Option<u64>, watermark: Watermark) -> Result<Saved, Error> {
        let lock = self.beside(".lock");
        let lock = File::create(&lock).and_then(|file| file.lock().map(|()| file));
        // Held until the end of this function; closing the file lets go of it.
        let _lock = lock.map_err(|error| unavailable("lock", &self.path, error))?;
        let mut document = self.read()?;
        let stored = document.watermarks.get(key).map(|entry| entry.version);
        if stored != expected {
            return Ok(Saved::Conflict);
        }
        let version = stored.unwrap_or(0).saturating_add(1);
        document.watermarks.insert(key.to_owned(), Entry { version, watermark });
        self.write(&document)?;
        Ok(Saved::Yes(version))
    }
}

fn unavailable(what: &str, path: &Path, error: io::Error) -> Error {
    let message =
        format!("cannot {what} the watermarks in {}: check the folder and its permissions", path.display());
    Error::new(ErrorKind::Unavailable, message).with_source(error)
}

/// Files block; a runtime's workers must not.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|error| {
        Err(Error::new(ErrorKind::Unavailable, "the runtime ended before the file was written")
            .with_source(error))
    })
}

#[async_trait]
impl WatermarkStore for FileWatermarks {
    async fn load(&self, key: &str) -> Result<Option<StoredWatermark>, Error> {
        let (store, key) = (self.clone(), key.to_owned());
        blocking(move || {
            let entry = store.read()?.watermarks.remove(&key);
            Ok(entry.map(|entry| StoredWatermark::new(entry.version, entry.watermark)))
        })
        .await
    }

    async fn save(&self, key: &str, expected: Option<u64>, watermark: &Watermark) -> Result<Saved, Error> {
        let (store, key, watermark) = (self.clone(), key.to_owned(), watermark.clone());
        blocking(move || Self::save(&store, &key, expected, watermark)).await
    }
}
