//! `clientele import`: customers from a file.

mod rows;
mod work;

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;
use sha2::{Digest, Sha256};

use self::rows::Ids;
use self::work::Work;
use super::stop::Stop;
use super::{CliError, at};
use crate::domain::CompanyId;
use crate::files::Format;
use crate::files::mapping::{Assignment, Mapping, Preset};
use crate::files::rejects::Rejects;
use crate::files::source::Source;
use crate::store::{Checkpoint, Store};

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

pub async fn run(store: &Store, import: Import) -> Result<(), CliError> {
    let mut stop = Stop::listen()?;
    let company = super::company(store, import.company).await?;
    let customers = store.customers(company);
    let Some(source) = import.source(&mut stop).await? else {
        return Err(CliError::Interrupted(0));
    };
    let fingerprint = import.fingerprint(&source);
    // Before anybody looks how far it has come: who else writes this file may go on meanwhile.
    let rejects = import.open_rejects()?;
    let begun = customers.import_so_far(&fingerprint).await?;
    let mut work = Work::begin(&import, company.default_region, source, rejects, begun)?;
    let mut rehearsal = import.dry_run.then(|| customers.rehearsal());
    while let Some(batch) = work.read()? {
        let done = work.done(&customers, rehearsal.as_mut(), &fingerprint, batch);
        let told = unless_told(&mut stop, done).await?;
        if told {
            return Err(work.interrupted());
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

    /// The file; none when this was told to stop before it was read.
    async fn source(&self, stop: &mut Stop) -> Result<Option<Source>, CliError> {
        let (tell, opened) = tokio::sync::oneshot::channel();
        let path = self.file.clone();
        // In a thread that the program's end does not wait for: standard input may never end.
        std::thread::spawn(move || tell.send(Source::open(&path)));
        tokio::select! {
            opened = opened => {
                let opened = opened.map_err(io::Error::other)?;
                opened.map(Some).map_err(|error| at(&self.file, &error))
            }
            () = stop.told() => Ok(None),
        }
    }

    fn open_rejects(&self) -> Result<Option<Rejects>, CliError> {
        let Some(path) = &self.rejects else {
            return Ok(None);
        };
        if same_file(path, &self.file) {
            return Err(CliError::Argument(
                "--rejects: Must be another file than the one to import".to_owned(),
            ));
        }
        let opened = Rejects::open(path).map_err(|error| at(path, &error))?;
        Ok(Some(opened))
    }

    /// How many bytes of the file of refused rows are kept, of an import that is at `begun`.
    fn kept(&self, rejects: &Rejects, begun: Checkpoint) -> Result<u64, CliError> {
        let length = u64::try_from(begun.rejects_length).unwrap_or(0);
        if !self.dry_run {
            return Ok(length);
        }
        if length > 0 && !rejects.is_empty()? {
            return Err(CliError::Argument(
                "--rejects: Must be another file for a dry run: this one may be that of the import, \
                which broke off and goes on with it"
                    .to_owned(),
            ));
        }
        Ok(0)
    }
}

fn same_file(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| path.canonicalize().ok();
    real(one).is_some_and(|one| Some(one) == real(other))
}
