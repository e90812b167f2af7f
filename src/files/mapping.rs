//! Which column of a file is which field.

use std::str::FromStr;

use serde_json::{Map, Value};
use thiserror::Error;

use super::cell::{split_tags, unguarded};
use super::{COLUMNS, writer};

/// Columns of other tools by other names, as they read without case and punctuation.
const ALIASES: [(&str, &str); 34] = [
    ("firstname", "first_name"),
    ("givenname", "first_name"),
    ("lastname", "last_name"),
    ("surname", "last_name"),
    ("familyname", "last_name"),
    ("company", "company_name"),
    ("organization", "company_name"),
    ("organisation", "company_name"),
    ("businessname", "company_name"),
    ("emailaddress", "email"),
    ("mail", "email"),
    ("phonenumber", "phone"),
    ("telephone", "phone"),
    ("tel", "phone"),
    ("note", "notes"),
    ("comments", "notes"),
    ("leadsource", "source"),
    ("tag", "tags"),
    ("labels", "tags"),
    ("street", "property_street1"),
    ("street1", "property_street1"),
    ("address", "property_street1"),
    ("address1", "property_street1"),
    ("addressline1", "property_street1"),
    ("street2", "property_street2"),
    ("address2", "property_street2"),
    ("addressline2", "property_street2"),
    ("city", "property_city"),
    ("state", "property_state"),
    ("zip", "property_zip"),
    ("zipcode", "property_zip"),
    ("postalcode", "property_zip"),
    ("country", "property_country"),
    ("lat", "latitude"),
];

/// What the customer exports of field-service tools call theirs besides.
const FIELD_SERVICE: [(&str, &str); 40] = [
    ("clientname", "company_name"),
    ("customername", "company_name"),
    ("displayname", "company_name"),
    ("mainphone", "phone"),
    ("mainphones", "phone"),
    ("primaryphone", "phone"),
    ("mobilenumber", "phone"),
    ("mobilephone", "phone"),
    ("mobile", "phone"),
    ("cellphone", "phone"),
    ("homenumber", "phone"),
    ("homephone", "phone"),
    ("workphone", "phone"),
    ("mainemail", "email"),
    ("emails", "email"),
    ("primaryemail", "email"),
    ("customertags", "tags"),
    ("clienttags", "tags"),
    ("customertype", "tags"),
    ("referralsource", "source"),
    ("howdidyouhearaboutus", "source"),
    ("privatenotes", "notes"),
    ("customernotes", "notes"),
    ("service", "service_type"),
    ("servicetype", "service_type"),
    ("frequency", "service_frequency"),
    ("servicestreet1", "property_street1"),
    ("serviceaddress", "property_street1"),
    ("serviceaddress1", "property_street1"),
    ("servicestreet2", "property_street2"),
    ("serviceaddress2", "property_street2"),
    ("servicecity", "property_city"),
    ("servicestate", "property_state"),
    ("serviceprovince", "property_state"),
    ("servicezip", "property_zip"),
    ("servicezipcode", "property_zip"),
    ("servicepostalcode", "property_zip"),
    ("servicecountry", "property_country"),
    ("billingaddress", "billing_street1"),
    ("billingzipcode", "billing_zip"),
];

/// What the columns of somebody else's files are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Preset {
    /// Customer exports of field-service tools: mobile and home numbers, service addresses
    FieldService,
}

/// `name=value`, as given on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// What stands before the sign.
    pub name: String,
    /// What stands behind it.
    pub value: String,
}

/// Something that cannot be mapped.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MappingError {
    /// Not `name=value`.
    #[error("{0:?} has no `=`")]
    NoSign(String),
    /// Not a field.
    #[error("there is no field {0:?}")]
    NoField(String),
    /// Not a column.
    #[error("the file has no column {0:?}")]
    NoColumn(String),
    /// Not a single column is a field.
    #[error("no column is a field: name them by --map column=field")]
    Nothing,
}

/// How a file is to be read.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Column and field; a blank field is a column to leave out.
    pub columns: Vec<Assignment>,
    /// Field and value, for rows that have none.
    pub constants: Vec<Assignment>,
    /// More names.
    pub preset: Option<Preset>,
    /// What stands between tags.
    pub tag_separator: char,
}

impl FromStr for Assignment {
    type Err = MappingError;

    fn from_str(raw: &str) -> Result<Self, MappingError> {
        let (name, value) = raw
            .rsplit_once('=')
            .ok_or_else(|| MappingError::NoSign(raw.to_owned()))?;
        Ok(Self {
            name: name.trim().to_owned(),
            value: value.trim().to_owned(),
        })
    }
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            columns: Vec::new(),
            constants: Vec::new(),
            preset: None,
            tag_separator: writer::TAG_SEPARATOR,
        }
    }
}

impl Mapping {
    /// Makes sure that all fields that are named are there.
    ///
    /// # Errors
    /// When one is not.
    pub fn check(&self) -> Result<(), MappingError> {
        let mapped = self.columns.iter().map(|mapped| &mapped.value);
        let set = self.constants.iter().map(|constant| &constant.name);
        for name in mapped.filter(|name| !name.is_empty()).chain(set) {
            field(name).ok_or_else(|| MappingError::NoField(name.clone()))?;
        }
        Ok(())
    }

