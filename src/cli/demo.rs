//! The company and key of the zero-setup start, so that the first curl works when it is pasted.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use chrono::Utc;

use super::CliError;
use super::audit::operator;
use crate::domain::key::{ApiKey, NewKey, Scope};
use crate::domain::phone::DefaultRegion;
use crate::domain::text::ShortText;
use crate::store::Store;

const COMPANY: &str = "demo";
const FILE: &str = "demo.key";

/// The demo key, made with its company on the first start and kept in a file that only this user
/// can read; none once it has been revoked, which is for good.
pub async fn key(store: &Store, data_dir: &Path) -> Result<Option<String>, CliError> {
    let path = data_dir.join(FILE);
    match fs::read_to_string(&path) {
        Ok(kept) => still_works(store, kept.trim()).await,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let key = make(store).await?.expose();
            write_private(&path, &key)?;
            Ok(Some(key))
        }
        Err(error) => Err(error.into()),
    }
}

async fn still_works(store: &Store, kept: &str) -> Result<Option<String>, CliError> {
    let Ok(key) = kept.parse::<ApiKey>() else {
        return Ok(None);
    };
    let record = store.key(key.id()).await?;
    let works = record.is_some_and(|record| record.admits(&key, Utc::now()));
    Ok(works.then(|| key.expose()))
}

async fn make(store: &Store) -> Result<ApiKey, CliError> {
    let companies = store.companies().await?;
    // A start that was interrupted may have left the company without its key.
    let company = match companies.iter().find(|company| company.name == COMPANY) {
        Some(company) => company.id,
        None => {
            store
                .create_company(&name(), DefaultRegion::default(), &operator())
                .await?
        }
    };
    let new = NewKey {
        name: Some(name()),
        scopes: Scope::ALL.to_vec(),
        ..NewKey::default()
    };
    Ok(store.create_key(company, new, &operator()).await?)
}

fn name() -> ShortText {
    ShortText::from_stored(COMPANY.to_owned())
}

fn write_private(path: &Path, key: &str) -> io::Result<()> {
    // Beside its place and then moved there: a half-written key would be taken for a broken one.
    let new = path.with_extension("new");
    if new.exists() {
        fs::remove_file(&new)?;
    }
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&new)?;
    writeln!(file, "{key}")?;
    file.sync_all()?;
    fs::rename(new, path)
}
