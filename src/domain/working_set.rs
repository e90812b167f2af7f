//! Many upserts in order, upon a part of a company's customers that is held in memory.
//!
//! Each upsert sees what those before it did, as if it had been posted after them. Customers are
//! taken in as they are asked for: of those that share a phone or e-mail only the first-created one,
//! and the next one only when that has lost the key meanwhile.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

use chrono::{DateTime, Utc};

use super::FieldError;
use super::customer::{Change, Customer, CustomerId, Profile};
use super::email::EmailKey;
use super::matching::{Match, MatchKeys, MatchedBy, Outcome};
use super::phone::{DefaultRegion, PhoneKey};

/// One upsert of many.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// The customer to update; none: the one that matches, or a new one.
    pub id: Option<CustomerId>,
    /// What to change.
    pub change: Change,
    /// For a customer that is to be as it was elsewhere: made with `id` when there is none.
    pub origin: Option<Origin>,
}

/// What a customer brings along from where it was kept before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// When it was first written.
    pub created_at: Option<DateTime<Utc>>,
    /// Since when it is archived; none while it is live.
    pub archived_at: Option<DateTime<Utc>>,
}

/// What an upsert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// Which customer it was, for [`WorkingSet::entry`].
    pub entry: usize,
    /// What was done.
    pub outcome: Outcome,
    /// How the customer was found; none when it was created.
    pub matched: Option<Match>,
}

/// Why an upsert did nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It names a customer that this company does not have.
    NotFound,
    /// What the customer would become is not allowed.
    Field(FieldError),
}

/// What must be taken in before an upsert can be decided: the first-created live customer with this
/// key, of those created after the given one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// By phone.
    Phone(PhoneKey, Option<Place>),
    /// By e-mail.
    Email(EmailKey, Option<Place>),
}

/// Where a kept customer stands in the order of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// When it was created.
    pub created_at: DateTime<Utc>,
    /// Which one it is.
    pub id: CustomerId,
}

/// A customer that is held.
#[derive(Debug, Clone)]
pub struct Entry {
    /// As it is by now.
    pub customer: Customer,
    /// The keys that it is matched by, and found by while it is live.
    pub keys: MatchKeys,
    /// Whether it is to be inserted; when it is to have been created is set by whoever does so,
    /// unless it brought that along.
    pub state: State,
    standing: Standing,
}

/// What is to be written of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing.
    Kept,
    /// It has changed.
    Changed,
    /// It is new; when it was created, if it brought that along.
    New(Option<DateTime<Utc>>),
}

/// The order of creation: those made here come after all that were there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    At(Place),
    Last(usize),
}

/// Part of a company's customers.
#[derive(Debug)]
pub struct WorkingSet {
    region: DefaultRegion,
    entries: Vec<Entry>,
    /// By id; none: the company has no such customer.
    ids: HashMap<CustomerId, Option<usize>>,
    phones: HashMap<PhoneKey, Holders>,
    emails: HashMap<EmailKey, Holders>,
}

/// The customers with one key.
#[derive(Debug, Default)]
struct Holders {
    /// Those held here that are live and have it by now, in the order of creation.
    held: BTreeSet<(Standing, usize)>,
    /// Which of those kept elsewhere have been taken in.
    taken: Taken,
}

#[derive(Debug, Default)]
enum Taken {
    #[default]
    None,
    /// All up to this one.
    To(Place),
    All,
}

impl WorkingSet {
    /// An empty set, of a company with this default region.
    #[must_use]
    pub fn new(region: DefaultRegion) -> Self {
        Self {
            region,
            entries: Vec::new(),
            ids: HashMap::new(),
            phones: HashMap::new(),
            emails: HashMap::new(),
        }
    }

    /// The customer that an upsert spoke of.
    #[must_use]
    pub fn entry(&self, entry: usize) -> &Entry {
        &self.entries[entry]
    }

    /// All that are held, in the order in which they came.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether it is known if the company has this customer.
    #[must_use]
    pub fn knows(&self, id: CustomerId) -> bool {
        self.ids.contains_key(&id)
    }

    /// Whether the first customer with this phone is held, if there is one.
    #[must_use]
    pub fn knows_phone(&self, key: &PhoneKey) -> bool {
        (self.phones.get(key)).is_some_and(|holders| !matches!(holders.taken, Taken::None))
    }

    /// Whether the first customer with this e-mail is held, if there is one.
    #[must_use]
    pub fn knows_email(&self, key: &EmailKey) -> bool {
        (self.emails.get(key)).is_some_and(|holders| !matches!(holders.taken, Taken::None))
    }

