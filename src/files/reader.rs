//! The rows of a file.

use std::io::{self, BufRead, Read};

use csv::{ByteRecord, StringRecord};
use serde_json::{Map, Value};

use super::Format;
use super::bounded::Bounded;
use super::mapping::{Mapping, MappingError, fill};

/// Columns of a file of refused rows, which are no fields.
pub const LINE: &str = "_line";
/// Likewise.
pub const ERROR: &str = "_error";
/// A line that is no JSON object, in a file of refused rows.
pub const TEXT: &str = "_text";

/// What some programs begin a text in UTF-8 with.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The most bytes of a row: what a body of the API may have. So a file without an end to its lines,
/// or its quotes, does not fill the memory.
const LONGEST_ROW: u64 = 8 * 1024 * 1024;

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

impl Raw {
    /// How many bytes it has.
    #[must_use]
    pub fn length(&self) -> usize {
        match self {
            Self::Cells(cells) => cells.as_slice().len(),
            Self::Line(line) => line.len(),
        }
    }
}

/// Reads a file from its start.
pub struct Reader {
    rows: Rows,
    mapping: Mapping,
}

enum Rows {
    Cells {
        csv: Box<csv::Reader<Bounded>>,
        columns: Vec<String>,
        delimiter: u8,
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
            .from_reader(Bounded::new(text, LONGEST_ROW));
        let header = csv.headers().map_err(no_header)?;
        let columns: Vec<String> = header.iter().map(ToOwned::to_owned).collect();
        if columns.is_empty() {
            return Err(ReadError::NoHeader);
        }
        let fields = mapping.fields(&columns)?;
        Ok(Self {
            rows: Rows::Cells {
                csv: Box::new(csv),
                columns,
                delimiter,
                fields,
            },
            mapping,
        })
    }

