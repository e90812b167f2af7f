//! Customers as they are sent: flat in the reply of an upsert, as items elsewhere.

use serde::Serialize;
use uuid::Uuid;

use super::expanded::ExpandedItem;
use super::timestamp;
use crate::domain::address::{Address, AddressOf};
use crate::domain::customer::{Customer, Listed, Status};
use crate::domain::email::Email;
use crate::domain::expand::Expand;
use crate::domain::location::Location;
use crate::domain::matching::Outcome;
use crate::domain::phone::Phone;
use crate::domain::tags::Tags;
use crate::domain::text::Text;
use crate::store::{CustomerPage, ListQuery, Upserted};

/// The reply of `POST /customers`.
#[derive(Serialize)]
pub struct FlatCustomer<'a> {
    #[serde(flatten)]
    fields: FlatFields<'a>,
    created_at: String,
    message: &'static str,
}

/// Every field of the body of `POST /customers`, absent ones `null`.
#[derive(Serialize)]
pub struct FlatFields<'a> {
    id: String,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    company_name: Option<&'a str>,
    email: Option<&'a str>,
    phone: Option<&'a str>,
    notes: Option<&'a str>,
    source: Option<&'a str>,
    status: Option<&'a str>,
    tags: Option<Vec<&'a str>>,
    service_type: Option<&'a str>,
    service_frequency: Option<&'a str>,
    billing_street1: Option<&'a str>,
    billing_street2: Option<&'a str>,
    billing_city: Option<&'a str>,
    billing_state: Option<&'a str>,
    billing_zip: Option<&'a str>,
    billing_country: Option<&'a str>,
    billing_same_as_property: Option<bool>,
    property_street1: Option<&'a str>,
    property_street2: Option<&'a str>,
    property_city: Option<&'a str>,
    property_state: Option<&'a str>,
    property_zip: Option<&'a str>,
    property_country: Option<&'a str>,
}

/// The reply of `GET /customers`.
#[derive(Serialize)]
pub struct ListReply<'a> {
    data: Items<'a>,
    pagination: Pagination,
    status: &'static str,
}

/// The reply of `GET /customers/{id}`.
#[derive(Serialize)]
pub struct ItemReply<'a> {
    data: OneItem<'a>,
    status: &'static str,
}

/// Those who ask for no more get the item alone, as quickly as ever.
#[derive(Serialize)]
#[serde(untagged)]
enum Items<'a> {
    Plain(Vec<Item<'a>>),
    Expanded(Vec<ExpandedItem<'a>>),
}

#[derive(Serialize)]
#[serde(untagged)]
enum OneItem<'a> {
    Plain(Box<Item<'a>>),
    Expanded(Box<ExpandedItem<'a>>),
}

#[derive(Serialize)]
struct Pagination {
    has_more: bool,
    limit: i64,
    /// In a walk: where it goes on, `null` at its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<NextCursor>,
    page: i64,
    total: i64,
}

#[derive(Serialize)]
#[serde(transparent)]
struct NextCursor(Option<String>);

/// A customer in a list. What has no value is left out, but for four fields that are `null` then.
#[derive(Serialize)]
pub struct Item<'a> {
    id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<ItemAddress<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    company_name: Option<&'a str>,
    created_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_name: Option<&'a str>,
    has_payment_method: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_name: Option<&'a str>,
    location: Option<[f64; 2]>,
    notes: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    tags: Option<&'a [String]>,
}

/// The property's address; five of its lines are always strings.
#[derive(Serialize)]
struct ItemAddress<'a> {
    city: &'a str,
    country: &'a str,
    state: &'a str,
    street1: &'a str,
    street2: Option<&'a str>,
    zip: &'a str,
}

impl<'a> FlatCustomer<'a> {
    /// The reply that tells of `upserted`.
    pub fn new(upserted: &'a Upserted) -> Self {
        let customer = &upserted.customer;
        Self {
            fields: FlatFields::new(customer, customer.profile.shown_billing()),
            created_at: timestamp(customer.created_at),
            message: match upserted.outcome {
                Outcome::Created => "Customer created successfully",
                Outcome::Updated | Outcome::Unchanged => "Customer updated successfully",
            },
        }
    }
}

