//! Lists without a search or tags: the total is kept, and only the page is looked for.

use sqlx::AssertSqlSafe;

use super::sql::{NEWEST_FIRST, Part, Search, Statement, is_deep};
use super::{CustomerPage, Filters, ListQuery};
use crate::domain::customer::Status;
use crate::store::listed::LISTED;
use crate::store::{Customers, StoreError};

impl Customers {
    /// Served by `customer_totals_pkey`, and by `customers_live` (and `customers_archived`) in the
    /// order of the list.
    pub(super) async fn plain_page(&self, query: &ListQuery) -> Result<CustomerPage, StoreError> {
        let statement = Statement::new(self.company.id, query, Search::ByRow)?;
        let total = total(&query.filters);
        let parts = Part::of(&query.filters);
        let sql = match parts {
            [part] if !is_deep(query.page) => format!(
                "with totals as ({total})
                select t.total, {LISTED}
                from totals t
                left join (
                    select {LISTED} from customers c where {conditions}
                    order by {NEWEST_FIRST} limit $2 offset $3
                ) as c on true
                order by c.created_at desc, c.id desc",
                conditions = statement.conditions_in(*part),
            ),
            parts => format!(
                "with totals as materialized ({total}),
                page as ({ids})
                select t.total, {LISTED}
                from totals t
                left join (page p join customers c on c.company_id = $1 and c.id = p.id) on true
                order by p.created_at desc, p.id desc",
                ids = statement.ids(parts),
            ),
        };
        // Kept as a prepared statement: there are few of these, and whatever the values, the index
        // in the order of the list is the way to find a page.
        let rows = self
            .pool
            .run(async |connection| {
                sqlx::query_with(AssertSqlSafe(sql), statement.arguments())
                    .fetch_all(connection)
                    .await
            })
            .await?;
        CustomerPage::new(rows, 1)
    }
}

fn total(filters: &Filters) -> String {
    let mut counts = match filters.status {
        Some(Status::Active) => vec!["live_active", "archived_active"],
        Some(Status::Inactive) => vec!["live_inactive", "archived_inactive"],
        None => vec![
            "live_active",
            "live_inactive",
            "live_without_status",
            "archived_active",
            "archived_inactive",
            "archived_without_status",
        ],
    };
    if !filters.archived {
        counts.retain(|count| count.starts_with("live"));
    }
    format!(
        "select coalesce(sum({}), 0)::bigint as total from customer_totals where company_id = $1",
        counts.join(" + ")
    )
}