    /// The columns, and what stands between them, where there are any.
    #[must_use]
    pub fn columns(&self) -> Option<(&[String], u8)> {
        match &self.rows {
            Rows::Cells {
                columns, delimiter, ..
            } => Some((columns, *delimiter)),
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

    /// The next row; none at the end. A row without anything in it is none: spreadsheets write
    /// them below the last one.
    ///
    /// # Errors
    /// When the bytes cannot be had, or a row has no end. One that makes no sense is no such error.
    pub fn next_row(&mut self) -> Result<Option<Row>, io::Error> {
        match &mut self.rows {
            Rows::Cells {
                csv,
                columns,
                fields,
                ..
            } => {
                let Some((line, record)) = next_record(csv)? else {
                    return Ok(None);
                };
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
            Rows::Lines { lines, line } => {
                let Some(bytes) = next_line(lines, line)? else {
                    return Ok(None);
                };
                let text = String::from_utf8_lossy(&bytes).trim().to_owned();
                Ok(Some(Row {
                    line: *line,
                    raw: Raw::Line(text),
                    fields: from_line(&self.mapping, &bytes),
                }))
            }
        }
    }
}

fn no_header(error: csv::Error) -> ReadError {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => ReadError::Io(error),
        _ => ReadError::NoHeader,
    }
}

/// The next record that is not blank, and the line on which it begins.
fn next_record(csv: &mut csv::Reader<Bounded>) -> Result<Option<(u64, ByteRecord)>, io::Error> {
    let mut record = ByteRecord::new();
    loop {
        csv.get_mut().begin();
        let before = csv.position().line();
        let is_half = csv.get_ref().before(csv.position().byte()) == Some(b'\r');
        let begins = before + u64::from(is_half);
        match csv.read_byte_record(&mut record) {
            Err(_) if csv.get_ref().is_exhausted() => return Err(without_end(begins)),
            found => {
                if !found? {
                    return Ok(None);
                }
            }
        }
        if record.iter().any(|cell| !cell.trim_ascii().is_empty()) {
            return Ok(Some((first_line(csv, before, &record), record)));
        }
    }
}

/// The line on which a record begins that was just read. The reader counts what ends lines, where it
/// was `before` and where it is now: blank lines ahead of the record are among that, and the second
/// character of a pair is read only with the next record.
fn first_line(csv: &csv::Reader<Bounded>, before: u64, record: &ByteRecord) -> u64 {
    let within = record.as_slice().split(|byte| *byte == b'\n').count() as u64 - 1;
    let ended = csv.get_ref().before(csv.position().byte()) == Some(b'\n');
    let ahead = (csv.position().line() - before).saturating_sub(within + u64::from(ended));
    before + ahead
}

/// The next line that is not blank, with its end.
fn next_line(lines: &mut dyn BufRead, line: &mut u64) -> Result<Option<Vec<u8>>, io::Error> {
    loop {
        let mut bytes = Vec::new();
        let mut bounded = lines.take(LONGEST_ROW);
        if bounded.read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        *line += 1;
        if bounded.limit() == 0 && bytes.last() != Some(&b'\n') {
            return Err(without_end(*line));
        }
        if !bytes.trim_ascii().is_empty() {
            return Ok(Some(bytes));
        }
    }
}

fn without_end(line: u64) -> io::Error {
    let most = LONGEST_ROW / 1024 / 1024;
    io::Error::other(format!(
        "the row that begins on line {line} is longer than {most} MiB: is a quote left open there?"
    ))
}

/// The character that separates most columns of the first line.
fn delimiter(start: &[u8]) -> u8 {
    let mut quoted = false;
    let line: Vec<u8> = start
        .iter()
        .copied()
        .skip_while(|byte| matches!(byte, b'\r' | b'\n'))
        .take_while(|byte| !matches!(byte, b'\r' | b'\n'))
        .filter(|byte| {
            quoted ^= *byte == b'"';
            !quoted
        })
        .collect();
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
    if object.contains_key(TEXT) {
        return Err(format!(
            "{TEXT}: Must be mended, to the fields of a customer"
        ));
    }
    let mut row = Map::new();
    for (name, value) in object {
        match mapping.field_of(&name) {
            // The fields of a post keep their types.
            Some(field) => fill(&mut row, field, value),
            None if name == "location" => drop(row.insert(name, value)),
            None => {}
        }
    }
    mapping.complete(&mut row);
    Ok(row)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

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
        let rows = rows("latitude,longitude,tags\n45.5,-93.25,a;b\n,,a\n1,x,\n");
        assert_eq!(
            field(&rows[0], "location"),
            serde_json::json!([45.5, -93.25])
        );
        assert_eq!(field(&rows[0], "tags"), serde_json::json!(["a", "b"]));
        assert!(!rows[1].fields.as_ref().unwrap().contains_key("location"));
        assert_eq!(field(&rows[2], "location"), serde_json::json!([1.0, "x"]));
    }

    #[test]
    fn lines_are_counted_whatever_ends_them_and_however_many_are_blank() {
        for text in [
            "first_name\nAda\n\n\nBo\n",
            "first_name\r\nAda\r\n\r\n\r\nBo\r\n",
            "first_name\nAda\n\n\nBo",
            "first_name\r\nAda\r\n\n\r\n\"B\no\"",
            "{\"first_name\":\"x\"}\n{}\n\n\n{}",
        ] {
            let lines: Vec<u64> = rows(text).iter().map(|row| row.line).collect();
            assert_eq!(lines[lines.len() - 2..], [2, 5], "{text:?}");
        }
    }

    #[test]
    fn rows_without_anything_in_them_are_none() {
        let rows = rows("first_name,last_name\n,\nAda,L\n , \n,\n,,,\n\n");
        assert_eq!(rows.len(), 1);
        assert_eq!(field(&rows[0], "last_name"), "L");
    }

    #[test]
    fn separators_within_quotes_separate_nothing() {
        let rows = rows("\"a;b;c;d\",first_name\nx,Ada\n");
        assert_eq!(field(&rows[0], "first_name"), "Ada");
    }

    #[test]
    fn a_row_without_an_end_is_no_longer_read_than_a_row_may_be() {
        for start in ["first_name,notes\r\nAda,\"open\n", "{\"first_name\":\""] {
            let endless = Endless {
                start: start.as_bytes(),
                read: Rc::default(),
            };
            let read = endless.read.clone();
            let text = Box::new(io::BufReader::new(endless));
            let mut reader = Reader::new(text, None, Mapping::default()).unwrap();
            let error = reader.next_row().unwrap_err().to_string();
            let line = if start.starts_with('{') { 1 } else { 2 };
            assert!(error.contains(&format!("line {line} ")), "{error}");
            assert!(read.get() < LONGEST_ROW + 100_000, "{read:?}");
        }
    }

    /// A text that goes on with one letter, up to more than any row may have.
    struct Endless {
        start: &'static [u8],
        read: Rc<Cell<u64>>,
    }

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.read.get() > 8 * LONGEST_ROW {
                return Ok(0);
            }
            buffer.fill(b'x');
            let begun = self.start.read(buffer)?;
            let read = if begun > 0 { begun } else { buffer.len() };
            self.read.set(self.read.get() + read as u64);
            Ok(read)
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_for_a_file_without_columns() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let text = Box::new(io::BufReader::new(b"first_name,last".chain(Broken)));
        let error = Reader::new(text, None, Mapping::default()).err().unwrap();
        assert_eq!(error.to_string(), "broken");
    }

    #[test]
    fn null_is_no_value_where_there_is_another() {
        let row = &rows(
            "{\"phone\":null,\"Phone Number\":\"763-555-0100\",\"latitude\":null,\"longitude\":null}",
        )[0];
        assert_eq!(field(row, "phone"), "763-555-0100");
        assert_eq!(field(row, "location"), Value::Null);

        let mapping = Mapping {
            constants: ["source=fair", "tags=new", "status=active"]
                .map(|constant| constant.parse().unwrap())
                .into(),
            ..Mapping::default()
        };
        let line = b"{\"source\":null,\"tags\":null,\"status\":\"inactive\"}";
        let row = from_line(&mapping, line).unwrap();
        assert_eq!(
            Value::Object(row),
            serde_json::json!({"source": "fair", "tags": ["new"], "status": "inactive"})
        );
    }
}