    /// The field of each of these columns; none where it is no field.
    ///
    /// # Errors
    /// When a column to map is not there, or none is a field.
    pub fn fields(&self, columns: &[String]) -> Result<Vec<Option<&'static str>>, MappingError> {
        for mapped in &self.columns {
            if !columns.iter().any(|column| same(column, &mapped.name)) {
                return Err(MappingError::NoColumn(mapped.name.clone()));
            }
        }
        let fields: Vec<_> = columns.iter().map(|column| self.field_of(column)).collect();
        if fields.iter().all(Option::is_none) {
            return Err(MappingError::Nothing);
        }
        Ok(fields)
    }

    /// The field that a column is.
    #[must_use]
    pub fn field_of(&self, column: &str) -> Option<&'static str> {
        if let Some(mapped) = self
            .columns
            .iter()
            .find(|mapped| same(column, &mapped.name))
        {
            return field(&mapped.value);
        }
        let plain = plain(column);
        let named = COLUMNS.into_iter().find(|name| self::plain(name) == plain);
        let preset: &[(&str, &str)] = match self.preset {
            Some(Preset::FieldService) => &FIELD_SERVICE,
            None => &[],
        };
        named.or_else(|| {
            let mut aliases = preset.iter().chain(&ALIASES);
            let (_, field_name) = aliases.find(|(alias, _)| *alias == plain)?;
            field(field_name)
        })
    }

    /// Puts a cell into the fields of a row, as a post would have it. Of several cells for one field
    /// the first that is not blank counts; tags are added.
    pub fn put(&self, row: &mut Map<String, Value>, field: &'static str, cell: &str) {
        let cell = unguarded(cell);
        if cell.trim().is_empty() {
            return;
        }
        if field == "tags" {
            fill(row, field, Value::Array(Vec::new()));
            if let Some(Value::Array(tags)) = row.get_mut(field) {
                let more = split_tags(cell, self.tag_separator);
                tags.extend(more.into_iter().map(Value::String));
            }
            return;
        }
        let value = match field {
            "billing_same_as_property" => boolean(cell),
            _ => Value::String(cell.to_owned()),
        };
        fill(row, field, value);
    }

    /// Fills up a row: constants, and the location of its two numbers.
    pub fn complete(&self, row: &mut Map<String, Value>) {
        for constant in &self.constants {
            if let Some(field) = field(&constant.name) {
                self.put(row, field, &constant.value);
            }
        }
        let (latitude, longitude) = (row.remove("latitude"), row.remove("longitude"));
        if latitude.is_some() || longitude.is_some() {
            let location = [latitude, longitude].map(|degrees| number(degrees.as_ref()));
            let location = match location {
                [Value::Null, Value::Null] => Value::Null,
                known => known.to_vec().into(),
            };
            row.insert("location".to_owned(), location);
        }
    }
}

/// Sets a field that has no value yet.
pub(super) fn fill(row: &mut Map<String, Value>, field: &str, value: Value) {
    let is_blank = match row.get(field) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(_) => false,
    };
    if is_blank {
        row.insert(field.to_owned(), value);
    }
}

/// A number as JSON has it; what is none stays what it is, and will be refused with its field.
fn number(degrees: Option<&Value>) -> Value {
    match degrees {
        Some(Value::String(text)) => text
            .trim()
            .parse::<f64>()
            .ok()
            .and_then(serde_json::Number::from_f64)
            .map_or_else(|| Value::String(text.clone()), Value::Number),
        Some(number) => number.clone(),
        None => Value::Null,
    }
}

fn boolean(cell: &str) -> Value {
    match cell.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "y" | "1" => true.into(),
        "false" | "no" | "n" | "0" => false.into(),
        _ => cell.into(),
    }
}

fn field(name: &str) -> Option<&'static str> {
    COLUMNS.into_iter().find(|field| *field == name)
}

fn same(column: &str, name: &str) -> bool {
    column.trim() == name
}

/// A name without case, spaces and punctuation.
fn plain(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn columns_are_known_in_any_spelling() {
        let mapping = Mapping::default();
        for (column, field) in [
            ("first_name", "first_name"),
            ("First Name", "first_name"),
            ("E-Mail", "email"),
            ("Phone Number", "phone"),
            ("Postal-Code", "property_zip"),
            ("Billing Street 1", "billing_street1"),
        ] {
            assert_eq!(mapping.field_of(column), Some(field), "{column}");
        }
        assert_eq!(mapping.field_of("Mobile Number"), None);
        assert_eq!(mapping.field_of("name"), None);
    }

    #[test]
    fn aliases_name_fields() {
        for (alias, name) in ALIASES.iter().chain(&FIELD_SERVICE) {
            assert!(field(name).is_some(), "{name}");
            assert_eq!(plain(alias), *alias);
        }
    }

    #[test]
    fn a_preset_adds_names_and_a_mapping_beats_them_all() {
        let mapping = Mapping {
            preset: Some(Preset::FieldService),
            columns: vec!["City=notes".parse().unwrap(), "Mobile=".parse().unwrap()],
            ..Mapping::default()
        };
        let fields = mapping
            .fields(&columns(&["Mobile", "Home Phone", "City", "Service City"]))
            .unwrap();
        let expected = [None, Some("phone"), Some("notes"), Some("property_city")];
        assert_eq!(fields, expected);
    }

    #[test]
    fn what_cannot_be_mapped_is_named() {
        let mapping = Mapping {
            columns: vec!["nmae=company_name".parse().unwrap()],
            ..Mapping::default()
        };
        assert_eq!(
            mapping.fields(&columns(&["name"])),
            Err(MappingError::NoColumn("nmae".to_owned()))
        );
        let mapping = Mapping {
            columns: vec!["name=compnay".parse().unwrap()],
            ..Mapping::default()
        };
        assert_eq!(
            mapping.check(),
            Err(MappingError::NoField("compnay".to_owned()))
        );
    }
}
