//! Rows that were refused, written so that they can be mended and imported again.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Map, Value};

use super::reader::{ERROR, LINE, Raw, Row};

/// A file of refused rows: as they stood in the file they come from, with their lines and errors in
/// two columns more, which an import leaves out.
pub struct Rejects {
    file: File,
    /// The columns that are written, by their places in a row; none in NDJSON.
    columns: Option<Vec<usize>>,
}

impl Rejects {
    /// The file at `path`, of which only the first `length` bytes are kept.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn open(path: &Path, columns: Option<&[String]>, length: u64) -> io::Result<Self> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        // Shorter than it was: rows would be missing.
        if file.metadata()?.len() < length {
            return Err(io::Error::other(format!(
                "{} has been changed since this import broke off",
                path.display()
            )));
        }
        file.set_len(length)?;
        file.seek(SeekFrom::End(0))?;
        let mut rejects = Self {
            file,
            columns: None,
        };
        if let Some(columns) = columns {
            let own = |place: &usize| !matches!(columns[*place].as_str(), LINE | ERROR);
            let places: Vec<usize> = (0..columns.len()).filter(own).collect();
            if length == 0 {
                let names = places.iter().map(|place| columns[*place].as_bytes());
                rejects.record(names.chain([LINE.as_bytes(), ERROR.as_bytes()]))?;
            }
            rejects.columns = Some(places);
        }
        Ok(rejects)
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn add(&mut self, row: &Row, error: &str) -> io::Result<()> {
        let line = row.line.to_string();
        match (&row.raw, &self.columns) {
            (Raw::Cells(cells), Some(columns)) => {
                let cell = |place: &usize| cells.get(*place).unwrap_or_default().to_vec();
                let mut record: Vec<Vec<u8>> = columns.iter().map(cell).collect();
                record.extend([line.into_bytes(), error.as_bytes().to_vec()]);
                self.record(record.iter().map(Vec::as_slice))
            }
            (Raw::Cells(_), None) => Ok(()),
            (Raw::Line(text), _) => {
                let mut object: Map<String, Value> =
                    serde_json::from_str(text).unwrap_or_else(|_| {
                        Map::from_iter([("_text".to_owned(), text.as_str().into())])
                    });
                object.insert(LINE.to_owned(), row.line.into());
                object.insert(ERROR.to_owned(), error.into());
                let mut line = serde_json::to_vec(&object)?;
                line.push(b'\n');
                self.file.write_all(&line)
            }
        }
    }

    /// Makes sure that all of it is on disk; the answer is how long it is.
    ///
    /// # Errors
    /// When it is not.
    pub fn sync(&mut self) -> io::Result<u64> {
        self.file.sync_data()?;
        self.file.stream_position()
    }

    fn record<'c>(&mut self, cells: impl Iterator<Item = &'c [u8]>) -> io::Result<()> {
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .from_writer(Vec::new());
        writer.write_record(cells)?;
        let line = writer
            .into_inner()
            .map_err(csv::IntoInnerError::into_error)?;
        self.file.write_all(&line)
    }
}
