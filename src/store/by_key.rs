//! Customers looked for by a match key.

/// The column of the phone's key.
pub const PHONE_KEY: &str = "phone_key";
/// That of the e-mail's.
pub const EMAIL_KEY: &str = "email_key";
/// Before all places.
pub const BEGINNING: &str = "'-infinity', '00000000-0000-0000-0000-000000000000'";

/// The live customer that comes next behind a place among those with a key; it has to be looked at
/// whether it has that key too.
///
/// Served by `customers_by_phone` or `customers_by_email`, whose whole order this names: of a
/// company and a key that are given Postgres may take `customers_newest` to be as good, and walk all
/// customers for each key, as long as it has not seen how many different ones there are.
pub fn next_by(column: &str, company: &str, key: &str, place: &str) -> String {
    format!(
        "select company_id, {column} as key, created_at, id from customers
        where (company_id, {column}, created_at, id) > ({company}, {key}, {place})
            and {column} is not null and archived_at is null
        order by company_id, {column}, created_at, id
        limit 1"
    )
}

/// The id of the first-created live customer with the key that is a parameter; none without one.
pub fn first_by(column: &str, company: &str, key: &str) -> String {
    format!(
        "select n.id from ({}) as n
        where {key}::text is not null and n.company_id = {company} and n.key = {key}",
        next_by(column, company, key, BEGINNING)
    )
}