    /// Takes in a customer as it is kept. One that is held already stays as it is.
    pub fn take(&mut self, customer: Customer) {
        if matches!(self.ids.get(&customer.id), Some(Some(_))) {
            return;
        }
        let place = Place::of(&customer);
        let entry = Entry {
            keys: MatchKeys::of(&customer.profile, self.region),
            customer,
            state: State::Kept,
            standing: Standing::At(place),
        };
        self.hold(entry);
    }

    /// Takes in that the company has no such customer.
    pub fn take_absence(&mut self, id: CustomerId) {
        self.ids.entry(id).or_insert(None);
    }

    /// Takes in that `place` is that of the next customer kept with this phone; none: there is no
    /// further one. The customer itself has to be [taken in](Self::take) too.
    pub fn take_phone(&mut self, key: PhoneKey, place: Option<Place>) {
        self.phones.entry(key).or_default().taken = Taken::to(place);
    }

    /// Likewise with this e-mail.
    pub fn take_email(&mut self, key: EmailKey, place: Option<Place>) {
        self.emails.entry(key).or_default().taken = Taken::to(place);
    }

    /// Does one upsert.
    ///
    /// # Errors
    /// When somebody has to be taken in first; nothing was done then.
    pub fn upsert(&mut self, row: &Row) -> Result<Result<Applied, Refusal>, Missing> {
        Ok(match self.find(row)? {
            Found::Nobody => Err(Refusal::NotFound),
            Found::New => self.create(row),
            Found::Known(entry, matched) => self.update(entry, matched, row.change.clone()),
        })
    }

    fn find(&self, row: &Row) -> Result<Found, Missing> {
        if let Some(id) = row.id {
            return Ok(match self.ids.get(&id).copied().flatten() {
                Some(entry) => Found::known(entry, MatchedBy::Id, None),
                None if row.origin.is_some() => Found::New,
                None => Found::Nobody,
            });
        }
        let asked = MatchKeys::asked(&row.change, self.region);
        let by_phone = match &asked.phone {
            Some(key) => first(&self.phones, key, Missing::Phone)?,
            None => None,
        };
        let Some(entry) = by_phone else {
            let by_email = match &asked.email {
                Some(key) => first(&self.emails, key, Missing::Email)?,
                None => None,
            };
            return Ok(by_email.map_or(Found::New, |entry| {
                Found::known(entry, MatchedBy::Email, None)
            }));
        };
        // A customer with both phone and e-mail is no split, whoever else has the e-mail.
        let also = match &asked.email {
            Some(key) if self.entries[entry].keys.email.as_ref() != Some(key) => {
                first(&self.emails, key, Missing::Email)?
            }
            _ => None,
        };
        let also = also.map(|other| self.entries[other].customer.id);
        Ok(Found::known(entry, MatchedBy::Phone, also))
    }

    fn create(&mut self, row: &Row) -> Result<Applied, Refusal> {
        let profile = merge(&Profile::default(), row.change.clone())?;
        let id = row.id.unwrap_or_else(CustomerId::generate);
        let created_at = row.origin.and_then(|origin| origin.created_at);
        let entry = Entry {
            keys: MatchKeys::of(&profile, self.region),
            customer: Customer {
                id,
                created_at: created_at.unwrap_or_else(Utc::now),
                archived_at: row.origin.and_then(|origin| origin.archived_at),
                has_payment_method: false,
                profile,
            },
            state: State::New(created_at),
            standing: match created_at {
                Some(created_at) => Standing::At(Place { created_at, id }),
                None => Standing::Last(self.entries.len()),
            },
        };
        Ok(Applied {
            entry: self.hold(entry),
            outcome: Outcome::Created,
            matched: None,
        })
    }

    fn update(&mut self, index: usize, matched: Match, change: Change) -> Result<Applied, Refusal> {
        let known = &self.entries[index];
        let profile = merge(&known.customer.profile, change)?;
        let unchanged = profile == known.customer.profile;
        if !unchanged {
            self.index(index, false);
            let entry = &mut self.entries[index];
            entry.keys = MatchKeys::of(&profile, self.region);
            entry.customer.profile = profile;
            if entry.state == State::Kept {
                entry.state = State::Changed;
            }
            self.index(index, true);
        }
        Ok(Applied {
            entry: index,
            outcome: if unchanged {
                Outcome::Unchanged
            } else {
                Outcome::Updated
            },
            matched: Some(matched),
        })
    }

    fn hold(&mut self, entry: Entry) -> usize {
        let index = self.entries.len();
        self.ids.insert(entry.customer.id, Some(index));
        self.entries.push(entry);
        self.index(index, true);
        index
    }

