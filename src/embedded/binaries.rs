//! Where the programs of `PostgreSQL` are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::EmbeddedError;

/// The oldest major version that is supported.
pub const OLDEST: u32 = 15;

const PROGRAMS: [&str; 3] = ["postgres", "initdb", "pg_ctl"];

/// Directories that hold a directory for each version (or are the one of a single version), with
/// the programs in its `bin`.
const USUAL_PLACES: [&str; 6] = [
    "/usr/lib/postgresql",
    "/usr/local/lib/postgresql",
    "/opt/homebrew/opt",
    "/usr/local/opt",
    "/Applications/Postgres.app/Contents/Versions",
    "/usr/local",
];

/// A directory with all programs that a private database needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binaries {
    dir: PathBuf,
    major: u32,
}

impl Binaries {
    /// The path of one of the programs.
    #[must_use]
    pub fn path(&self, program: &str) -> PathBuf {
        self.dir.join(program)
    }

    /// The programs in `dir`, when all are there and say that they are new enough.
    fn in_dir(dir: &Path) -> Option<Self> {
        // Absolute, since they are run from another directory.
        let dir = dir.canonicalize().ok()?;
        if !PROGRAMS.iter().all(|program| dir.join(program).is_file()) {
            return None;
        }
        let said = Command::new(dir.join("postgres"))
            .arg("--version")
            .output()
            .ok()?;
        let major = major_version(&String::from_utf8_lossy(&said.stdout))?;
        (major >= OLDEST).then_some(Self { dir, major })
    }
}

/// The programs in `explicit`; without it, the first on the PATH, else the newest in the usual
/// places.
///
/// # Errors
/// When there are none.
pub fn find(explicit: Option<&Path>) -> Result<Binaries, EmbeddedError> {
    find_for(explicit, Path::new(""), None)
}

/// Like [`find`], looking among `downloads` last; of several, those that can read data of the
/// version `major`.
pub(super) fn find_for(
    explicit: Option<&Path>,
    downloads: &Path,
    major: Option<u32>,
) -> Result<Binaries, EmbeddedError> {
    let found: Vec<Binaries> = match explicit {
        Some(dir) => Binaries::in_dir(dir).into_iter().collect(),
        None => on_path()
            .chain(versions_in(USUAL_PLACES.iter().map(Path::new)))
            .chain(versions_in([downloads].into_iter()))
            .collect(),
    };
    let nothing_at_all = found.is_empty();
    let chosen = found
        .into_iter()
        .find(|binaries| major.is_none_or(|major| binaries.major == major));
    match (chosen, major) {
        (Some(binaries), _) => Ok(binaries),
        (None, Some(major)) if !nothing_at_all => Err(EmbeddedError::NoMatchingVersion {
            data: downloads.with_file_name("postgres"),
            major,
        }),
        (None, _) => Err(EmbeddedError::NoBinaries {
            details: explicit.map_or_else(String::new, |dir| {
                format!(": there is none in CLIENTELE_PG_BIN, {}", dir.display())
            }),
        }),
    }
}

fn on_path() -> impl Iterator<Item = Binaries> {
    let path = env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> = env::split_paths(&path).collect();
    dirs.into_iter().filter_map(|dir| Binaries::in_dir(&dir))
}

/// What is in `places`, the newest version of each place first.
fn versions_in<'p>(places: impl Iterator<Item = &'p Path>) -> impl Iterator<Item = Binaries> {
    places.flat_map(|place| {
        let entries = place.read_dir().into_iter().flatten().flatten();
        let mut found: Vec<Binaries> = entries
            .map(|entry| entry.path().join("bin"))
            .filter_map(|dir| Binaries::in_dir(&dir))
            .collect();
        found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
        found
    })
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian …)`.
fn major_version(said: &str) -> Option<u32> {
    let (_, version) = said.split_once("(PostgreSQL) ")?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_from_what_the_program_says() {
        for (said, major) in [
            (
                "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n",
                Some(15),
            ),
            ("postgres (PostgreSQL) 18.1\n", Some(18)),
            ("postgres (PostgreSQL) 19beta1\n", Some(19)),
            ("something else", None),
        ] {
            assert_eq!(major_version(said), major, "{said}");
        }
    }

    #[test]
    fn an_explicit_directory_without_the_programs_is_named() {
        let error = find(Some(Path::new("/nonexistent")))
            .unwrap_err()
            .to_string();
        assert!(error.contains("/nonexistent"), "{error}");
        assert!(error.contains("DATABASE_URL"), "{error}");
    }
}
