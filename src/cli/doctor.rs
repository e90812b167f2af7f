//! `clientele doctor`: whether all is well, and what to do where it is not.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;

use nix::sys::statvfs::statvfs;

use super::database::Database;
use super::{CliError, print};
use crate::config::Settings;
use crate::store::doctor::{self, Facts};
use crate::store::migrate::{self, MigrateError};

/// The oldest `PostgreSQL` that is supported.
const OLDEST: i32 = 150_000;
/// From this many milliseconds on clocks are apart.
const APART: i64 = 2_000;
/// Less free space than this, in bytes, is little.
const LITTLE: u64 = 1 << 30;
/// Sessions that are left to others: the operator, backups, monitoring.
const SPARE: usize = 10;

/// What came of a check.
enum Verdict {
    Well(String),
    /// It runs, but not as it could: what was found, and what to do.
    Warning(String, &'static str),
    /// It does not run.
    Failure(String, &'static str),
}

use Verdict::{Failure, Warning, Well};

/// Checks all there is; the settings were read by then.
pub async fn run(settings: &Settings) -> Result<(), CliError> {
    let mut report = Report::default();
    report.tell("address", &address(settings.bind))?;
    let examined = Database::with(settings, async |database| {
        examine(&mut report, settings, database).await
    })
    .await;
    match examined {
        Ok(()) => {}
        Err(CliError::Io(error)) => return Err(error.into()),
        Err(error) => report.tell(
            "database",
            &Failure(
                error.to_string(),
                "see that it runs, and that DATABASE_URL names its host, user and password",
            ),
        )?,
    }
    match report.failures {
        0 => Ok(()),
        failures => Err(CliError::Unwell(failures)),
    }
}

#[derive(Default)]
struct Report {
    failures: usize,
}

impl Report {
    fn tell(&mut self, name: &str, verdict: &Verdict) -> Result<(), CliError> {
        let (word, found, advice) = match verdict {
            Well(found) => ("ok", found, None),
            Warning(found, advice) => ("warn", found, Some(advice)),
            Failure(found, advice) => {
                self.failures += 1;
                ("FAIL", found, Some(advice))
            }
        };
        print(&format!("{word:5} {name:12} {found}"))?;
        advice.map_or(Ok(()), |advice| print(&format!("{:18} -> {advice}", "")))
    }
}

async fn examine(
    report: &mut Report,
    settings: &Settings,
    database: &Database,
) -> Result<(), CliError> {
    if let Some(embedded) = database.embedded() {
        report.tell("disk", &disk(embedded.data_dir()))?;
    }
    let facts = doctor::facts(database.url()).await?;
    let milliseconds = facts.round_trip.as_secs_f64() * 1e3;
    let reached = format!("reached, answers in {milliseconds:.1} ms");
    report.tell("database", &Well(reached))?;
    report.tell("version", &version(&facts))?;
    report.tell("text", &text(&facts))?;
    report.tell("extensions", &extensions(&facts))?;
    report.tell("rights", &rights(&facts))?;
    report.tell("durability", &durability(&facts))?;
    report.tell(
        "connections",
        &connections(&facts, settings.limits.connections),
    )?;
    report.tell("clock", &clock(&facts))?;
    report.tell("indexes", &indexes(&facts))?;
    let checked = migrate::check(database.url()).await;
    let is_current = checked.is_ok();
    report.tell("schema", &schema(checked)?)?;
    if is_current {
        let older = doctor::has_older_rules(database.url()).await?;
        report.tell("search", &rules(older))?;
    }
    Ok(())
}

fn address(address: SocketAddr) -> Verdict {
    match TcpListener::bind(address) {
        Ok(_) => Well(format!("{address} is free")),
        Err(error) => Warning(
            format!("{address}: {error}"),
            "well if clientele is serving there; else choose another by CLIENTELE_BIND",
        ),
    }
}

fn disk(data_dir: &Path) -> Verdict {
    let free = match statvfs(data_dir) {
        Ok(disk) => disk.blocks_available() * disk.fragment_size(),
        Err(error) => return Warning(format!("{}: {error}", data_dir.display()), "look at it"),
    };
    let found = format!("{} MB free at {}", free >> 20, data_dir.display());
    if free < LITTLE {
        Warning(
            found,
            "make room, or move CLIENTELE_DATA_DIR to a larger disk",
        )
    } else {
        Well(found)
    }
}

fn version(facts: &Facts) -> Verdict {
    let found = format!("PostgreSQL {}", facts.version);
    if facts.version_number < OLDEST {
        Failure(found, "upgrade to PostgreSQL 15 or newer")
    } else {
        Well(found)
    }
}

fn text(facts: &Facts) -> Verdict {
    let found = format!("{}, lc_ctype {}", facts.encoding, facts.ctype);
    if facts.encoding != "UTF8" {
        Failure(found, "make the database anew with encoding 'UTF8'")
    } else if matches!(facts.ctype.as_str(), "C" | "POSIX") {
        Warning(
            found,
            "phones and letters beyond ASCII are found slowly: make the database anew with \
            lc_ctype 'C.UTF-8'",
        )
    } else {
        Well(found)
    }
}

fn extensions(facts: &Facts) -> Verdict {
    if !facts.absent_extensions.is_empty() {
        Failure(
            format!("not installed: {}", facts.absent_extensions.join(", ")),
            "install the package with PostgreSQL's contrib modules (postgresql-contrib)",
        )
    } else if facts.missing_extensions.is_empty() {
        Well("pg_trgm, btree_gin".to_owned())
    } else {
        Warning(
            format!(
                "not in the database: {}",
                facts.missing_extensions.join(", ")
            ),
            "`clientele migrate` creates them",
        )
    }
}

fn rights(facts: &Facts) -> Verdict {
    if facts.is_standby {
        Failure(
            "the server is a standby, which takes no writes".to_owned(),
            "let DATABASE_URL lead to the primary",
        )
    } else if !facts.may_write {
        Failure(
            "this role may not write customers".to_owned(),
            "use the role that ran the migrations, or grant it select, insert, update and delete",
        )
    } else if facts.may_create {
        Well("may write, and migrate".to_owned())
    } else {
        Warning(
            "may write, but not make tables".to_owned(),
            "give `clientele migrate` a role that may, and serve with CLIENTELE_MIGRATE=false",
        )
    }
}

fn durability(facts: &Facts) -> Verdict {
    let found = format!(
        "fsync {}, synchronous_commit {}",
        if facts.fsync { "on" } else { "off" },
        facts.synchronous_commit
    );
    if facts.fsync && facts.synchronous_commit != "off" {
        Well(found)
    } else {
        Warning(
            found,
            "a crash may lose what was acknowledged: set both to on",
        )
    }
}

fn connections(facts: &Facts, wanted: usize) -> Verdict {
    if facts.is_pooled {
        return Well(format!("{wanted} wanted, through a pooler"));
    }
    let found = format!("{wanted} wanted of {} there are", facts.max_connections);
    let most = usize::try_from(facts.max_connections).unwrap_or(0);
    if wanted > most {
        Failure(
            found,
            "lower CLIENTELE_DB_CONNECTIONS, or raise the server's max_connections",
        )
    } else if wanted + SPARE > most {
        Warning(found, "few are left for others, such as backups")
    } else {
        Well(found)
    }
}

fn clock(facts: &Facts) -> Verdict {
    let found = format!("the server's is {} ms ahead", facts.clock_ahead);
    if facts.clock_ahead.abs() > APART {
        Warning(
            found,
            "keys expire by this machine's clock, customers are created by the server's: \
            synchronise both (NTP)",
        )
    } else {
        Well(found)
    }
}

fn indexes(facts: &Facts) -> Verdict {
    if facts.invalid_indexes.is_empty() {
        Well("none is broken".to_owned())
    } else {
        Warning(
            format!("broken: {}", facts.invalid_indexes.join(", ")),
            "their making was interrupted: `clientele migrate` goes on with ours; drop others",
        )
    }
}

fn schema(checked: Result<(), MigrateError>) -> Result<Verdict, CliError> {
    Ok(match checked {
        Ok(()) => Well("the newest".to_owned()),
        Err(error @ MigrateError::Older { .. }) => Failure(
            error.to_string(),
            "`clientele serve` does so too, unless CLIENTELE_MIGRATE=false",
        ),
        Err(error @ MigrateError::Newer { .. }) => {
            Failure(error.to_string(), "upgrade this program")
        }
        Err(error) => return Err(error.into()),
    })
}

fn rules(older: bool) -> Verdict {
    if older {
        Warning(
            "some customers are matched and searched by the rules of an older release".to_owned(),
            "run `clientele recompute`",
        )
    } else {
        Well("all customers are matched and searched by the newest rules".to_owned())
    }
}
