//! `clientele company`: the tenants.

use clap::Subcommand;

use super::audit::operator;
use super::{CliError, print, time};
use crate::domain::phone::DefaultRegion;
use crate::domain::text::ShortText;
use crate::store::Store;

/// How it is called.
pub const EXAMPLES: &str = "\
Examples:
  clientele company create \"Acme Plumbing\"
  clientele company create \"Klempner GmbH\" --default-region DE";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a company and print its id
    Create {
        /// Its name
        name: ShortText,
        /// The country whose rules read its national phone numbers, such as US or DE
        #[arg(long, default_value_t)]
        default_region: DefaultRegion,
    },
    /// List all companies
    List,
}

pub async fn run(store: &Store, command: Command) -> Result<(), CliError> {
    match command {
        Command::Create {
            name,
            default_region,
        } => {
            let id = store
                .create_company(&name, default_region, &operator())
                .await?;
            print(&id.to_string())?;
        }
        Command::List => {
            print(&format!(
                "{:36}  {:20}  {:6}  NAME",
                "ID", "CREATED", "REGION"
            ))?;
            for company in store.companies().await? {
                print(&format!(
                    "{:36}  {:20}  {:6}  {}",
                    company.id.to_string(),
                    time(Some(company.created_at)),
                    company.default_region,
                    company.name
                ))?;
            }
        }
    }
    Ok(())
}
