//! In which order a list is looked for, and from where on.

use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::ListQuery;
use super::sql::Statement;
use crate::domain::order::{Cursor, Sort, SortKey, Value, Walk};
use crate::store::StoreError;

/// An order of customers, and the customer behind which a page begins.
pub struct Order {
    /// What the order goes by, in a query of customers.
    value: &'static str,
    /// The same, in a query of what that one gives.
    column: &'static str,
    direction: &'static str,
    /// The condition that a customer comes later than the last one seen.
    after: Option<After>,
}

/// The placeholders of the last customer seen.
struct After {
    value: String,
    id: String,
}

impl Order {
    /// The order of a list that asks for no other, and of the indexes that serve it.
    pub const NEWEST_FIRST: Self = Self {
        value: "created_at",
        column: "created_at",
        direction: " desc",
        after: None,
    };
    /// The same from the other end.
    pub const OLDEST_FIRST: Self = Self {
        direction: "",
        ..Self::NEWEST_FIRST
    };

    /// The order of a query, whose values are added to those of its statement.
    ///
    /// Served by `customers_newest`, with a status by `customers_live_by_status`, with archived
    /// customers by `customers_archived` as well; by `customers_by_last_name` and
    /// `customers_by_company_name`, which have the live ones only. None serves `updated_at`: it would have to be written by every
    /// update, and so would all the others.
    pub fn new(query: &ListQuery, statement: &mut Statement) -> Result<Self, StoreError> {
        let Sort { key, descending } = query.sort;
        let (value, column) = match key {
            SortKey::CreatedAt => ("created_at", "created_at"),
            SortKey::UpdatedAt => ("updated_at", "updated_at"),
            SortKey::LastName => ("coalesce(lower(last_name), '')", "name"),
            SortKey::CompanyName => ("coalesce(lower(company_name), '')", "name"),
        };
        let after = match &query.walk {
            Some(Walk::After(cursor)) => Some(After {
                value: match cursor.value() {
                    Value::Time(time) => statement.bind(*time)?,
                    Value::Name(name) => statement.bind(name.as_str())?,
                },
                id: statement.bind(cursor.id().as_uuid())?,
            }),
            Some(Walk::Start) | None => None,
        };
        Ok(Self {
            value,
            column,
            direction: if descending { " desc" } else { "" },
            after,
        })
    }

    /// What a query of customers selects.
    pub fn selected(&self) -> String {
        format!("id, {} as {}", self.value, self.column)
    }

    /// What a query of what was selected selects.
    pub fn columns(&self) -> String {
        format!("id, {}", self.column)
    }

    /// The order, in a query of customers.
    pub fn of_customers(&self) -> String {
        let Self {
            value, direction, ..
        } = self;
        format!("{value}{direction}, id{direction}")
    }

    /// The order, in a query of what was selected, with `table.` or nothing before its columns.
    pub fn of_selected(&self, table: &str) -> String {
        let Self {
            column, direction, ..
        } = self;
        format!("{table}{column}{direction}, {table}id{direction}")
    }

    /// What a customer must satisfy, beside other conditions, to come later than those seen.
    pub fn and_after(&self) -> String {
        self.and_behind(self.value)
    }

    /// The same, of what was selected.
    pub fn where_after(&self) -> String {
        format!("true{}", self.and_behind(self.column))
    }

    fn and_behind(&self, value: &str) -> String {
        let later = if self.direction.is_empty() { ">" } else { "<" };
        self.after.as_ref().map_or_else(String::new, |after| {
            format!(" and ({value}, id) {later} ({}, {})", after.value, after.id)
        })
    }

    /// What a page `p` shows of it, before the customer `c`: a walk goes on from there.
    pub fn shown(&self, query: &ListQuery) -> String {
        query
            .walk
            .as_ref()
            .map_or_else(String::new, |_| format!("p.{}, ", self.column))
    }
}

/// Cuts off the row that only tells that a walk goes on; the answer is from where. The customers
/// begin at the column `first`, before which their value stands.
pub fn cut(
    query: &ListQuery,
    rows: &mut Vec<PgRow>,
    first: usize,
) -> Result<Option<Cursor>, StoreError> {
    let limit = usize::try_from(query.page.limit.get()).unwrap_or(usize::MAX);
    if query.walk.is_none() || rows.len() <= limit {
        return Ok(None);
    }
    rows.truncate(limit);
    let Some(last) = rows.last() else {
        return Ok(None);
    };
    let value = if query.sort.key.is_time() {
        Value::Time(last.try_get(first - 1)?)
    } else {
        Value::Name(last.try_get(first - 1)?)
    };
    let id: Uuid = last.try_get(first)?;
    Ok(Cursor::new(query.sort, value, id.into()))
}
