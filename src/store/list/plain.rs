//! Lists without a search, tags or dates: the total is kept, and only the page is looked for.

use sqlx::postgres::{PgArguments, PgRow};

use super::order::Order;
use super::sql::{NEWEST_FIRST, Part, Search, Statement, is_deep};
use super::{CustomerPage, Filters, ListQuery};
use crate::domain::customer::Status;
use crate::store::listed;
use crate::store::{Customers, StoreError};

impl Customers {
    /// Served by `customer_totals_pkey`, and by the index of the list's order: see [`Order::new`];
    /// deep pages and those of another order then by `customers_pkey`.
    pub(super) async fn plain_page(&self, query: &ListQuery) -> Result<CustomerPage, StoreError> {
        let parts = Part::of(&query.filters);
        let rows = match parts {
            [part] if query.is_usual() && !is_deep(query.page) => {
                self.top_page(query, *part).await?
            }
            _ => self.other_page(query).await?,
        };
        CustomerPage::new(query, rows, 1)
    }

    /// All values stand in the text of this statement, of which each connection keeps a hundred:
    /// it is planned once for its company. With parameters Postgres would plan it anew each time
    /// (what is right for a company of any size looks dear to it), which takes longer than it runs.
    async fn top_page(&self, query: &ListQuery, part: Part) -> Result<Vec<PgRow>, StoreError> {
        let sql = format!(
            "with totals as ({total})
            select t.total, {shown}
            from totals t
            left join (
                select {shown} from customers c
                where company_id = '{company}' and {live}{status}
                order by {NEWEST_FIRST} limit {limit} offset {offset}
            ) as c on true
            order by c.created_at desc, c.id desc",
            total = total(&query.filters, &format!("'{}'", self.company.id)),
            shown = listed::columns(query.expand),
            company = self.company.id,
            live = part.condition(),
            status = match query.filters.status {
                None => "",
                Some(Status::Active) => " and status = 'active'",
                Some(Status::Inactive) => " and status = 'inactive'",
            },
            limit = query.page.limit.get(),
            offset = query.page.offset(),
        );
        self.rows(sql, PgArguments::default(), true).await
    }

    async fn other_page(&self, query: &ListQuery) -> Result<Vec<PgRow>, StoreError> {
        let mut statement = Statement::new(self.company.id, query, Search::ByRow)?;
        let order = Order::new(query, &mut statement)?;
        let sql = format!(
            "with totals as materialized ({total}),
            page as ({ids})
            select t.total, {value}{shown}
            from totals t
            left join (page p join customers c on c.company_id = $1 and c.id = p.id) on true
            order by {in_order}",
            total = total(&query.filters, "$1"),
            ids = statement.page_ids(query, &order),
            value = order.shown(query),
            shown = listed::columns(query.expand),
            in_order = order.of_selected("p."),
        );
        // A plan for any cursor, made without one, would not begin in the index where it stands.
        self.rows(sql, statement.arguments(), query.is_usual())
            .await
    }
}

/// The number of such customers of `company`, a literal or a placeholder.
pub(super) fn total(filters: &Filters, company: &str) -> String {
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
        "select coalesce(sum({}), 0)::bigint as total from customer_totals where company_id = {company}",
        counts.join(" + ")
    )
}
