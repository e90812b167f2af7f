//! An import under way.

use std::io;

use indicatif::{ProgressBar, ProgressStyle};

use super::{Import, rows};
use crate::cli::{self, CliError, print};
use crate::domain::phone::DefaultRegion;
use crate::domain::working_set;
use crate::files::reader::{Raw, Reader};
use crate::files::rejects::Rejects;
use crate::files::source::Source;
use crate::store::{Checkpoint, Customers, Rehearsal, Results, Tally};

/// The most rows that are done together,
const ROWS: usize = 1_000;
/// and the bytes that are enough, however few rows they are: a batch is held in memory.
const BYTES: usize = 8 * 1024 * 1024;
/// Refused rows that are told on standard error.
const TOLD: i64 = 20;

/// An import that is being done.
pub struct Work<'a> {
    import: &'a Import,
    source: Source,
    reader: Reader,
    rejects: Option<Rejects>,
    progress: ProgressBar,
    at: Checkpoint,
    /// Rows done since it was started.
    here: u32,
    told: i64,
    region: DefaultRegion,
}

/// Rows that are done together.
pub struct Batch {
    rows: Vec<Read>,
    /// The upserts of those that are one.
    upserts: Vec<working_set::Row>,
}

/// A row as it was read.
struct Read {
    line: u64,
    raw: Raw,
    /// Why it is no upsert.
    reason: Option<String>,
}

impl<'a> Work<'a> {
    /// Begins an import, or goes on behind where it has `begun` to.
    pub fn begin(
        import: &'a Import,
        region: DefaultRegion,
        source: Source,
        mut rejects: Option<Rejects>,
        begun: Option<Checkpoint>,
    ) -> Result<Self, CliError> {
        let progress = ProgressBar::new(source.length).with_style(
            ProgressStyle::with_template("{wide_bar} {percent}% {msg} {eta} left")
                .map_err(io::Error::other)?,
        );
        let bar = progress.clone();
        let text = source.text(move |read| bar.set_position(read));
        let text = text.map_err(|error| cli::at(&import.file, &error))?;
        let reader = Reader::new(text, import.format, import.mapping())
            .map_err(|error| CliError::Argument(format!("{}: {error}", import.file.display())))?;
        let ignored = reader.ignored();
        if !ignored.is_empty() {
            eprintln!("columns left out: {}", ignored.join(", "));
        }
        let mut at = begun.unwrap_or_default();
        if let Some(begun) = begun {
            eprintln!(
                "going on behind row {}, where this import broke off",
                begun.done
            );
            warn_of_rows_in_no_file(rejects.is_some(), begun);
        }
        if let Some((rejects, path)) = rejects.as_mut().zip(import.rejects.as_ref()) {
            let kept = import.kept(rejects, at)?;
            let begun = rejects.begin(reader.columns(), kept);
            begun.map_err(|error| cli::at(path, &error))?;
        } else {
            at.rejects_length = 0;
        }
        let mut work = Self {
            import,
            source,
            reader,
            rejects,
            progress,
            at,
            here: 0,
            told: 0,
            region,
        };
        for _ in 0..at.done {
            work.next_row()?;
        }
        Ok(work)
    }

    /// The next rows; none at the end.
    pub fn read(&mut self) -> Result<Option<Batch>, CliError> {
        let mut batch = Batch {
            rows: Vec::with_capacity(ROWS),
            upserts: Vec::with_capacity(ROWS),
        };
        let mut bytes = 0;
        while batch.rows.len() < ROWS
            && bytes < BYTES
            && let Some(row) = self.next_row()?
        {
            bytes += row.raw.length();
            let upsert = |fields| self.import.ids.upsert(fields, self.region);
            let reason = match row.fields.and_then(upsert) {
                Ok(upsert) => {
                    batch.upserts.push(upsert);
                    None
                }
                Err(reason) => Some(reason),
            };
            batch.rows.push(Read {
                line: row.line,
                raw: row.raw,
                reason,
            });
        }
        if !self.source.is_unchanged()? {
            let changed = "it was changed while it was imported: import it again";
            return Err(cli::at(&self.import.file, &io::Error::other(changed)));
        }
        Ok((!batch.rows.is_empty()).then_some(batch))
    }

