//! The rows of a file.

use std::io::{self, BufRead};

use csv::{ByteRecord, StringRecord};
use serde_json::{Map, Value};

use super::Format;
use super::mapping::{Mapping, MappingError};

/// Columns of a file of refused rows, which are no fields.
pub const LINE: &str = "_line";
/// Likewise.
pub const ERROR: &str = "_error";

/// What some programs begin a text in UTF-8 with.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// A row, with what it says.
#[derive(Debug)]
pub struct Row {
    /// The line of the file on which it begins, from 1.
    pub line: u64,
    /// As it stands there.
    pub raw: Raw,
    /// The fields of the post that it is; or why it cannot be read.
    pub fields: Result<Map<String, Value>, String>,
}

/// A row as it stands in the file.
#[derive(Debug)]
pub enum Raw {
    /// The cells.
    Cells(ByteRecord),
    /// The line.
    Line(String),
}

/// Reads a file from its start.
pub struct Reader {
    rows: Rows,
    mapping: Mapping,
}

enum Rows {
    Cells {
        csv: Box<csv::Reader<Box<dyn BufRead>>>,
        columns: Vec<String>,
        fields: Vec<Option<&'static str>>,
    },
    Lines {
        lines: Box<dyn BufRead>,
        line: u64,
    },
}

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes cannot be had.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Its columns cannot be told.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// Its first line is no list of columns.
    #[error("the first line must name the columns, in UTF-8")]
    NoHeader,
}

impl Reader {
    /// Begins to read `text`; without a format it is told by its first character.
    ///
    /// # Errors
    /// When there is no first line, or none that fits the mapping.
    pub fn new(
        mut text: Box<dyn BufRead>,
        format: Option<Format>,
        mapping: Mapping,
    ) -> Result<Self, ReadError> {
        mapping.check()?;
        if text.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
            text.consume(BYTE_ORDER_MARK.len());
        }
        let start = text.fill_buf()?;
        let is_json = start.trim_ascii_start().first() == Some(&b'{');
        let delimiter = match format.unwrap_or(if is_json { Format::Ndjson } else { Format::Csv }) {
            Format::Ndjson => {
                return Ok(Self {
                    rows: Rows::Lines {
                        lines: text,
                        line: 0,
                    },
                    mapping,
                });
            }
            Format::Tsv => b'\t',
            Format::Csv => delimiter(start),
        };
        let mut csv = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_reader(text);
        let header = csv.headers().map_err(|_| ReadError::NoHeader)?;
        let columns: Vec<String> = header.iter().map(ToOwned::to_owned).collect();
        if columns.is_empty() {
            return Err(ReadError::NoHeader);
        }
        let fields = mapping.fields(&columns)?;
        Ok(Self {
            rows: Rows::Cells {
                csv: Box::new(csv),
                columns,
                fields,
            },
            mapping,
        })
    }

    /// The columns, where there are any.
    #[must_use]
    pub fn columns(&self) -> Option<&[String]> {
        match &self.rows {
            Rows::Cells { columns, .. } => Some(columns),
            Rows::Lines { .. } => None,
        }
    }

    /// Columns that are no field and are left out.
    #[must_use]
    pub fn ignored(&self) -> Vec<&str> {
        let Rows::Cells {
            columns, fields, ..
        } = &self.rows
        else {
            return Vec::new();
        };
        let unknown = columns
            .iter()
            .zip(fields)
            .filter(|(column, field)| field.is_none() && !matches!(column.as_str(), LINE | ERROR));
        unknown.map(|(column, _)| column.as_str()).collect()
    }

    /// The next row; none at the end.
    ///
    /// # Errors
    /// When the bytes cannot be had. A row that makes no sense is no such error.
    pub fn next_row(&mut self) -> Result<Option<Row>, io::Error> {
        match &mut self.rows {
            Rows::Cells {
                csv,
                columns,
                fields,
            } => {
                let mut record = ByteRecord::new();
                if !csv.read_byte_record(&mut record)? {
                    return Ok(None);
                }
                let line = record.position().map_or(0, csv::Position::line);
                let fields = if record.len() == columns.len() {
                    from_cells(&self.mapping, fields, &record)
                } else {
                    let (found, known) = (record.len(), columns.len());
                    Err(format!("{found} cells where {known} columns are"))
                };
                Ok(Some(Row {
                    line,
                    raw: Raw::Cells(record),
                    fields,
                }))
            }
            Rows::Lines { lines, line } => loop {
                let mut bytes = Vec::new();
                if lines.read_until(b'\n', &mut bytes)? == 0 {
                    return Ok(None);
                }
                *line += 1;
                let text = String::from_utf8_lossy(&bytes).trim().to_owned();
                if text.is_empty() {
                    continue;
                }
                let fields = from_line(&self.mapping, &bytes);
                return Ok(Some(Row {
                    line: *line,
                    raw: Raw::Line(text),
                    fields,
                }));
            },
        }
    }
}

