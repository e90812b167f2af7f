//! A text of which only so much is read for one row.

use std::io::{self, BufRead, Read};

/// A text that fails when more of it is asked for than a row may have.
pub struct Bounded {
    text: Box<dyn BufRead>,
    most: u64,
    left: u64,
    /// How many bytes were read,
    read: u64,
    /// and the last of them, which were read at once.
    last: Vec<u8>,
}

impl Bounded {
    /// With at most so many bytes for a row.
    pub fn new(text: Box<dyn BufRead>, most: u64) -> Self {
        Self {
            text,
            most,
            left: most,
            read: 0,
            last: Vec::new(),
        }
    }

    /// Says that a row begins.
    pub fn begin(&mut self) {
        self.left = self.most;
    }

    /// The byte before the place `end`, which must be among the last.
    pub fn before(&self, end: u64) -> Option<u8> {
        let behind = usize::try_from(self.read.checked_sub(end)?).ok()?;
        self.last.iter().rev().nth(behind).copied()
    }

    /// Whether the row that was begun has had all that it may.
    pub fn is_exhausted(&self) -> bool {
        self.left == 0
    }
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err(io::Error::other("a row is longer than 8 MiB"));
        }
        let read = (&mut self.text).take(self.left).read(buffer)?;
        self.left -= read as u64;
        // At the end of the text the last bytes are still those before.
        if read > 0 {
            self.read += read as u64;
            self.last.clear();
            self.last.extend_from_slice(&buffer[..read]);
        }
        Ok(read)
    }
}
