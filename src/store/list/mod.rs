//! The list: a page of customers and the number of all, from one snapshot.
//!
//! Without a search, tags or dates the number is kept (`customer_totals`). Else it is counted, in one of two
//! ways. *Few* customers are found by an index of what is searched, and the page is cut from what
//! was found. Of *many* the newest are found by walking the customers from the newest on; they are
//! counted from an index that has the text itself, and once counted they are not counted again until
//! the company's customers change.

mod everyone;
mod few;
mod many;
mod order;
mod plain;
mod sql;
mod totals;

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::{AssertSqlSafe, Row};
use uuid::Uuid;

use super::listed;
use super::{Customers, StoreError};
use crate::domain::customer::{Listed, Status};
use crate::domain::expand::Expand;
use crate::domain::order::{Cursor, Sort, Walk};
use crate::domain::page::Page;
use crate::domain::period::Period;
use crate::domain::search::Condition;
use crate::domain::tags::Tags;

pub(super) use everyone::everyone;
use few::MANY;
pub(super) use totals::Totals;

/// Up to here it is quicker to look at all customers of a company than at an index of what is
/// searched, in which other companies' entries stand between.
const SMALL: i64 = 5_000;

/// Which customers to list, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// The page.
    pub page: Page,
    /// Who is on it.
    pub filters: Filters,
    /// In which order.
    pub sort: Sort,
    /// How far a walk through the list has come; none: the page is a numbered one. The page of a
    /// walk is the first behind that.
    pub walk: Option<Walk>,
    /// What is shown besides.
    pub expand: Expand,
}

/// Which customers to list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Filters {
    /// What they must contain.
    pub search: Option<Condition>,
    /// Their status.
    pub status: Option<Status>,
    /// Tags of which they must have at least one; none: any customer.
    pub tags: Tags,
    /// Whether archived customers are listed too.
    pub archived: bool,
    /// When they were first written.
    pub created: Period,
    /// When they were last written.
    pub updated: Period,
}

/// A page of customers and the number of all that the filters let through.
#[derive(Debug)]
pub struct CustomerPage {
    /// How many there are on all pages.
    pub total: i64,
    /// Where a walk goes on from here; none at its end.
    pub next: Option<Cursor>,
    rows: Vec<PgRow>,
    /// The column with which a customer begins.
    first: usize,
    expand: Expand,
}

impl CustomerPage {
    /// The customers of the page, in its order.
    ///
    /// # Errors
    /// When a column has not the type it should.
    pub fn customers(&self) -> Result<Vec<Listed<'_>>, StoreError> {
        let read = |row| listed::read(row, self.first, self.expand);
        Ok(self.rows.iter().map(read).collect::<Result<_, _>>()?)
    }

    /// From rows that each begin with the total; behind the first `head` columns stand the sort's
    /// value, if it is a walk, and the customer. A page past the end is one row without a customer.
    fn new(query: &ListQuery, mut rows: Vec<PgRow>, head: usize) -> Result<Self, StoreError> {
        let first = head + usize::from(query.walk.is_some());
        let total = rows.first().map_or(Ok(0), |row| row.try_get(0))?;
        let mut error = None;
        rows.retain(|row| match row.try_get::<Option<Uuid>, _>(first) {
            Ok(id) => id.is_some(),
            Err(unreadable) => {
                error = Some(unreadable);
                false
            }
        });
        if let Some(error) = error {
            return Err(error.into());
        }
        Ok(Self {
            total,
            next: order::cut(query, &mut rows, first)?,
            rows,
            first,
            expand: query.expand,
        })
    }
}

impl ListQuery {
    /// Whether it is a numbered page of the newest first: what nearly every list is.
    fn is_usual(&self) -> bool {
        self.walk.is_none() && self.sort == Sort::default()
    }
}

impl Filters {
    /// Whether the number of such customers is kept.
    fn are_counted(&self) -> bool {
        self.search.is_none()
            && self.tags.is_empty()
            && self.created.is_always()
            && self.updated.is_always()
    }

    /// Whether an index can find such customers, rather than only recognise them.
    fn are_indexed(&self) -> bool {
        !self.tags.is_empty() || self.search.as_ref().is_some_and(Condition::is_indexed)
    }
}

impl Customers {
    /// A page of the customers that `query` asks for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, query: &ListQuery) -> Result<CustomerPage, StoreError> {
        if query.filters.are_counted() {
            return self.plain_page(query).await;
        }
        let known = self.totals.get(self.company.id, &query.filters);
        if known.is_none_or(|known| known.total < MANY)
            && query.filters.are_indexed()
            && self.size().await? > SMALL
            && let Some(page) = self.page_of_few(query).await?
        {
            return Ok(page);
        }
        self.page_of_many(query, known).await
    }

    /// About how many customers the company has. Served by `customer_totals_pkey`.
    async fn size(&self) -> Result<i64, StoreError> {
        if let Some(size) = self.totals.size(self.company.id) {
            return Ok(size);
        }
        let all = Filters {
            archived: true,
            ..Filters::default()
        };
        let query = sqlx::query_scalar(AssertSqlSafe(plain::total(&all, "$1")))
            .bind(self.company.id.as_uuid())
            .persistent(self.pool.keeps_statements());
        let size = self
            .pool
            .run(async |connection| query.fetch_one(connection).await)
            .await?;
        self.totals.set_size(self.company.id, size);
        Ok(size)
    }

    /// What `sql` answers. Kept as a prepared statement it may be planned for any values; else it is
    /// planned for these.
    async fn rows(
        &self,
        sql: String,
        arguments: PgArguments,
        keep: bool,
    ) -> Result<Vec<PgRow>, StoreError> {
        self.pool
            .run(async |connection| {
                sqlx::query_with(AssertSqlSafe(sql), arguments)
                    .persistent(keep && self.pool.keeps_statements())
                    .fetch_all(connection)
                    .await
            })
            .await
    }
}
