//! The query of `GET /customers`.

use std::str::FromStr;

use actix_web::web::Query;

use crate::domain::FieldError;
use crate::domain::expand::Expand;
use crate::domain::order::{Cursor, Sort, Walk};
use crate::domain::page::{OutOfRange, Page, PageNumber};
use crate::domain::period::Period;
use crate::domain::phone::DefaultRegion;
use crate::domain::search;
use crate::domain::tags::Tags;
use crate::files::Format;
use crate::http::error::ApiError;
use crate::store::{Filters, ListQuery};

/// The parameters of a query, and what was wrong with those that were read.
struct Parameters {
    pairs: Vec<(String, String)>,
    errors: Vec<FieldError>,
}

/// Reads the query string of a list. Unknown parameters are ignored, blank ones count as absent.
///
/// # Errors
/// When parameters cannot be accepted: all of these, in documented order.
pub fn list_query(query: &str, region: DefaultRegion) -> Result<ListQuery, ApiError> {
    let mut parameters = Parameters::new(query);
    let walks = parameters.given("cursor").is_some();
    let page = |raw: &str| numbered(raw, walks);
    let mut read = ListQuery {
        page: Page {
            number: parameters.read("page", page).unwrap_or_default(),
            limit: parameters.parse("limit").unwrap_or_default(),
        },
        filters: Filters {
            search: parameters
                .read("search", |raw| search::parse(raw, region))
                .flatten(),
            status: parameters.parse("status"),
            tags: parameters.tags(),
            archived: parameters.read("archived", boolean).unwrap_or(false),
            created: Period {
                after: parameters.parse("created_after"),
                before: parameters.parse("created_before"),
            },
            updated: Period {
                after: parameters.parse("updated_after"),
                before: parameters.parse("updated_before"),
            },
        },
        sort: parameters.parse("sort").unwrap_or_default(),
        walk: None,
        expand: Expand::default(),
    };
    if walks {
        read.walk = Some(parameters.walk(read.sort));
    }
    read.expand = parameters.expand();
    parameters.end(read)
}

/// Reads the query string of a single customer.
///
/// # Errors
/// When parameters cannot be accepted.
pub fn expand_query(query: &str) -> Result<Expand, ApiError> {
    if query.is_empty() {
        return Ok(Expand::default());
    }
    let mut parameters = Parameters::new(query);
    let expand = parameters.expand();
    parameters.end(expand)
}

/// Reads the query string of an export: the filters of a list, and the format.
///
/// # Errors
/// As for a list.
pub fn export_query(query: &str, region: DefaultRegion) -> Result<(Format, Filters), ApiError> {
    let mut parameters = Parameters::new(query);
    let format = parameters.parse("format").unwrap_or(Format::Csv);
    match list_query(query, region) {
        Ok(list) if parameters.errors.is_empty() => Ok((format, list.filters)),
        Ok(_) => Err(ApiError::Validation(parameters.errors)),
        Err(ApiError::Validation(mut errors)) => {
            errors.splice(0..0, parameters.errors);
            Err(ApiError::Validation(errors))
        }
        Err(error) => Err(error),
    }
}

impl Parameters {
    fn new(query: &str) -> Self {
        // Pairs of strings can be read from any query: what is no escape stays as it is.
        let pairs = Query::<Vec<(String, String)>>::from_query(query).map(Query::into_inner);
        Self {
            pairs: pairs.unwrap_or_default(),
            errors: Vec::new(),
        }
    }

    fn parse<T: FromStr<Err: ToString>>(&mut self, name: &'static str) -> Option<T> {
        self.read(name, T::from_str)
    }

    /// Reads a parameter; of one given more than once, the last.
    fn read<T, E: ToString>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let raw = self.given(name)?;
        if raw.trim().is_empty() {
            return None;
        }
        match parse(raw) {
            Ok(value) => Some(value),
            Err(error) => {
                self.errors.push(FieldError::new(name, &error));
                None
            }
        }
    }

    /// A parameter as it was given; of one given more than once, the last.
    fn given(&self, name: &str) -> Option<&str> {
        let (_, raw) = self.pairs.iter().rfind(|(given, _)| given == name)?;
        Some(raw)
    }

    /// What was read, unless something was wrong.
    fn end<T>(self, read: T) -> Result<T, ApiError> {
        if self.errors.is_empty() {
            Ok(read)
        } else {
            Err(ApiError::Validation(self.errors))
        }
    }

    /// How far a walk has come: not at all while its cursor is blank.
    fn walk(&mut self, sort: Sort) -> Walk {
        // Whether it is the cursor of a sort that is wrong cannot be told.
        let sort_is_known = self.errors.iter().all(|error| error.field != "sort");
        let cursor = self.read("cursor", |raw| {
            if sort_is_known {
                Cursor::parse(raw, sort)
            } else {
                raw.parse()
            }
        });
        cursor.map_or(Walk::Start, Walk::After)
    }

    /// The groups of every `expand` parameter.
    fn expand(&mut self) -> Expand {
        let all = self.pairs.iter().filter(|(name, _)| name == "expand");
        match Expand::parse(all.flat_map(|(_, list)| list.split(','))) {
            Ok(expand) => expand,
            Err(error) => {
                self.errors.push(FieldError::new("expand", &error));
                Expand::default()
            }
        }
    }

    /// The tags of every `tags` parameter.
    fn tags(&mut self) -> Tags {
        let all = self.pairs.iter().filter(|(name, _)| name == "tags");
        match Tags::parse(all.flat_map(|(_, list)| list.split(','))) {
            Ok(tags) => tags,
            Err(error) => {
                self.errors.push(FieldError::new("tags", &error));
                Tags::default()
            }
        }
    }
}

/// A walk has no numbers: its pages are all the first behind the cursor.
fn numbered(raw: &str, walks: bool) -> Result<PageNumber, String> {
    let number: PageNumber = raw.parse().map_err(|error: OutOfRange| error.to_string())?;
    if walks && number != PageNumber::default() {
        return Err("Must be 1 where there is a cursor".to_owned());
    }
    Ok(number)
}

fn boolean(raw: &str) -> Result<bool, &'static str> {
    match raw.trim() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("Must be true or false"),
    }
}
