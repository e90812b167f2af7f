//! `clientele key`: API keys.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Subcommand;

use super::audit::operator;
use super::{CliError, print, time};
use crate::domain::CompanyId;
use crate::domain::key::{KeyId, NewKey, Scope};
use crate::domain::text::ShortText;
use crate::store::{KeySummary, Store};

/// How it is called.
pub const EXAMPLES: &str = "\
Examples:
  clientele key create --company ID --name \"web form\" --scopes customers:write --daily-limit 10000
  clientele key create --company ID --expires 90d
  clientele key revoke 15b4dad54f2b7a4e";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a key and print it: this once, as only a hash of it is kept
    Create {
        /// The company that it acts for
        #[arg(long)]
        company: CompanyId,
        /// What it may do
        #[arg(
            long,
            value_delimiter = ',',
            default_value = "customers:read,customers:write"
        )]
        scopes: Vec<Scope>,
        /// The most requests on one UTC day; unlimited without it
        #[arg(long)]
        daily_limit: Option<NonZeroU32>,
        /// The most requests within a second, on each server; unlimited without it
        #[arg(long)]
        rate_limit: Option<NonZeroU32>,
        /// How long it works, such as 90d or 12h; for ever without it
        #[arg(long, value_parser = lifetime)]
        expires: Option<TimeDelta>,
        /// What it is for
        #[arg(long)]
        name: Option<ShortText>,
    },
    /// List the keys of a company, without their secrets
    List {
        /// The company
        #[arg(long)]
        company: CompanyId,
    },
    /// Revoke a key: it stops working within a second, for good
    Revoke {
        /// The id of the key: what stands between the underscores
        key_id: KeyId,
    },
}

pub async fn run(store: &Store, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create {
            company,
            scopes,
            daily_limit,
            rate_limit,
            expires,
            name,
        } => {
            super::company(store, company).await?;
            let new = NewKey {
                name,
                scopes,
                daily_limit,
                rate_limit,
                expires_at: expires.map(|lifetime| Utc::now() + lifetime),
            };
            let key = store.create_key(company, new, &operator()).await?;
            print(&key.expose())?;
        }
        Command::List { company } => {
            super::company(store, company).await?;
            print_keys(&store.keys(company).await?)?;
        }
        Command::Revoke { key_id } => {
            if !store.revoke_key(&key_id, &operator()).await? {
                return Err(CliError::Unknown(format!("there is no key {key_id}")));
            }
            print(&format!("{key_id} is revoked"))?;
        }
    }
    Ok(())
}

fn print_keys(keys: &[KeySummary]) -> Result<(), CliError> {
    print(&format!(
        "{:16}  {:8}  {:20}  {:20}  {:20}  {:10}  {:10}  {:30}  NAME",
        "ID", "STATE", "CREATED", "EXPIRES", "LAST USED", "PER DAY", "PER SECOND", "SCOPES"
    ))?;
    for key in keys {
        print(&format!(
            "{:16}  {:8}  {:20}  {:20}  {:20}  {:10}  {:10}  {:30}  {}",
            key.id,
            state(key, Utc::now()),
            time(Some(key.created_at)),
            time(key.expires_at),
            time(key.last_used_at),
            number(key.daily_limit),
            number(key.rate_limit),
            key.scopes.join(","),
            key.name.as_deref().unwrap_or("-")
        ))?;
    }
    Ok(())
}

fn state(key: &KeySummary, now: DateTime<Utc>) -> &'static str {
    if key.revoked_at.is_some() {
        "revoked"
    } else if key.expires_at.is_some_and(|end| end <= now) {
        "expired"
    } else {
        "active"
    }
}

fn number(number: Option<impl ToString>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| number.to_string())
}

fn lifetime(raw: &str) -> Result<TimeDelta, String> {
    let duration: Duration = humantime::parse_duration(raw).map_err(|error| error.to_string())?;
    TimeDelta::from_std(duration)
        .ok()
        .filter(|lifetime| {
            !lifetime.is_zero() && Utc::now().checked_add_signed(*lifetime).is_some()
        })
        .ok_or_else(|| "must be longer than nothing, and end some day".to_owned())
}
