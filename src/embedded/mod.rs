//! The private `PostgreSQL` of the zero-setup start: kept in the data directory, shared by every
//! command that runs on it, and stopped by the last of them.

pub mod binaries;
mod cluster;
#[cfg(feature = "download-postgres")]
mod download;
pub mod user;

use std::fs::{File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use thiserror::Error;

use binaries::Binaries;
use cluster::Cluster;

/// The longest path of a Unix socket that every system takes, in bytes.
const LONGEST_SOCKET_PATH: usize = 103;

/// Why there is no private database.
#[derive(Debug, Error)]
pub enum EmbeddedError {
    /// No programs to run it with.
    #[error(
        "no PostgreSQL {} or newer was found. Three ways out: install PostgreSQL (for example \
        `apt-get install postgresql`); point CLIENTELE_PG_BIN at the directory of its programs; or \
        set DATABASE_URL to a database that runs elsewhere{details}",
        binaries::OLDEST
    )]
    NoBinaries {
        /// What was tried, behind a colon; or nothing.
        details: String,
    },
    /// The data were written by another major version than any that is here.
    #[error(
        "the data in {} were written by PostgreSQL {major}, which was not found: install it, or \
        point CLIENTELE_PG_BIN at it", .data.display()
    )]
    NoMatchingVersion {
        /// Where the data are.
        data: PathBuf,
        /// The major version that wrote them.
        major: u32,
    },
    /// Root cannot run it, and nobody else is there to.
    #[error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody")]
    NoServiceUser,
    /// The one who runs it cannot get at its data.
    #[error(
        "{} cannot be reached by the user {user}, as whom PostgreSQL runs when root starts it: \
        choose another CLIENTELE_DATA_DIR", .dir.display()
    )]
    Unreachable {
        /// The directory.
        dir: PathBuf,
        /// The user's name.
        user: String,
    },
    /// Sockets have short paths only.
    #[error("{} is too long a path for a Unix socket: choose a shorter CLIENTELE_DATA_DIR", .0.display())]
    PathTooLong(PathBuf),
    /// A program said no.
    #[error("{program} failed: {output}")]
    Program {
        /// Which one.
        program: &'static str,
        /// What it printed.
        output: String,
    },
    /// The file system said no.
    #[error("{}: {source}", .path.display())]
    Io {
        /// About what.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
}

/// The private database, running, and used by this process.
#[derive(Debug)]
pub struct Embedded {
    cluster: Cluster,
    /// Held shared for as long as this process uses the database; the system lets go of it however
    /// the process ends.
    users: File,
    data_dir: PathBuf,
}

impl Embedded {
    /// Starts the database in `data_dir`, or joins the one that runs there already: that of another
    /// command, or one left over by a service that was killed. Blocks until it takes connections.
    ///
    /// # Errors
    /// When it cannot be started; the error says what to do.
    pub fn start(data_dir: &Path, pg_bin: Option<&Path>) -> Result<Self, EmbeddedError> {
        let service_user = user::service_user()?;
        create_dir(data_dir, 0o755)?;
        let data_dir = data_dir
            .canonicalize()
            .map_err(|source| at(data_dir, source))?;
        let _starting = lock_start(&data_dir)?;
        let dir = data_dir.join("postgres");
        let socket = cluster::socket(&dir);
        if socket.as_os_str().len() > LONGEST_SOCKET_PATH {
            return Err(EmbeddedError::PathTooLong(socket));
        }
        let binaries = programs(&data_dir, pg_bin, cluster::major_version(&dir)?)?;
        let cluster = Cluster::at(dir, service_user, binaries);
        cluster.prepare()?;
        cluster.start()?;
        let users = open_lock(&data_dir.join("users.lock"))?;
        users
            .lock_shared()
            .map_err(|source| at(&data_dir, source))?;
        Ok(Self {
            cluster,
            users,
            data_dir,
        })
    }

    /// Where clients connect.
    #[must_use]
    pub fn url(&self) -> String {
        self.cluster.url()
    }

    /// Where the data live.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Ends the use of the database, and stops it when nobody else uses it.
    ///
    /// # Errors
    /// When it cannot be stopped.
    pub fn stop(self) -> Result<(), EmbeddedError> {
        let _starting = lock_start(&self.data_dir)?;
        self.users
            .unlock()
            .map_err(|source| at(&self.data_dir, source))?;
        if self.users.try_lock().is_ok() {
            self.cluster.stop()?;
        }
        Ok(())
    }
}

/// Held while the database is started or stopped, so that no two commands do so at once.
fn lock_start(data_dir: &Path) -> Result<File, EmbeddedError> {
    let path = data_dir.join("start.lock");
    let file = open_lock(&path)?;
    file.lock().map_err(|source| at(&path, source))?;
    Ok(file)
}

fn open_lock(path: &Path) -> Result<File, EmbeddedError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .map_err(|source| at(path, source))
}

fn programs(
    data_dir: &Path,
    pg_bin: Option<&Path>,
    major: Option<u32>,
) -> Result<Binaries, EmbeddedError> {
    let downloads = data_dir.join("postgresql");
    match binaries::find_for(pg_bin, &downloads, major) {
        #[cfg(feature = "download-postgres")]
        Err(EmbeddedError::NoBinaries { .. }) if pg_bin.is_none() => {
            download::download(&downloads)?;
            binaries::find_for(None, &downloads, major)
        }
        found => found,
    }
}

fn create_dir(dir: &Path, mode: u32) -> Result<(), EmbeddedError> {
    if dir.is_dir() {
        return Ok(());
    }
    std::fs::create_dir_all(dir).map_err(|source| at(dir, source))?;
    std::fs::set_permissions(dir, Permissions::from_mode(mode)).map_err(|source| at(dir, source))
}

fn at(path: &Path, source: io::Error) -> EmbeddedError {
    EmbeddedError::Io {
        path: path.to_owned(),
        source,
    }
}
