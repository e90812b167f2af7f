//! The pieces that the list's statements are made of.

use std::fmt::Write;

use sqlx::postgres::PgArguments;
use sqlx::{Arguments, Encode, Postgres, Type};

use super::order::Order;
use super::{Filters, ListQuery};
use crate::domain::CompanyId;
use crate::domain::order::SortKey;
use crate::domain::page::Page;
use crate::domain::period::Period;
use crate::domain::search::Condition;
use crate::store::StoreError;

/// The order of a list that asks for no other, and of the indexes that serve it.
pub const NEWEST_FIRST: &str = "created_at desc, id desc";

/// A part of a company's customers that has an index of its own in the order of the list.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    /// `customers_newest`, and `customers_live_by_status` when a status is asked for.
    Live,
    /// Those of the live whose search text is in the index: `customers_live_search`.
    LiveShort,
    /// The other live ones: `customers_live_long`.
    LiveLong,
    /// `customers_archived`.
    Archived,
}

/// How a search is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Search {
    /// As an operator, which an index of trigrams serves.
    ByIndex,
    /// As a function, which none does: for walking what most rows satisfy.
    ByRow,
}

/// Conditions on customers, and the values that they and the rest of a statement speak of.
/// `$1` is the company, `$2` the length of the page (in a walk one more, which tells whether it goes
/// on), `$3` how many stand before it.
pub struct Statement {
    conditions: String,
    arguments: PgArguments,
}

impl Part {
    /// What makes a customer one of this part.
    pub fn condition(self) -> &'static str {
        match self {
            Self::Live => "archived_at is null",
            Self::LiveShort => "archived_at is null and octet_length(search_text) <= 2000",
            Self::LiveLong => "archived_at is null and octet_length(search_text) > 2000",
            Self::Archived => "archived_at is not null",
        }
    }

    /// The parts to look through for `filters`.
    pub fn of(filters: &Filters) -> &'static [Self] {
        match (filters.search.is_some(), filters.archived) {
            (false, false) => &[Self::Live],
            (false, true) => &[Self::Live, Self::Archived],
            (true, false) => &[Self::LiveShort, Self::LiveLong],
            (true, true) => &[Self::LiveShort, Self::LiveLong, Self::Archived],
        }
    }
}

impl Statement {
    /// The conditions of a query, but for whether archived customers are wanted.
    pub fn new(company: CompanyId, query: &ListQuery, search: Search) -> Result<Self, StoreError> {
        let mut statement = Self {
            conditions: "company_id = $1".to_owned(),
            arguments: PgArguments::default(),
        };
        statement.bind(company.as_uuid())?;
        statement.bind(query.page.limit.get() + i64::from(query.walk.is_some()))?;
        statement.bind(query.page.offset())?;
        if let Some(status) = query.filters.status {
            let status = statement.bind(status.as_str())?;
            statement.and(&format!("status = {status}"));
        }
        if !query.filters.tags.is_empty() {
            let tags: Vec<&str> = query.filters.tags.iter().collect();
            let tags = statement.bind(tags)?;
            statement.and(&format!("tags && {tags}"));
        }
        statement.within("created_at", query.filters.created)?;
        statement.within("updated_at", query.filters.updated)?;
        if let Some(condition) = &query.filters.search {
            let condition = statement.condition(condition, search)?;
            statement.and(&condition);
        }
        Ok(statement)
    }

    /// Adds a value; the answer is its placeholder.
    pub fn bind<'q, T>(&mut self, value: T) -> Result<String, StoreError>
    where
        T: Encode<'q, Postgres> + Type<Postgres>,
    {
        self.arguments
            .add(value)
            .map_err(|error| StoreError::Internal(sqlx::Error::Encode(error)))?;
        Ok(format!("${}", self.arguments.len()))
    }

    /// The values.
    pub fn arguments(self) -> PgArguments {
        self.arguments
    }

    /// What a customer must satisfy, archived or not.
    pub fn conditions(&self) -> &str {
        &self.conditions
    }

    /// What a customer of `part` must satisfy.
    pub fn conditions_in(&self, part: Part) -> String {
        format!("{} and {}", self.conditions, part.condition())
    }

    /// The number of customers in `parts`, as an expression.
    pub fn count(&self, parts: &[Part]) -> String {
        let counts: Vec<String> = parts
            .iter()
            .map(|part| {
                let conditions = self.conditions_in(*part);
                format!("(select count(*) from customers where {conditions})")
            })
            .collect();
        counts.join(" + ")
    }

