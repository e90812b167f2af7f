//! Items with the groups of fields that were asked for.

use serde::Serialize;

use super::customer::Item;
use super::timestamp;
use crate::domain::address::AddressOf;
use crate::domain::customer::{Listed, ListedBilling, ListedService, ListedTimes};
use crate::domain::expand::Expand;

/// A customer in a list, with the fields that were asked for.
#[derive(Serialize)]
pub struct ExpandedItem<'a> {
    #[serde(flatten)]
    item: Item<'a>,
    #[serde(flatten)]
    billing: Option<BillingFields<'a>>,
    #[serde(flatten)]
    property: Option<PropertyFields<'a>>,
    #[serde(flatten)]
    service: Option<ServiceFields<'a>>,
    #[serde(flatten)]
    times: Option<TimeFields>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names)] // The names are the documented fields' own.
struct BillingFields<'a> {
    billing_street1: Option<&'a str>,
    billing_street2: Option<&'a str>,
    billing_city: Option<&'a str>,
    billing_state: Option<&'a str>,
    billing_zip: Option<&'a str>,
    billing_country: Option<&'a str>,
    billing_same_as_property: Option<bool>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names)] // The names are the documented fields' own.
struct PropertyFields<'a> {
    property_street1: Option<&'a str>,
    property_street2: Option<&'a str>,
    property_city: Option<&'a str>,
    property_state: Option<&'a str>,
    property_zip: Option<&'a str>,
    property_country: Option<&'a str>,
}

#[derive(Serialize)]
struct ServiceFields<'a> {
    service_type: Option<&'a str>,
    service_frequency: Option<&'a str>,
}

#[derive(Serialize)]
struct TimeFields {
    updated_at: String,
    archived_at: Option<String>,
}

impl<'a> ExpandedItem<'a> {
    /// The item with what `expand` names.
    pub fn new(customer: &'a Listed<'a>, expand: Expand) -> Self {
        let property = &customer.property;
        Self {
            item: Item::new(customer),
            billing: customer
                .billing
                .as_ref()
                .map(|billing| BillingFields::new(billing, property)),
            property: expand.property.then(|| PropertyFields::new(property)),
            service: customer.service.as_ref().map(ServiceFields::new),
            times: customer.times.as_ref().map(TimeFields::new),
        }
    }
}

impl<'a> BillingFields<'a> {
    fn new(billing: &'a ListedBilling<'a>, property: &'a AddressOf<Option<&'a str>>) -> Self {
        let shown = billing.shown(property);
        Self {
            billing_street1: shown.street1,
            billing_street2: shown.street2,
            billing_city: shown.city,
            billing_state: shown.state,
            billing_zip: shown.zip,
            billing_country: shown.country,
            billing_same_as_property: billing.same_as_property,
        }
    }
}

impl<'a> PropertyFields<'a> {
    fn new(property: &AddressOf<Option<&'a str>>) -> Self {
        Self {
            property_street1: property.street1,
            property_street2: property.street2,
            property_city: property.city,
            property_state: property.state,
            property_zip: property.zip,
            property_country: property.country,
        }
    }
}

impl<'a> ServiceFields<'a> {
    fn new(service: &ListedService<'a>) -> Self {
        Self {
            service_type: service.service_type,
            service_frequency: service.frequency,
        }
    }
}

impl TimeFields {
    fn new(times: &ListedTimes) -> Self {
        Self {
            updated_at: timestamp(times.updated_at),
            archived_at: times.archived_at.map(timestamp),
        }
    }
}
