//! The calls about customers.

use utoipa::openapi::Content;
use utoipa::openapi::path::{HttpMethod, Paths};
use utoipa::openapi::response::ResponseBuilder;

use super::calls::{Call, file, nothing};
use super::parameters::FILTERS;
use super::schema::named;
use crate::domain::key::Scope;

const READ: Option<Scope> = Some(Scope::CustomersRead);
const WRITE: Option<Scope> = Some(Scope::CustomersWrite);

const UPSERT: &str = "With `id` that customer is updated. Without it, the first-created live customer \
with the same phone, else with the same e-mail, is updated; else one is created. Tags are merged, never \
replaced.";
const BATCH: &str = "1 to 1,000 bodies of `POST /customers`, done in order in one transaction, as if \
posted one after the other. One that is refused does not fail the others. A batch keeps other writes to \
the company waiting.";
const ERASE: &str = "Erases the customer for good, with everything that is kept about it.";
const RESTORE: &str = "A customer may be restored although a live one has its phone or its e-mail by now: \
a header names the other.";
const SAVE: &str = "One with a provider and token that the customer has already is updated. A card \
number anywhere in the body is refused.";

/// How an upsert tells what it did.
const OUTCOME: [&str; 4] = [
    REPLAYED,
    "clientele-outcome",
    "clientele-matched-by",
    "clientele-also-matches",
];
/// How any reply tells that it was given before.
const REPLAYED: &str = "idempotency-replayed";

/// Adds all of them.
pub fn add_to(paths: &mut Paths) {
    all_customers(paths);
    one_customer(paths);
    privacy(paths);
    payment_methods(paths);
}

fn all_customers(paths: &mut Paths) {
    const TAG: &str = "Customers";
    Call::new(
        "listCustomers",
        TAG,
        "List and search",
        "Newest first, unless asked otherwise.",
        READ,
    )
    .takes(&["page", "limit"])
    .takes(&FILTERS)
    .takes(&["sort", "cursor", "expand"])
    .replies("200", "A page of customers", "CustomerList", &[])
    .add_to(paths, HttpMethod::Get, "/customers");
    Call::new("upsertCustomer", TAG, "Create or update", UPSERT, WRITE)
        .once()
        .body("CustomerBody")
        .may_miss()
        .replies("201", "Created", "Customer", &OUTCOME[..2])
        .replies("200", "Updated", "Customer", &OUTCOME)
        .add_to(paths, HttpMethod::Post, "/customers");
    Call::new("upsertCustomers", TAG, "Many at once", BATCH, WRITE)
        .once()
        .may_miss()
        .body("BatchBody")
        .replies("200", "What became of each", "BatchReply", &[REPLAYED])
        .add_to(paths, HttpMethod::Post, "/customers/batch");
    let types = [
        "text/csv",
        "text/tab-separated-values",
        "application/x-ndjson",
    ];
    Call::new(
        "exportCustomers",
        TAG,
        "Everyone as a file",
        "Everyone that a list would show, oldest first and from one moment, as a file.",
        READ,
    )
    .takes(&["format"])
    .takes(&FILTERS)
    .answer("200", file("The file", &types), &["content-disposition"])
    .add_to(paths, HttpMethod::Get, "/customers/export");
}

fn one_customer(paths: &mut Paths) {
    const TAG: &str = "One customer";
    let item = "CustomerItemReply";
    Call::new("getCustomer", TAG, "Get", "Archived customers too.", READ)
        .takes(&["id", "expand"])
        .may_miss()
        .replies("200", "The customer", item, &[])
        .add_to(paths, HttpMethod::Get, "/customers/{id}");
    let archive =
        "An archived customer is found by its id, and otherwise neither listed nor matched.";
    Call::new("archiveCustomer", TAG, "Archive", archive, WRITE)
        .once()
        .takes(&["id"])
        .may_miss()
        .replies("200", "The customer, archived", item, &[REPLAYED])
        .add_to(paths, HttpMethod::Post, "/customers/{id}/archive");
    Call::new("restoreCustomer", TAG, "Restore", RESTORE, WRITE)
        .once()
        .takes(&["id"])
        .may_miss()
        .replies("200", "The customer, live", item, &[REPLAYED, OUTCOME[3]])
        .add_to(paths, HttpMethod::Post, "/customers/{id}/restore");
    let retag =
        "What is to be removed goes first; then the others are added behind those that stay.";
    Call::new("retagCustomer", TAG, "Add and remove tags", retag, WRITE)
        .once()
        .takes(&["id"])
        .body("TagsBody")
        .may_miss()
        .replies("200", "The customer, retagged", "Customer", &OUTCOME)
        .add_to(paths, HttpMethod::Post, "/customers/{id}/tags");
}

fn privacy(paths: &mut Paths) {
    const TAG: &str = "Privacy";
    let content = Content::new(Some(named("PersonalData")));
    let data = ResponseBuilder::new()
        .description("Everything that is kept")
        .content("application/json", content);
    let about = "Everything that is kept about one person; what is not known is null.";
    Call::new("exportCustomer", TAG, "Everything about one", about, READ)
        .takes(&["id"])
        .may_miss()
        .answer("200", data, &["content-disposition"])
        .add_to(paths, HttpMethod::Get, "/customers/{id}/export");
    Call::new(
        "eraseCustomer",
        TAG,
        "Erase",
        ERASE,
        Some(Scope::CustomersDelete),
    )
    .takes(&["id"])
    .may_miss()
    .answer("204", nothing("Erased"), &[])
    .add_to(paths, HttpMethod::Delete, "/customers/{id}");
}

fn payment_methods(paths: &mut Paths) {
    const TAG: &str = "Payment methods";
    let write = Some(Scope::PaymentMethodsWrite);
    let path = "/customers/{id}/payment-methods";
    Call::new("listPaymentMethods", TAG, "List", "Oldest first.", READ)
        .takes(&["id"])
        .may_miss()
        .replies("200", "All of the customer's", "PaymentMethodList", &[])
        .add_to(paths, HttpMethod::Get, path);
    Call::new("savePaymentMethod", TAG, "Save", SAVE, write)
        .once()
        .takes(&["id"])
        .body("PaymentMethodBody")
        .may_miss()
        .replies("201", "Saved", "PaymentMethodReply", &[REPLAYED])
        .replies("200", "Updated", "PaymentMethodReply", &[REPLAYED])
        .add_to(paths, HttpMethod::Post, path);
    Call::new("removePaymentMethod", TAG, "Remove", "For good.", write)
        .takes(&["id", "payment_method"])
        .may_miss()
        .answer("204", nothing("Removed"), &[])
        .add_to(
            paths,
            HttpMethod::Delete,
            "/customers/{id}/payment-methods/{payment_method}",
        );
}
