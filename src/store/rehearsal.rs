//! What upserts would do, without doing them.

use super::upsert_many::Results;
use super::{Customers, StoreError};
use crate::domain::working_set::{Row, WorkingSet};

/// Upserts that are only held in memory: each sees what those before it would have done. They are
/// not done in a transaction, which would hold up everybody else for as long as it takes.
#[derive(Debug)]
pub struct Rehearsal {
    customers: Customers,
    set: WorkingSet,
}

impl Customers {
    /// A rehearsal upon these customers.
    #[must_use]
    pub fn rehearsal(&self) -> Rehearsal {
        Rehearsal {
            customers: self.clone(),
            set: WorkingSet::new(self.company.default_region),
        }
    }
}

impl Rehearsal {
    /// What the upserts of `rows` would do.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn upsert_many(&mut self, rows: &[Row]) -> Result<Results, StoreError> {
        let Self { customers, set } = self;
        let read = async |connection: &mut sqlx::PgConnection| {
            customers.do_in(connection, set, rows).await
        };
        customers.pool.run(read).await
    }
}
