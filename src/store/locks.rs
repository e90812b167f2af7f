//! Advisory locks: what makes posts about the same phone or e-mail wait for each other, on any
//! number of servers. They belong to the transaction, so a pooler between is no hindrance, and they
//! end with it however it ends.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::domain::CompanyId;
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::matching::MatchKeys;

/// The first half of the two-part lock of a company; keys use the one-part locks, which Postgres
/// keeps apart. The number means nothing but must never change while servers run.
const COMPANY_LOCKS: i32 = 0x0C11_E17E;

/// The statement that keeps all upserts of `company` out until the transaction ends.
#[must_use]
pub fn alone(company: CompanyId) -> String {
    let company = company_number(company);
    format!("select pg_advisory_xact_lock({COMPANY_LOCKS}, {company})")
}

/// The same, within the [`timeouts`](super::pool::Pool::timeouts) of requests. Twenty thousand single
/// locks, as many customers would need, are more than Postgres has.
#[must_use]
pub fn take_alone(company: CompanyId, timeouts: &str) -> String {
    let (number, of) = (company_number(company), of_company(company));
    format!("select {timeouts}, {of}, pg_advisory_xact_lock({COMPANY_LOCKS}, {number})")
}

/// The statement that keeps others out who are sent with the same idempotency key. It comes before
/// all other locks: who waits for it must hold none that the other wants.
#[must_use]
pub fn once(company: CompanyId, key: &IdempotencyKey, timeouts: &str) -> String {
    let number = i64::from_be_bytes(lock_number(company, "idempotency key", key.as_str()));
    let of = of_company(company);
    format!("select {timeouts}, {of}, pg_advisory_xact_lock({number})")
}

/// Tells the database for whom the transaction is: its policies let it have no other company's
/// replies. With the locks, because a statement of its own would cost a round trip.
fn of_company(company: CompanyId) -> String {
    format!("set_config('clientele.company', '{company}', true)")
}

/// Two companies with one number only wait for each other a little.
fn company_number(company: CompanyId) -> i32 {
    i32::from_be_bytes(lock_number(company, "company", ""))
}

/// The locks that an upsert needs.
#[derive(Debug)]
pub struct Locks {
    company: i32,
    /// Sorted, so that two transactions never wait for each other crosswise.
    keys: Vec<i64>,
}

impl Locks {
    /// The locks to look for `keys` among the customers of `company`.
    #[must_use]
    pub fn new(company: CompanyId, keys: &MatchKeys) -> Self {
        let phone = keys.phone.as_ref().map(|key| ("phone", key.as_str()));
        let email = keys.email.as_ref().map(|key| ("email", key.as_str()));
        let mut numbers: Vec<i64> = [phone, email]
            .into_iter()
            .flatten()
            .map(|(kind, key)| i64::from_be_bytes(lock_number(company, kind, key)))
            .collect();
        numbers.sort_unstable();
        Self {
            company: company_number(company),
            keys: numbers,
        }
    }

    /// The statement that takes the locks.
    ///
    /// The look-up must come in a later statement: its snapshot must be younger than the locks. The
    /// company's lock is shared here; whoever works on very many customers at once takes it alone.
    #[must_use]
    pub fn take(&self, timeouts: &str) -> String {
        // One statement, whose expressions are evaluated from left to right: each statement of its
        // own would be parsed and planned at every upsert.
        let mut sql = format!(
            "select {timeouts}, pg_advisory_xact_lock_shared({COMPANY_LOCKS}, {})",
            self.company
        );
        for key in &self.keys {
            // Writing to a string does not fail.
            let _ = write!(sql, ", pg_advisory_xact_lock({key})");
        }
        sql
    }
}

/// The first bytes of a hash: the same for the same key on every server and in every release.
fn lock_number<const BYTES: usize>(company: CompanyId, kind: &str, key: &str) -> [u8; BYTES] {
    const { assert!(BYTES <= 32, "a SHA-256 has 32 bytes") }
    let mut hash = Sha256::new();
    hash.update(company.as_uuid().as_bytes());
    hash.update(kind.as_bytes());
    hash.update([0]);
    hash.update(key.as_bytes());
    let digest = hash.finalize();
    std::array::from_fn(|index| digest[index])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::email::Email;
    use crate::domain::phone::{DefaultRegion, PhoneKey};

    fn keys(phone: &str, email: &str) -> MatchKeys {
        MatchKeys {
            phone: PhoneKey::of(phone, DefaultRegion::default()),
            email: email.parse().ok().map(|email: Email| email.key()),
        }
    }

    #[test]
    fn the_same_keys_take_the_same_locks_in_ascending_order() {
        let company = CompanyId::generate();
        let ours = Locks::new(company, &keys("763 555 0100", "a@example.com"));
        let theirs = Locks::new(company, &keys("(763) 555-0100", "A@EXAMPLE.com"));
        assert_eq!(ours.take("1"), theirs.take("1"));
        assert_eq!(ours.keys.len(), 2);
        assert!(ours.keys.is_sorted());
    }

    #[test]
    fn companies_do_not_wait_for_each_other() {
        let keys = keys("763 555 0100", "");
        let ours = Locks::new(CompanyId::generate(), &keys);
        let theirs = Locks::new(CompanyId::generate(), &keys);
        assert_ne!(ours.keys, theirs.keys);
    }

    #[test]
    fn a_lock_number_never_changes() {
        let company = "0190b6c2-7b1e-7c50-8000-000000000001".parse().unwrap();
        assert_eq!(
            i64::from_be_bytes(lock_number(company, "phone", "+17635550100")),
            LOCK_OF_RELEASE_0_1
        );
    }

    /// Servers of two releases run side by side during an upgrade and must take the same locks.
    const LOCK_OF_RELEASE_0_1: i64 = 6_504_728_810_751_979_171;
}
