//! Everyone that a list would show, for those who take them all.

use sqlx::postgres::PgArguments;

use super::sql::{Part, Search, Statement};
use super::{Filters, ListQuery};
use crate::domain::CompanyId;
use crate::store::StoreError;
use crate::store::row::COLUMNS;

/// All columns of all customers that `filters` let through, oldest first.
///
/// Served by `customers_newest` from its other end, and `customers_archived`; where a search or tags
/// let few through, by `customers_search` or `customers_tags`.
pub fn everyone(
    company: CompanyId,
    filters: &Filters,
) -> Result<(String, PgArguments), StoreError> {
    let query = ListQuery {
        filters: filters.clone(),
        ..ListQuery::default()
    };
    let statement = Statement::new(company, &query, Search::ByIndex)?;
    let parts: &[Part] = if filters.archived {
        &[Part::Live, Part::Archived]
    } else {
        &[Part::Live]
    };
    let selects: Vec<String> = parts
        .iter()
        .map(|part| {
            let conditions = statement.conditions_in(*part);
            format!(
                "(select {COLUMNS} from customers c where {conditions} order by created_at, id)"
            )
        })
        .collect();
    let sql = match selects.as_slice() {
        [only] => only.clone(),
        // Sorted parts are merged as they come.
        several => format!("{} order by created_at, id", several.join(" union all ")),
    };
    Ok((sql, statement.arguments()))
}
