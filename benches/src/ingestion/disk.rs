//! A folder for the stores, on the disk that programs are built on, and how fast that disk is.
//!
//! Not the system's folder for temporary files: that is memory on many machines.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;
use std::time::Instant;

use crate::Failure;
use crate::spread::Spread;

/// Is removed with this value, contents and all.
pub(crate) struct Scratch {
    folder: PathBuf,
}

impl Scratch {
    /// A new folder beside the program.
    pub(crate) fn new() -> Result<Self, Failure> {
        let mut folder = std::env::current_exe()?;
        folder.set_file_name(format!("ingestion-{}", std::process::id()));
        std::fs::create_dir(&folder)?;
        Ok(Self { folder })
    }

    /// The path of a file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The name of its file system, and microseconds of a write of 4 KB that reaches the disk.
    pub(crate) fn describe(&self) -> Result<(String, Spread), Failure> {
        // Enough for a median; less than a second even on a spinning disk.
        const WRITES: usize = 100;
        let output = Command::new("stat").args(["-f", "-c", "%T"]).arg(&self.folder).output()?;
        let file_system = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        let mut file = File::create(self.file("writes"))?;
        let mut times = Vec::with_capacity(WRITES);
        for _ in 0..WRITES {
            let start = Instant::now();
            file.write_all(&[0; 4096])?;
            file.sync_data()?;
            times.push(start.elapsed().as_secs_f64() * 1e6);
        }
        Ok((file_system, Spread::of(times)))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it goes with the next `cargo clean`.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
