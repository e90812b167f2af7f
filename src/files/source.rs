//! Where the bytes of a file come from: a path or standard input, plain or compressed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::Path;
use std::time::SystemTime;

use flate2::read::MultiGzDecoder;
use sha2::{Digest, Sha256};

/// The first bytes of gzip (RFC 1952) and of Zstandard (RFC 8878).
const GZIP: [u8; 2] = [0x1F, 0x8B];
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// A file that can be read again from the start.
pub struct Source {
    file: File,
    /// Its bytes, compressed where it is.
    pub length: u64,
    /// What tells it from any other file: a SHA-256 of all of it.
    pub fingerprint: [u8; 32],
    /// When it was last written.
    written: Option<SystemTime>,
}

impl Source {
    /// The file at `path`; `-` is standard input, which is kept in a temporary file.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut file = if path == Path::new("-") {
            let mut kept = tempfile::tempfile()?;
            io::copy(&mut io::stdin().lock(), &mut kept)?;
            kept
        } else {
            File::open(path)?
        };
        file.rewind()?;
        let written = file.metadata()?.modified().ok();
        let mut hash = Sha256::new();
        let length = io::copy(&mut file, &mut Hashed(&mut hash))?;
        Ok(Self {
            file,
            length,
            fingerprint: hash.finalize().into(),
            written,
        })
    }

    /// Whether it still is what it was when it was opened: rows of a file that is written meanwhile
    /// are of neither the old one nor the new.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn is_unchanged(&self) -> io::Result<bool> {
        let now = self.file.metadata()?;
        Ok(now.len() == self.length && now.modified().ok() == self.written)
    }

    /// Its text from the start, decompressed by what its first bytes say. `tell` hears how many
    /// bytes of the file have been read.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn text(&self, tell: impl FnMut(u64) + 'static) -> io::Result<Box<dyn BufRead>> {
        let mut file = self.file.try_clone()?;
        file.rewind()?;
        let mut raw = BufReader::new(Told {
            inner: file,
            read: 0,
            tell,
        });
        let start = raw.fill_buf()?;
        Ok(if start.starts_with(&GZIP) {
            Box::new(BufReader::new(MultiGzDecoder::new(raw)))
        } else if start.starts_with(&ZSTD) {
            Box::new(BufReader::new(zstd::Decoder::with_buffer(raw)?))
        } else {
            Box::new(raw)
        })
    }
}

struct Hashed<'h>(&'h mut Sha256);

impl io::Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Told<F> {
    inner: File,
    read: u64,
    tell: F,
}

impl<F: FnMut(u64)> Read for Told<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.read += read as u64;
        (self.tell)(self.read);
        Ok(read)
    }
}
