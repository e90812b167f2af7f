//! Filters that let many customers through: the page is found by walking from an end of the list,
//! and the total is counted only if the company's customers have changed since it last was.

use sqlx::Row;

use super::order::Order;
use super::sql::{Part, Search, Statement};
use super::totals::Counted;
use super::{CustomerPage, ListQuery};
use crate::store::listed;
use crate::store::{Customers, StoreError};

impl Customers {
    /// Served by `customer_totals_pkey`; with a search, count and page by `customers_live_search`,
    /// `customers_live_long` and `customers_archived`; with tags alone the count by `customers_tags`;
    /// a page in another order by the index of that, see [`Order::new`]; each page then by
    /// `customers_pkey`.
    pub(super) async fn page_of_many(
        &self,
        query: &ListQuery,
        known: Option<Counted>,
    ) -> Result<CustomerPage, StoreError> {
        let mut statement = Statement::new(self.company.id, query, Search::ByRow)?;
        let changes = statement.bind(known.map(|known| known.changes))?;
        let changed_at = statement.bind(known.and_then(|known| known.changed_at))?;
        let total = statement.bind(known.map(|known| known.total))?;
        let parts = Part::of(&query.filters);
        let totals = format!(
            "with version as (
                select coalesce(sum(changes), 0)::bigint as changes, max(changed_at) as changed_at
                from customer_totals
                where company_id = $1
            ), totals as materialized (
                select changes, changed_at,
                    case
                        when changes = {changes} and changed_at = {changed_at} then {total}
                        else {count}
                    end as total
                from version
            )",
            count = statement.count(parts),
        );
        let order = Order::new(query, &mut statement)?;
        let ids = statement.page_ids(query, &order);
        let sql = format!(
            "{totals}, page as ({ids})
            select t.total, t.changes, t.changed_at, {value}{shown}
            from totals t
            left join (page p join customers c on c.company_id = $1 and c.id = p.id) on true
            order by {in_order}",
            value = order.shown(query),
            shown = listed::columns(query.expand),
            in_order = order.of_selected("p."),
        );
        // Not kept as a prepared statement: it is planned for these values.
        let rows = self.rows(sql, statement.arguments(), false).await?;
        if let Some(row) = rows.first() {
            let counted = Counted {
                total: row.try_get(0)?,
                changes: row.try_get(1)?,
                changed_at: row.try_get(2)?,
            };
            if known != Some(counted) {
                self.totals
                    .set(self.company.id, query.filters.clone(), counted);
            }
        }
        CustomerPage::new(query, rows, 3)
    }
}
