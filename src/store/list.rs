//! The list: its SQL is built from the filters that are there, so that Postgres plans for these.

use sqlx::postgres::PgArguments;
use sqlx::{Arguments, AssertSqlSafe, Encode, Postgres, Row, Type};
use uuid::Uuid;

use super::{Customers, StoreError, row};
use crate::domain::customer::{Customer, Status};
use crate::domain::page::Page;
use crate::domain::search::Condition;
use crate::domain::tags::Tags;

/// Which customers to list, and which page of them.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    /// The page.
    pub page: Page,
    /// What they must contain.
    pub search: Option<Condition>,
    /// Their status.
    pub status: Option<Status>,
    /// Tags of which they must have at least one; none: any customer.
    pub tags: Tags,
    /// Whether archived customers are listed too.
    pub archived: bool,
}

/// A page of customers and the number of all that the filters let through, from one snapshot.
#[derive(Debug, Clone)]
pub struct CustomerPage {
    /// The customers of the page, newest first.
    pub customers: Vec<Customer>,
    /// How many there are on all pages.
    pub total: i64,
}

impl Customers {
    /// A page of the customers that `query` asks for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&self, query: &ListQuery) -> Result<CustomerPage, StoreError> {
        let (sql, arguments) = self.list_sql(query)?;
        // Not kept as a prepared statement: a plan made for any values would not use the search
        // index (measured: 95 ms instead of 0.5).
        let rows = sqlx::query_with(AssertSqlSafe(sql), arguments)
            .persistent(false)
            .fetch_all(&self.pool)
            .await?;
        let mut page = CustomerPage {
            customers: Vec::with_capacity(rows.len()),
            total: 0,
        };
        for found in &rows {
            page.total = found.try_get(0)?;
            // A page past the end is one row that has the total and no customer.
            if found.try_get::<Option<Uuid>, _>(1)?.is_some() {
                page.customers.push(row::read(found, 1)?);
            }
        }
        Ok(page)
    }

    /// Served by `customers_newest` or `customers_newest_with_archived`, and with a search or tags
    /// that are rare enough by `customers_search` or `customers_tags`.
    fn list_sql(&self, query: &ListQuery) -> Result<(String, PgArguments), StoreError> {
        let mut filter = Filter::default();
        filter.compare("company_id =", self.company.id.as_uuid())?;
        if !query.archived {
            filter.push("archived_at is null");
        }
        if let Some(status) = query.status {
            filter.compare("status =", status.as_str())?;
        }
        if !query.tags.is_empty() {
            filter.compare("tags &&", query.tags.iter().collect::<Vec<_>>())?;
        }
        if let Some(search) = &query.search {
            let sql = filter.condition(search)?;
            filter.push(&sql);
        }
        let limit = filter.bind(query.page.limit.get())?;
        let offset = filter.bind(query.page.offset())?;
        let sql = format!(
            "with matching as (
                select count(*) as total from customers where {filters}
            ), page as (
                select id, created_at from customers where {filters}
                order by created_at desc, id desc
                limit {limit} offset {offset}
            )
            select m.total, {columns}
            from matching m
            left join (page p join customers c on c.company_id = $1 and c.id = p.id) on true
            order by p.created_at desc, p.id desc",
            filters = filter.conditions.join(" and "),
            columns = row::COLUMNS,
        );
        Ok((sql, filter.arguments))
    }
}

/// Conditions that all must hold, and the values that they speak of.
#[derive(Default)]
struct Filter {
    conditions: Vec<String>,
    arguments: PgArguments,
}

impl Filter {
    fn push(&mut self, condition: &str) {
        self.conditions.push(condition.to_owned());
    }

    fn compare<'q, T>(&mut self, comparison: &str, value: T) -> Result<(), StoreError>
    where
        T: Encode<'q, Postgres> + Type<Postgres>,
    {
        let placeholder = self.bind(value)?;
        self.conditions.push(format!("{comparison} {placeholder}"));
        Ok(())
    }

    /// Adds a value; the answer is its placeholder.
    fn bind<'q, T>(&mut self, value: T) -> Result<String, StoreError>
    where
        T: Encode<'q, Postgres> + Type<Postgres>,
    {
        self.arguments
            .add(value)
            .map_err(|error| StoreError::Internal(sqlx::Error::Encode(error)))?;
        Ok(format!("${}", self.arguments.len()))
    }

    fn condition(&mut self, condition: &Condition) -> Result<String, StoreError> {
        match condition {
            Condition::Contains(needle) => {
                let pattern = self.bind(needle.like_pattern())?;
                Ok(format!("search_text like {pattern}"))
            }
            Condition::All(all) => self.joined(all, " and "),
            Condition::Any(any) => self.joined(any, " or "),
        }
    }

    fn joined(&mut self, conditions: &[Condition], with: &str) -> Result<String, StoreError> {
        let parts: Result<Vec<String>, StoreError> =
            conditions.iter().map(|part| self.condition(part)).collect();
        Ok(format!("({})", parts?.join(with)))
    }
}
