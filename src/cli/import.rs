//! `clientele import`: customers from a file.

use std::io;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Datelike, Utc};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::stop::Stop;
use super::{CliError, print};
use crate::domain::phone::DefaultRegion;
use crate::domain::working_set::{self, Origin, Refusal};
use crate::domain::{CompanyId, FieldError};
use crate::files::Format;
use crate::files::mapping::{Assignment, Mapping, Preset};
use crate::files::reader::{Reader, Row};
use crate::files::rejects::Rejects;
use crate::files::source::Source;
use crate::http::wire::upsert::UpsertRequest;
use crate::store::{Checkpoint, Customers, Rehearsal, Results, Store, Tally};

/// Rows that are done together.
const BATCH: usize = 1_000;
/// Refused rows that are told on standard error.
const TOLD: i64 = 20;

/// How it is called.
pub const EXAMPLES: &str = "\
Examples:
  clientele import customers.csv --company ID --dry-run
  clientele import customers.csv.gz --company ID --map Ring=phone --set source=fair --rejects rejects.csv
  clientele import export.csv --company ID --preset field-service
  zcat old.csv.gz | clientele import - --company ID --ids restore";

/// What to import, and how.
#[derive(Debug, Args)]
pub struct Import {
    /// A file of CSV, TSV or NDJSON, plain or compressed with gzip or Zstandard; `-` for standard
    /// input
    file: PathBuf,
    /// The company
    #[arg(long)]
    company: CompanyId,
    /// csv, tsv or ndjson; told by the text itself without it
    #[arg(long)]
    format: Option<Format>,
    /// A column that is a field by another name; `column=` leaves the column out
    #[arg(long = "map", value_name = "COLUMN=FIELD")]
    columns: Vec<Assignment>,
    /// A value for rows that have none
    #[arg(long = "set", value_name = "FIELD=VALUE")]
    constants: Vec<Assignment>,
    /// Names of columns as other tools write them
    #[arg(long)]
    preset: Option<Preset>,
    /// What stands between tags in a cell
    #[arg(long, default_value_t = crate::files::writer::TAG_SEPARATOR)]
    tag_separator: char,
    /// What the column `id` is for
    #[arg(long, value_enum, default_value_t = Ids::Update)]
    ids: Ids,
    /// Only tell what would be done
    #[arg(long)]
    dry_run: bool,
    /// Where refused rows go, to be mended and imported again
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

/// What the ids in a file are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Ids {
    /// They name customers to update, which must be there
    Update,
    /// They are another program's: customers are matched by phone and e-mail
    Ignore,
    /// Customers that are not there are made with them, and with their dates
    Restore,
}

/// An import under way.
struct Work<'a> {
    import: &'a Import,
    reader: Reader,
    rejects: Option<Rejects>,
    progress: ProgressBar,
    at: Checkpoint,
    /// Rows done since it was started.
    here: u32,
    told: i64,
    region: DefaultRegion,
}

/// A row as it was read, and the upsert that it is or the reasons why it is none.
type Read = (Row, Result<working_set::Row, String>);

pub async fn run(store: &Store, import: Import) -> Result<(), CliError> {
    let mut stop = Stop::listen()?;
    let company = super::company(store, import.company).await?;
    let customers = store.customers(company);
    let source = Source::open(&import.file).map_err(|error| at(&import.file, &error))?;
    let fingerprint = import.fingerprint(&source);
    let begun = if import.dry_run {
        None
    } else {
        customers.import_so_far(&fingerprint).await?
    };
    let mut work = Work::begin(
        &import,
        company.default_region,
        &source,
        begun.unwrap_or_default(),
    )?;
    if let Some(begun) = begun {
        eprintln!(
            "going on behind row {}, where this import broke off",
            begun.done
        );
    }
    let mut rehearsal = import.dry_run.then(|| customers.rehearsal());
    while let Some(rows) = work.read()? {
        let done = work.done(&customers, rehearsal.as_mut(), &fingerprint, rows);
        let told = unless_told(&mut stop, done).await?;
        if told {
            work.progress.finish_and_clear();
            return Err(CliError::Interrupted(work.at.done));
        }
    }
    if !import.dry_run {
        customers.finish_import(&fingerprint).await?;
    }
    work.end()
}

/// Finishes what is under way, so that it is known how far this came; the answer is whether to stop
/// then.
async fn unless_told(
    stop: &mut Stop,
    done: impl Future<Output = Result<(), CliError>>,
) -> Result<bool, CliError> {
    tokio::pin!(done);
    tokio::select! {
        done = &mut done => done.map(|()| false),
        () = stop.told() => done.await.map(|()| true),
    }
}

impl Import {
    /// What tells this import from others: the file, and how it is read.
    fn fingerprint(&self, source: &Source) -> [u8; 32] {
        let how = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            self.format, self.columns, self.constants, self.preset, self.tag_separator, self.ids
        );
        let mut hash = Sha256::new();
        hash.update(source.fingerprint);
        hash.update(how);
        hash.finalize().into()
    }

    fn mapping(&self) -> Mapping {
        Mapping {
            columns: self.columns.clone(),
            constants: self.constants.clone(),
            preset: self.preset,
            tag_separator: self.tag_separator,
        }
    }

    /// The upsert that a row is.
    fn upsert(&self, row: &Row, region: DefaultRegion) -> Result<working_set::Row, String> {
        let mut fields = row.fields.clone()?;
        let dates = (fields.remove("created_at"), fields.remove("archived_at"));
        let origin = match self.ids {
            Ids::Update => None,
            Ids::Ignore => {
                fields.remove("id");
                None
            }
            Ids::Restore => Some(origin(&fields, dates)?),
        };
        let request = UpsertRequest::from_fields(fields).map_err(|errors| reasons(&errors))?;
        Ok(working_set::Row::new(
            request.id,
            request.change,
            origin,
            region,
        ))
    }
}

