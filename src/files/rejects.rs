//! Rows that were refused, written so that they can be mended and imported again.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Map, Value};

use super::reader::{ERROR, LINE, Raw, TEXT};

/// A file of refused rows: as they stood in the file they come from, with their lines and errors in
/// two columns more, which an import leaves out. Nobody else has it meanwhile.
pub struct Rejects {
    file: File,
    /// None in NDJSON.
    table: Option<Table>,
}

/// How rows of cells are written.
struct Table {
    /// How many columns the file has that they come from.
    width: usize,
    /// Those that are written, by their places in a row.
    places: Vec<usize>,
    /// What stands between them: the same as in that file, for which the same options hold.
    delimiter: u8,
}

impl Rejects {
    /// Opens the file at `path`, and leaves it as it is so far.
    ///
    /// # Errors
    /// When it cannot be written, or another import writes it.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        // Two who write it would write over each other. Where files have no locks, nothing is known.
        if let Err(TryLockError::WouldBlock) = file.try_lock() {
            return Err(io::Error::other("another import is writing it"));
        }
        Ok(Self { file, table: None })
    }

    /// Whether nothing is in it.
    ///
    /// # Errors
    /// When that cannot be told.
    pub fn is_empty(&self) -> io::Result<bool> {
        Ok(self.file.metadata()?.len() == 0)
    }

    /// Keeps its first `length` bytes only, and goes on behind them with rows of these columns.
    ///
    /// # Errors
    /// When it is shorter, or cannot be written.
    pub fn begin(&mut self, columns: Option<(&[String], u8)>, length: u64) -> io::Result<()> {
        // Shorter than it was: rows would be missing.
        if self.file.metadata()?.len() < length {
            return Err(io::Error::other(
                "this is not the file of refused rows as the import left it when it broke off: bring \
                that back, or go on without --rejects",
            ));
        }
        self.file.set_len(length)?;
        self.file.seek(SeekFrom::End(0))?;
        let Some((columns, delimiter)) = columns else {
            return Ok(());
        };
        let own = |place: &usize| !matches!(columns[*place].as_str(), LINE | ERROR);
        let table = Table {
            width: columns.len(),
            places: (0..columns.len()).filter(own).collect(),
            delimiter,
        };
        if length == 0 {
            let names = table.places.iter().map(|place| columns[*place].as_bytes());
            let names = names.chain([LINE.as_bytes(), ERROR.as_bytes()]);
            self.file.write_all(&table.record(names)?)?;
        }
        self.table = Some(table);
        Ok(())
    }

    /// Adds a row, which begins on `line`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, line: u64, raw: &Raw, error: &str) -> io::Result<()> {
        let written = match (raw, &self.table) {
            (Raw::Cells(cells), Some(table)) => {
                let own = table.places.iter().copied();
                // Cells that no column is for are kept, too: somebody will know whose they are.
                let all = own.chain(table.width..cells.len());
                let cells = all.map(|place| cells.get(place).unwrap_or_default());
                let line = line.to_string();
                table.record(cells.chain([line.as_bytes(), error.as_bytes()]))?
            }
            (Raw::Cells(_), None) => return Ok(()),
            (Raw::Line(text), _) => {
                let mut object: Map<String, Value> = serde_json::from_str(text)
                    .unwrap_or_else(|_| Map::from_iter([(TEXT.to_owned(), text.as_str().into())]));
                object.insert(LINE.to_owned(), line.into());
                object.insert(ERROR.to_owned(), error.into());
                let mut written = serde_json::to_vec(&object)?;
                written.push(b'\n');
                written
            }
        };
        self.file.write_all(&written)
    }

    /// Makes sure that all of it is on disk; the answer is how long it is.
    ///
    /// # Errors
    /// When it is not.
    pub fn sync(&mut self) -> io::Result<u64> {
        self.file.sync_data()?;
        self.file.stream_position()
    }
}

impl Table {
    fn record<'c>(&self, cells: impl Iterator<Item = &'c [u8]>) -> io::Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .delimiter(self.delimiter)
            .from_writer(Vec::new());
        writer.write_record(cells)?;
        writer.into_inner().map_err(csv::IntoInnerError::into_error)
    }
}
