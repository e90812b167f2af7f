//! `clientele audit`: who did what.

use clap::Args;
use nix::unistd::{Uid, User};

use super::{CliError, print, time};
use crate::domain::CompanyId;
use crate::domain::audit::Actor;
use crate::store::Store;

/// How it is called.
pub const EXAMPLES: &str = "\
Examples:
  clientele audit
  clientele audit --company ID --limit 1000";

#[derive(Debug, Args)]
pub struct Audit {
    /// The company; all of them without it
    #[arg(long)]
    company: Option<CompanyId>,
    /// The most entries, newest first
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

pub async fn run(store: &Store, audit: Audit) -> Result<(), CliError> {
    if let Some(company) = audit.company {
        super::company(store, company).await?;
    }
    print(&format!(
        "{:20}  {:24}  {:16}  {:36}  SUBJECT",
        "AT", "ACTOR", "ACTION", "COMPANY"
    ))?;
    for entry in store.audit_log(audit.company, audit.limit).await? {
        print(&format!(
            "{:20}  {:24}  {:16}  {:36}  {}",
            time(Some(entry.at)),
            entry.actor,
            entry.action,
            entry.company.to_string(),
            entry.subject
        ))?;
    }
    Ok(())
}

/// Whoever runs this program: the user of the machine, or who became root by `sudo`.
pub fn operator() -> Actor {
    let user = Uid::effective();
    let sudo = std::env::var("SUDO_USER").ok();
    let name = sudo
        .filter(|_| user.is_root())
        .or_else(|| User::from_uid(user).ok().flatten().map(|user| user.name));
    Actor::Operator(name.unwrap_or_else(|| user.to_string()))
}