    fn next_row(&mut self) -> Result<Option<crate::files::reader::Row>, CliError> {
        let row = self.reader.next_row();
        row.map_err(|error| cli::at(&self.import.file, &error))
    }

    /// Does some rows.
    pub async fn done(
        &mut self,
        customers: &Customers,
        rehearsal: Option<&mut Rehearsal>,
        fingerprint: &[u8; 32],
        Batch { rows, upserts }: Batch,
    ) -> Result<(), CliError> {
        let before = self.at;
        self.at = if let Some(rehearsal) = rehearsal {
            let results = rehearsal.upsert_many(&upserts).await?;
            self.note(&rows, &results)?
        } else {
            let note = |results: &Results| self.note(&rows, results);
            let after = customers
                .import(fingerprint, before, &upserts, note)
                .await?;
            after.ok_or_else(|| {
                CliError::Argument("this file is being imported by somebody else".to_owned())
            })?
        };
        self.here += u32::try_from(rows.len()).unwrap_or(u32::MAX);
        let rate = f64::from(self.here) / self.progress.elapsed().as_secs_f64();
        let message = format!("{} rows, {rate:.0}/s,", self.at.done);
        self.progress.set_message(message);
        Ok(())
    }

    /// What became of rows: counted, and those refused written down.
    fn note(&mut self, rows: &[Read], results: &Results) -> Result<Checkpoint, CliError> {
        let mut at = self.at;
        let mut results = results.iter();
        for row in rows {
            let refusal = match &row.reason {
                Some(reason) => Some(reason.clone()),
                None => match results.next() {
                    Some(Ok(upserted)) => {
                        at.tally.count(Some(upserted.outcome));
                        None
                    }
                    Some(Err(refusal)) => Some(rows::why(refusal)),
                    None => None,
                },
            };
            if let Some(reason) = refusal {
                at.tally.count(None);
                self.refuse(row, &reason)?;
            }
            at.done += 1;
        }
        if let Some(rejects) = &mut self.rejects {
            at.rejects_length = i64::try_from(rejects.sync()?).unwrap_or(i64::MAX);
        }
        Ok(at)
    }

    fn refuse(&mut self, row: &Read, reason: &str) -> Result<(), CliError> {
        let line = row.line;
        if let Some(rejects) = &mut self.rejects {
            rejects.add(line, &row.raw, reason)?;
        }
        self.told += 1;
        if self.told <= TOLD {
            self.progress.suspend(|| eprintln!("line {line}: {reason}"));
        } else if self.told == TOLD + 1 {
            self.progress
                .suspend(|| eprintln!("further refused rows are only counted"));
        }
        Ok(())
    }

    /// Stops before the end.
    pub fn interrupted(self) -> CliError {
        self.progress.finish_and_clear();
        CliError::Interrupted(self.at.done)
    }

    /// Tells what was done.
    pub fn end(self) -> Result<(), CliError> {
        let seconds = self.progress.elapsed().as_secs_f64();
        self.progress.finish_and_clear();
        let Checkpoint {
            done,
            tally:
                Tally {
                    created,
                    updated,
                    unchanged,
                    refused,
                },
            ..
        } = self.at;
        let would_be = if self.import.dry_run { "would be " } else { "" };
        let told = print(&format!(
            "{done} rows in {seconds:.1} s: {would_be}{created} created, {updated} updated, \
            {unchanged} unchanged, {refused} refused"
        ));
        if refused > 0 {
            return Err(CliError::Refused(refused));
        }
        told
    }
}

/// Says of which refused rows nothing is kept: of all of them where there was a file before and is
/// none now, of the first ones where it is the other way round.
fn warn_of_rows_in_no_file(has_rejects: bool, begun: Checkpoint) {
    if begun.rejects_length > 0 && !has_rejects {
        eprintln!("it was begun with --rejects: rows refused from here on are in no file");
    }
    if begun.rejects_length == 0 && has_rejects && begun.tally.refused > 0 {
        let refused = begun.tally.refused;
        eprintln!("it went without --rejects until here: {refused} refused rows are in no file");
    }
}