/// The character that separates most columns of the first line.
fn delimiter(start: &[u8]) -> u8 {
    let line = start.split(|byte| *byte == b'\n').next().unwrap_or(start);
    let count = |wanted: u8| line.split(|byte| *byte == wanted).count();
    let mut best = b',';
    for candidate in [b';', b'\t'] {
        if count(candidate) > count(best) {
            best = candidate;
        }
    }
    best
}

fn from_cells(
    mapping: &Mapping,
    fields: &[Option<&'static str>],
    record: &ByteRecord,
) -> Result<Map<String, Value>, String> {
    let record = StringRecord::from_byte_record(record.clone())
        .map_err(|_| "the row is not in UTF-8".to_owned())?;
    let mut row = Map::new();
    for (field, cell) in fields.iter().zip(&record) {
        if let Some(field) = field {
            mapping.put(&mut row, field, cell);
        }
    }
    mapping.complete(&mut row);
    Ok(row)
}

fn from_line(mapping: &Mapping, line: &[u8]) -> Result<Map<String, Value>, String> {
    let object: Map<String, Value> =
        serde_json::from_slice(line).map_err(|error| format!("not a JSON object: {error}"))?;
    let mut row = Map::new();
    for (name, value) in object {
        match mapping.field_of(&name) {
            // The fields of a post keep their types.
            Some(field) => drop(row.entry(field).or_insert(value)),
            None if name == "location" => drop(row.insert(name, value)),
            None => {}
        }
    }
    mapping.complete(&mut row);
    Ok(row)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &'static str) -> Vec<Row> {
        let mut reader = Reader::new(Box::new(text.as_bytes()), None, Mapping::default()).unwrap();
        std::iter::from_fn(|| reader.next_row().unwrap()).collect()
    }

    fn field(row: &Row, name: &str) -> Value {
        row.fields.as_ref().unwrap()[name].clone()
    }

    #[test]
    fn rows_know_their_lines_whatever_stands_in_quotes() {
        let rows = rows("first_name,notes\nAda,\"one\ntwo\"\nBo,three\n");
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4]);
        assert_eq!(field(&rows[0], "notes"), "one\ntwo");
    }

    #[test]
    fn the_delimiter_is_told_by_the_first_line() {
        for text in ["first_name;tags\nAda;a", "first_name\ttags\nAda\ta"] {
            let rows = rows(text);
            assert_eq!(field(&rows[0], "first_name"), "Ada");
        }
    }

    #[test]
    fn a_row_of_another_length_is_a_row_that_makes_no_sense() {
        let rows = rows("first_name,notes\nAda\nBo,x\n");
        assert!(rows[0].fields.is_err());
        assert!(rows[1].fields.is_ok());
    }

    #[test]
    fn json_lines_keep_their_types_and_a_byte_order_mark_is_no_letter() {
        let json =
            rows("{\"first_name\":\"Ada\",\"tags\":[\"a\"],\"location\":[1.5,2]}\n\nnonsense\n");
        assert_eq!(field(&json[0], "tags"), serde_json::json!(["a"]));
        assert_eq!(field(&json[0], "location"), serde_json::json!([1.5, 2]));
        assert_eq!(json[1].line, 3);
        assert!(json[1].fields.is_err());
        let marked = rows("\u{feff}{\"first_name\":\"Ada\"}");
        assert_eq!(field(&marked[0], "first_name"), "Ada");
        let marked = rows("\u{feff}first_name,last_name\nAda,L\n");
        assert_eq!(field(&marked[0], "first_name"), "Ada");
    }

    #[test]
    fn two_numbers_are_a_location() {
        let rows = rows("latitude,longitude,tags\n45.5,-93.25,a;b\n,,\n1,x,\n");
        assert_eq!(
            field(&rows[0], "location"),
            serde_json::json!([45.5, -93.25])
        );
        assert_eq!(field(&rows[0], "tags"), serde_json::json!(["a", "b"]));
        assert!(rows[1].fields.as_ref().unwrap().is_empty());
        assert_eq!(field(&rows[2], "location"), serde_json::json!([1.0, "x"]));
    }
}