    /// Adds a customer to those with its keys, or takes it away.
    fn index(&mut self, index: usize, add: bool) {
        let entry = &self.entries[index];
        if entry.customer.archived_at.is_some() {
            return;
        }
        let place = (entry.standing, index);
        let phone = entry.keys.phone.clone();
        let email = entry.keys.email.clone();
        let holders = [
            phone.map(|key| self.phones.entry(key).or_default()),
            email.map(|key| self.emails.entry(key).or_default()),
        ];
        for holders in holders.into_iter().flatten() {
            if add {
                holders.held.insert(place);
            } else {
                holders.held.remove(&place);
            }
        }
    }
}

/// Whom an upsert speaks of.
enum Found {
    Nobody,
    New,
    Known(usize, Match),
}

impl Found {
    fn known(entry: usize, by: MatchedBy, also: Option<CustomerId>) -> Self {
        Self::Known(entry, Match { by, also })
    }
}

/// The first-created live customer with `key`.
fn first<Key: Clone + Eq + Hash>(
    all: &HashMap<Key, Holders>,
    key: &Key,
    missing: impl FnOnce(Key, Option<Place>) -> Missing,
) -> Result<Option<usize>, Missing> {
    let Some(holders) = all.get(key) else {
        return Err(missing(key.clone(), None));
    };
    let first = holders.held.first();
    match holders.taken {
        Taken::None => Err(missing(key.clone(), None)),
        Taken::All => Ok(first.map(|(_, entry)| *entry)),
        Taken::To(place) => match first {
            Some((standing, entry)) if *standing <= Standing::At(place) => Ok(Some(*entry)),
            // The last one taken in has lost the key: the next may come before those held.
            _ => Err(missing(key.clone(), Some(place))),
        },
    }
}

fn merge(profile: &Profile, change: Change) -> Result<Profile, Refusal> {
    profile.merge(change).map_err(Refusal::Field)
}

impl Place {
    /// Where a kept customer stands.
    #[must_use]
    pub fn of(customer: &Customer) -> Self {
        Self {
            created_at: customer.created_at,
            id: customer.id,
        }
    }
}