impl<'a> FlatFields<'a> {
    /// The fields of `customer`, with `billing` as its billing address.
    pub fn new(customer: &'a Customer, billing: &'a Address) -> Self {
        let profile = &customer.profile;
        let property = &profile.property;
        Self {
            id: customer.id.to_string(),
            first_name: text(profile.first_name.as_ref()),
            last_name: text(profile.last_name.as_ref()),
            company_name: text(profile.company_name.as_ref()),
            email: profile.email.as_ref().map(Email::as_str),
            phone: profile.phone.as_ref().map(Phone::as_str),
            notes: text(profile.notes.as_ref()),
            source: text(profile.source.as_ref()),
            status: profile.status.map(Status::as_str),
            tags: tags(&profile.tags),
            service_type: text(profile.service_type.as_ref()),
            service_frequency: text(profile.service_frequency.as_ref()),
            billing_street1: text(billing.street1.as_ref()),
            billing_street2: text(billing.street2.as_ref()),
            billing_city: text(billing.city.as_ref()),
            billing_state: text(billing.state.as_ref()),
            billing_zip: text(billing.zip.as_ref()),
            billing_country: text(billing.country.as_ref()),
            billing_same_as_property: profile.billing_same_as_property,
            property_street1: text(property.street1.as_ref()),
            property_street2: text(property.street2.as_ref()),
            property_city: text(property.city.as_ref()),
            property_state: text(property.state.as_ref()),
            property_zip: text(property.zip.as_ref()),
            property_country: text(property.country.as_ref()),
        }
    }
}

impl<'a> ListReply<'a> {
    /// The reply with the `customers` of the page that was `found` for `query`.
    pub fn new(customers: &'a [Listed<'a>], found: &CustomerPage, query: &ListQuery) -> Self {
        let (page, total) = (query.page, found.total);
        let next_cursor = query
            .walk
            .as_ref()
            .map(|_| NextCursor(found.next.as_ref().map(ToString::to_string)));
        Self {
            data: Items::new(customers, query.expand),
            pagination: Pagination {
                has_more: match &next_cursor {
                    Some(next) => next.0.is_some(),
                    None => page.has_more(total),
                },
                limit: page.limit.get(),
                next_cursor,
                page: page.number.get(),
                total,
            },
            status: "success",
        }
    }
}

impl<'a> ItemReply<'a> {
    /// The reply with one customer.
    pub fn new(customer: &'a Listed<'a>) -> Self {
        Self::expanded(customer, Expand::default())
    }

    /// The reply with one customer and what `expand` names.
    pub fn expanded(customer: &'a Listed<'a>, expand: Expand) -> Self {
        Self {
            data: if expand.is_nothing() {
                OneItem::Plain(Box::new(Item::new(customer)))
            } else {
                OneItem::Expanded(Box::new(ExpandedItem::new(customer, expand)))
            },
            status: "success",
        }
    }
}

impl<'a> Items<'a> {
    fn new(customers: &'a [Listed<'a>], expand: Expand) -> Self {
        if expand.is_nothing() {
            return Self::Plain(customers.iter().map(Item::new).collect());
        }
        let expanded = |customer| ExpandedItem::new(customer, expand);
        Self::Expanded(customers.iter().map(expanded).collect())
    }
}

impl<'a> Item<'a> {
    /// The item of `customer`.
    pub fn new(customer: &'a Listed<'a>) -> Self {
        Self {
            id: customer.id.as_uuid(),
            address: ItemAddress::of(&customer.property),
            company_name: customer.company_name,
            created_at: timestamp(customer.created_at),
            email: customer.email,
            first_name: customer.first_name,
            has_payment_method: customer.has_payment_method,
            last_name: customer.last_name,
            location: customer.location.map(coordinates),
            notes: customer.notes,
            phone: customer.phone,
            source: customer.source,
            status: customer.status.map(Status::as_str),
            tags: (!customer.tags.is_empty()).then_some(customer.tags.as_slice()),
        }
    }
}

impl<'a> ItemAddress<'a> {
    fn of(address: &AddressOf<Option<&'a str>>) -> Option<Self> {
        if address.is_empty() {
            return None;
        }
        Some(Self {
            city: address.city.unwrap_or_default(),
            country: address.country.unwrap_or_default(),
            state: address.state.unwrap_or_default(),
            street1: address.street1.unwrap_or_default(),
            street2: address.street2,
            zip: address.zip.unwrap_or_default(),
        })
    }
}

/// A place as it is sent.
pub fn coordinates(place: Location) -> [f64; 2] {
    [place.latitude(), place.longitude()]
}

fn text<const MAX: usize>(text: Option<&Text<MAX>>) -> Option<&str> {
    text.map(Text::as_str)
}

fn tags(tags: &Tags) -> Option<Vec<&str>> {
    (!tags.is_empty()).then(|| tags.iter().collect())
}
