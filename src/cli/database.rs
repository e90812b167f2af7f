//! The database that a command works on: the one of `DATABASE_URL`, else the private one.

use super::CliError;
use crate::config::Settings;
use crate::embedded::{Embedded, EmbeddedError};
use crate::store::{Store, migrate};

/// A database that is there to be connected to.
pub struct Database {
    url: String,
    embedded: Option<Embedded>,
}

impl Database {
    /// Does `work` on the database. The private one is started before, where none is named, and
    /// stopped after when nobody else uses it; the first error is the one that is told.
    pub async fn with(
        settings: &Settings,
        work: impl AsyncFnOnce(&Self) -> Result<(), CliError>,
    ) -> Result<(), CliError> {
        let database = Self::open(settings).await?;
        let done = work(&database).await;
        let closed = database.close().await;
        done.and(closed)
    }

    async fn open(settings: &Settings) -> Result<Self, CliError> {
        if let Some(url) = &settings.database_url {
            return Ok(Self {
                url: url.clone(),
                embedded: None,
            });
        }
        let (data_dir, pg_bin) = (settings.data_dir.clone(), settings.pg_bin.clone());
        let embedded = blocking(move || Embedded::start(&data_dir, pg_bin.as_deref())).await?;
        Ok(Self {
            url: embedded.url(),
            embedded: Some(embedded),
        })
    }

    /// Where clients connect.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The private database, if that is what this is.
    pub fn embedded(&self) -> Option<&Embedded> {
        self.embedded.as_ref()
    }

    /// A store on the database, once its schema is right: brought there when `may_migrate` and the
    /// settings allow it, else only checked.
    pub async fn store(&self, settings: &Settings, may_migrate: bool) -> Result<Store, CliError> {
        if may_migrate && settings.migrate {
            migrate::run(&self.url).await?;
        } else {
            migrate::check(&self.url).await?;
        }
        Ok(Store::connect_within(&self.url, settings.limits)?)
    }

    async fn close(self) -> Result<(), CliError> {
        if let Some(embedded) = self.embedded {
            blocking(move || embedded.stop()).await?;
        }
        Ok(())
    }
}

/// Runs what waits for programs and locks where it holds up nothing else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EmbeddedError> + Send + 'static,
) -> Result<T, CliError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(std::io::Error::other)??)
}