    /// The ids of a page near the top of the list, as a query.
    pub fn top_ids(&self, parts: &[Part]) -> String {
        self.slice(parts, &Order::NEWEST_FIRST, "$2", "$3")
    }

    /// The ids of the page of `query`, as a query.
    pub fn page_ids(&self, query: &ListQuery, order: &Order) -> String {
        let parts = Part::of(&query.filters);
        if !query.is_usual() {
            let parts = match query.sort.key {
                SortKey::CreatedAt => parts,
                // The indexes of other orders have the long search texts too.
                _ if query.filters.archived => &[Part::Live, Part::Archived],
                _ => &[Part::Live],
            };
            self.slice(parts, order, "$2", "$3")
        } else if is_deep(query.page) || query.filters.are_counted() {
            self.ids(parts)
        } else {
            self.top_ids(parts)
        }
    }

    /// The ids of the page, as a query, from whichever end of the list is nearer. It speaks of a
    /// table `totals` whose one row has the `total`.
    pub fn ids(&self, parts: &[Part]) -> String {
        const TOTAL: &str = "(select total from totals)";
        let forward = self.slice(
            parts,
            &Order::NEWEST_FIRST,
            &format!("case when $3 <= {TOTAL} / 2 then $2 else 0 end"),
            "$3",
        );
        // The page's last customers may be missing: it is cut at the end of the list.
        let backward = self.slice(
            parts,
            &Order::OLDEST_FIRST,
            &format!(
                "case when $3 > {TOTAL} / 2 then greatest(least($2, {TOTAL} - $3), 0) else 0 end"
            ),
            &format!("greatest({TOTAL} - $3 - $2, 0)"),
        );
        format!("select id, created_at from (({forward}) union all ({backward})) as p limit $2")
    }

    /// `limit` ids after the first `offset`, of all parts in the given order. A limit of 0 reads
    /// nothing.
    fn slice(&self, parts: &[Part], order: &Order, limit: &str, offset: &str) -> String {
        let (selected, after, in_order) =
            (order.selected(), order.and_after(), order.of_customers());
        let cut = |part: &Part| {
            let conditions = self.conditions_in(*part);
            format!(
                "(select {selected} from customers where {conditions}{after}
                order by {in_order}
                limit case when ({limit}) > 0 then ({limit}) + ({offset}) else 0 end)"
            )
        };
        match parts {
            [only] => {
                let conditions = self.conditions_in(*only);
                format!(
                    "select {selected} from customers where {conditions}{after}
                    order by {in_order} limit {limit} offset {offset}"
                )
            }
            several => {
                let cuts: Vec<String> = several.iter().map(cut).collect();
                format!(
                    "select {} from ({}) as c order by {} limit {limit} offset {offset}",
                    order.columns(),
                    cuts.join(" union all "),
                    order.of_selected(""),
                )
            }
        }
    }

    /// The bounds of a period are moved, not the times in it: so an index serves them.
    fn within(&mut self, column: &str, period: Period) -> Result<(), StoreError> {
        if let Some(after) = period.after {
            let first = self.bind(after.first())?;
            self.and(&format!("{column} >= {first}"));
        }
        if let Some(before) = period.before {
            let end = self.bind(before.end())?;
            self.and(&format!("{column} < {end}"));
        }
        Ok(())
    }

    fn and(&mut self, condition: &str) {
        // Writing to a string does not fail.
        let _ = write!(self.conditions, " and {condition}");
    }

    fn condition(&mut self, condition: &Condition, search: Search) -> Result<String, StoreError> {
        match condition {
            Condition::Contains(needle) => {
                let pattern = self.bind(needle.like_pattern())?;
                Ok(match search {
                    Search::ByIndex => format!("search_text like {pattern}"),
                    Search::ByRow => format!("\"like\"(search_text, {pattern})"),
                })
            }
            Condition::All(all) => self.joined(all, " and ", search),
            Condition::Any(any) => self.joined(any, " or ", search),
        }
    }

    fn joined(
        &mut self,
        conditions: &[Condition],
        with: &str,
        search: Search,
    ) -> Result<String, StoreError> {
        let parts: Result<Vec<String>, StoreError> = conditions
            .iter()
            .map(|part| self.condition(part, search))
            .collect();
        Ok(format!("({})", parts?.join(with)))
    }
}

/// Whether the customers before the page are better skipped in the index alone: each costs a look
/// at the table otherwise, while a customer that is found in the index first costs two.
pub fn is_deep(page: Page) -> bool {
    page.offset() > 2 * page.limit.get()
}