fn origin(
    fields: &Map<String, Value>,
    (created_at, archived_at): (Option<Value>, Option<Value>),
) -> Result<Origin, String> {
    if !fields.contains_key("id") {
        return Err("id: There is none to restore".to_owned());
    }
    Ok(Origin {
        created_at: time("created_at", created_at)?,
        archived_at: time("archived_at", archived_at)?,
    })
}

fn time(name: &str, value: Option<Value>) -> Result<Option<DateTime<Utc>>, String> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value
            .as_str()
            .and_then(|text| text.trim().parse::<DateTime<Utc>>().ok())
            // What a database can keep.
            .filter(|time| (1..=9_999).contains(&time.year()))
            .map(Some)
            .ok_or_else(|| format!("{name}: Must be a time as in 2026-01-31T12:00:00Z")),
    }
}

fn reasons(errors: &[FieldError]) -> String {
    let reasons: Vec<String> = errors
        .iter()
        .map(|error| format!("{}: {}", error.field, error.message))
        .collect();
    reasons.join("; ")
}

impl<'a> Work<'a> {
    /// Opens the files, and goes to where the import is.
    fn begin(
        import: &'a Import,
        region: DefaultRegion,
        source: &Source,
        at: Checkpoint,
    ) -> Result<Self, CliError> {
        let progress = ProgressBar::new(source.length).with_style(
            ProgressStyle::with_template("{wide_bar} {percent}% {msg} {eta} left")
                .map_err(io::Error::other)?,
        );
        let bar = progress.clone();
        let text = source.text(move |read| bar.set_position(read))?;
        let reader = Reader::new(text, import.format, import.mapping())
            .map_err(|error| CliError::Argument(error.to_string()))?;
        let ignored = reader.ignored();
        if !ignored.is_empty() {
            eprintln!("columns left out: {}", ignored.join(", "));
        }
        let rejects = match &import.rejects {
            Some(path) if same_file(path, &import.file) => {
                return Err(CliError::Argument(
                    "--rejects: Must be another file than the one to import".to_owned(),
                ));
            }
            Some(path) => {
                let length = u64::try_from(at.rejects_length).unwrap_or(0);
                let opened = Rejects::open(path, reader.columns(), length);
                Some(opened.map_err(|error| self::at(path, &error))?)
            }
            None => None,
        };
        let mut work = Self {
            import,
            reader,
            rejects,
            progress,
            at,
            here: 0,
            told: 0,
            region,
        };
        for _ in 0..at.done {
            work.reader.next_row()?;
        }
        Ok(work)
    }

    /// The next rows; none at the end.
    fn read(&mut self) -> Result<Option<Vec<Read>>, CliError> {
        let mut rows = Vec::with_capacity(BATCH);
        while rows.len() < BATCH
            && let Some(row) = self.reader.next_row()?
        {
            let upsert = self.import.upsert(&row, self.region);
            rows.push((row, upsert));
        }
        Ok((!rows.is_empty()).then_some(rows))
    }

    /// Does some rows.
    async fn done(
        &mut self,
        customers: &Customers,
        rehearsal: Option<&mut Rehearsal>,
        fingerprint: &[u8; 32],
        rows: Vec<Read>,
    ) -> Result<(), CliError> {
        let upserts: Vec<working_set::Row> = rows
            .iter()
            .filter_map(|(_, upsert)| upsert.clone().ok())
            .collect();
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
        for (row, upsert) in rows {
            let refusal = match upsert {
                Err(reason) => Some(reason.clone()),
                Ok(_) => match results.next() {
                    Some(Ok(upserted)) => {
                        at.tally.count(Some(upserted.outcome));
                        None
                    }
                    Some(Err(refusal)) => Some(why(refusal)),
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

    fn refuse(&mut self, row: &Row, reason: &str) -> Result<(), CliError> {
        if let Some(rejects) = &mut self.rejects {
            rejects.add(row, reason)?;
        }
        self.told += 1;
        if self.told <= TOLD {
            let line = row.line;
            self.progress.suspend(|| eprintln!("line {line}: {reason}"));
        } else if self.told == TOLD + 1 {
            self.progress
                .suspend(|| eprintln!("further refused rows are only counted"));
        }
        Ok(())
    }

    /// Tells what was done.
    fn end(self) -> Result<(), CliError> {
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
        print(&format!(
            "{done} rows in {seconds:.1} s: {would_be}{created} created, {updated} updated, \
            {unchanged} unchanged, {refused} refused"
        ))?;
        if refused > 0 {
            return Err(CliError::Refused(refused));
        }
        Ok(())
    }
}

fn why(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NotFound => {
            "id: No such customer (--ids ignore matches by phone and e-mail, --ids restore makes it)"
                .to_owned()
        }
        Refusal::Field(error) => reasons(std::slice::from_ref(error)),
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(one).is_some_and(|one| Some(one) == real(other))
}

fn at(path: &Path, error: &io::Error) -> CliError {
    CliError::Argument(format!("{}: {error}", path.display()))
}