impl Taken {
    fn to(place: Option<Place>) -> Self {
        place.map_or(Self::All, Self::To)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::customer::Field;
    use proptest::prelude::*;

    /// What the company keeps, and how the contract reads: one post after the other.
    #[derive(Debug, Clone)]
    struct Model(Vec<Customer>);

    impl Model {
        fn first(&self, has: impl Fn(&MatchKeys) -> bool) -> Option<usize> {
            let live = |customer: &&Customer| customer.archived_at.is_none();
            let found = self
                .0
                .iter()
                .filter(live)
                .filter(|customer| has(&keys(customer)))
                .min_by_key(|customer| Place::of(customer))?;
            self.0.iter().position(|customer| customer.id == found.id)
        }

        fn post(&mut self, row: &Row, n: i64) -> Option<(usize, Option<Match>)> {
            let asked = MatchKeys::asked(&row.change, DefaultRegion::default());
            let (found, matched) = if let Some(id) = row.id {
                let found = self.0.iter().position(|customer| customer.id == id)?;
                (Some(found), Some((MatchedBy::Id, None)))
            } else {
                let by_phone = asked
                    .phone
                    .as_ref()
                    .and_then(|key| self.first(|keys| keys.phone.as_ref() == Some(key)));
                let by_email = asked
                    .email
                    .as_ref()
                    .and_then(|key| self.first(|keys| keys.email.as_ref() == Some(key)));
                match (by_phone, by_email) {
                    (Some(phone), email) => {
                        let has_it = keys(&self.0[phone]).email == asked.email;
                        let also = email.filter(|_| !has_it).map(|other| self.0[other].id);
                        (Some(phone), Some((MatchedBy::Phone, also)))
                    }
                    (None, Some(email)) => (Some(email), Some((MatchedBy::Email, None))),
                    (None, None) => (None, None),
                }
            };
            let index = found.unwrap_or_else(|| {
                self.0.push(customer(1_000 + n, Change::default(), false));
                self.0.len() - 1
            });
            let profile = self.0[index].profile.merge(row.change.clone()).unwrap();
            self.0[index].profile = profile;
            Some((index, matched.map(|(by, also)| Match { by, also })))
        }
    }

    fn keys(customer: &Customer) -> MatchKeys {
        MatchKeys::of(&customer.profile, DefaultRegion::default())
    }

    fn customer(second: i64, change: Change, archived: bool) -> Customer {
        Customer {
            id: CustomerId::generate(),
            created_at: DateTime::from_timestamp(second, 0).unwrap(),
            archived_at: archived.then(Utc::now),
            has_payment_method: false,
            profile: Profile::default().merge(change).unwrap(),
        }
    }

    /// Takes in what is missing from `kept`, as a store does.
    fn supply(set: &mut WorkingSet, kept: &[Customer], missing: Missing) {
        let next = |after: Option<Place>, has: &dyn Fn(&MatchKeys) -> bool| {
            kept.iter()
                .filter(|customer| customer.archived_at.is_none() && has(&keys(customer)))
                .filter(|customer| after.is_none_or(|after| Place::of(customer) > after))
                .min_by_key(|customer| Place::of(customer))
                .cloned()
        };
        let found = match &missing {
            Missing::Phone(key, after) => next(*after, &|keys| keys.phone.as_ref() == Some(key)),
            Missing::Email(key, after) => next(*after, &|keys| keys.email.as_ref() == Some(key)),
        };
        let place = found.as_ref().map(Place::of);
        if let Some(customer) = found {
            set.take(customer);
        }
        match missing {
            Missing::Phone(key, _) => set.take_phone(key, place),
            Missing::Email(key, _) => set.take_email(key, place),
        }
    }

    fn phone() -> impl Strategy<Value = Field<super::super::phone::Phone>> {
        prop_oneof![
            1 => Just(Field::Keep),
            1 => Just(Field::Clear),
            4 => (0..4).prop_map(|n| Field::Set(format!("763 555 010{n}").parse().unwrap())),
        ]
    }

    fn email() -> impl Strategy<Value = Field<super::super::email::Email>> {
        prop_oneof![
            2 => Just(Field::Keep),
            1 => Just(Field::Clear),
            2 => (0..3).prop_map(|n| Field::Set(format!("{n}@example.com").parse().unwrap())),
        ]
    }

    fn change() -> impl Strategy<Value = Change> {
        (phone(), email(), 0..3).prop_map(|(phone, email, tag)| Change {
            phone,
            email,
            tags: crate::domain::tags::Tags::parse([format!("t{tag}").as_str()]).unwrap(),
            ..Change::default()
        })
    }

    proptest! {
        #[test]
        fn many_upserts_in_memory_do_what_posts_one_after_the_other_do(
            kept in prop::collection::vec((change(), any::<bool>()), 0..8),
            rows in prop::collection::vec((change(), prop::option::of(0..10_usize)), 1..20),
        ) {
            let kept: Vec<Customer> = kept
                .into_iter()
                .enumerate()
                .map(|(n, (change, archived))| {
                    // Some are created in the same moment: then the id decides.
                    customer(i64::try_from(n / 2).unwrap(), change, archived)
                })
                .collect();
            let mut model = Model(kept.clone());
            let mut set = WorkingSet::new(DefaultRegion::default());
            let mut seen: Vec<(usize, usize)> = Vec::new();
            for (n, (change, target)) in rows.into_iter().enumerate() {
                let id = target.map(|n| {
                    kept.get(n).map_or_else(CustomerId::generate, |customer| customer.id)
                });
                if let Some(id) = id.filter(|id| !set.knows(*id)) {
                    match kept.iter().find(|customer| customer.id == id) {
                        Some(customer) => set.take(customer.clone()),
                        None => set.take_absence(id),
                    }
                }
                let row = Row { id, change, origin: None };
                let expected = model.post(&row, i64::try_from(n).unwrap());
                let done = loop {
                    match set.upsert(&row) {
                        Ok(done) => break done,
                        Err(missing) => supply(&mut set, &kept, missing),
                    }
                };
                let Some((index, matched)) = expected else {
                    prop_assert_eq!(done, Err(Refusal::NotFound));
                    continue;
                };
                let done = done.unwrap();
                let entry = set.entry(done.entry);
                prop_assert_eq!(&entry.customer.profile, &model.0[index].profile);
                prop_assert_eq!(done.matched.map(|m| m.by), matched.map(|m| m.by));
                // The ids of new customers differ between the two, but not who is who.
                match seen.iter().find(|(a, b)| *a == done.entry || *b == index) {
                    Some(pair) => prop_assert_eq!(*pair, (done.entry, index)),
                    None => seen.push((done.entry, index)),
                }
                let also = |m: Option<Match>| m.and_then(|m| m.also).is_some();
                prop_assert_eq!(also(done.matched), also(matched));
            }
        }
    }

    #[test]
    fn a_customer_from_elsewhere_keeps_its_id_and_dates() {
        let mut set = WorkingSet::new(DefaultRegion::default());
        let id = CustomerId::generate();
        let origin = Origin {
            created_at: DateTime::from_timestamp(1, 0),
            archived_at: DateTime::from_timestamp(2, 0),
        };
        let row = Row {
            id: Some(id),
            origin: Some(origin),
            ..Row::default()
        };
        let done = set.upsert(&row).unwrap().unwrap();
        assert_eq!(done.outcome, Outcome::Created);
        let entry = set.entry(done.entry);
        assert_eq!(entry.customer.id, id);
        assert_eq!(entry.state, State::New(origin.created_at));
        assert_eq!(entry.customer.archived_at, origin.archived_at);
    }
}
