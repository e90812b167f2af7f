//! People who do not exist: names, phones, mail and tags in the proportions of real lists.

use chrono::{DateTime, Duration, TimeZone, Utc};
use clientele::domain::address::Address;
use clientele::domain::customer::{Profile, Status};
use clientele::domain::tags::Tags;
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use uuid::Uuid;

const FIRST_NAMES: &str = include_str!("../data/first_names.txt");
const LAST_NAMES: &str = include_str!("../data/last_names.txt");
const CITIES: &str = include_str!("../data/cities.txt");
const TAGS: &str = include_str!("../data/tags.txt");
/// Mail providers, by how many in a hundred use each.
const PROVIDERS: [(&str, u32); 8] = [
    ("gmail.com", 45),
    ("yahoo.com", 17),
    ("hotmail.com", 10),
    ("outlook.com", 8),
    ("icloud.com", 7),
    ("aol.com", 5),
    ("comcast.net", 5),
    ("example.com", 3),
];
const STREETS: [&str; 12] = [
    "Oak St",
    "Maple Ave",
    "Main St",
    "Cedar Ln",
    "Elm St",
    "Lake Rd",
    "Hill Dr",
    "Park Ave",
    "Pine Ct",
    "2nd St",
    "Washington Blvd",
    "River Rd",
];
const TRADES: [&str; 10] = [
    "Plumbing",
    "Dental",
    "Realty",
    "Bakery",
    "Landscaping",
    "Property Management",
    "Motors",
    "Church",
    "Coffee",
    "Apartments",
];
/// One customer in this many is archived.
const ARCHIVED_OF: u32 = 20;

/// An endless, repeatable row of people.
pub struct People {
    random: ChaCha8Rng,
    first_names: Vec<&'static str>,
    last_names: Vec<&'static str>,
    cities: Vec<[&'static str; 3]>,
    tags: Vec<&'static str>,
    created_at: DateTime<Utc>,
}

/// One of them, as a customer.
pub struct Person {
    pub id: Uuid,
    pub created_at: DateTime<Utc>,
    pub archived: bool,
    pub profile: Profile,
}

impl People {
    /// The same people for the same seed.
    pub fn new(seed: u64) -> Self {
        Self {
            random: ChaCha8Rng::seed_from_u64(seed),
            first_names: FIRST_NAMES.split_whitespace().collect(),
            last_names: LAST_NAMES.split_whitespace().collect(),
            cities: CITIES.lines().filter_map(city).collect(),
            tags: TAGS.split_whitespace().collect(),
            created_at: Utc
                .with_ymd_and_hms(2021, 1, 1, 0, 0, 0)
                .single()
                .unwrap_or_default(),
        }
    }

    /// The next one, created up to two minutes after the one before.
    pub fn next(&mut self) -> anyhow::Result<Person> {
        self.created_at += Duration::microseconds(self.random.random_range(1..120_000_000));
        let archived = self.random.random_ratio(1, ARCHIVED_OF);
        Ok(Person {
            id: self.id(),
            created_at: self.created_at,
            archived,
            profile: self.profile()?,
        })
    }

    fn id(&mut self) -> Uuid {
        let milliseconds = u64::try_from(self.created_at.timestamp_millis()).unwrap_or(0);
        let mut bytes = [0; 10];
        self.random.fill_bytes(&mut bytes);
        uuid::Builder::from_unix_timestamp_millis(milliseconds, &bytes).into_uuid()
    }

    fn profile(&mut self) -> anyhow::Result<Profile> {
        let (first, last) = (
            common(&mut self.random, &self.first_names),
            common(&mut self.random, &self.last_names),
        );
        let [city, state, area] = common(&mut self.random, &self.cities);
        let mut profile = Profile {
            first_name: Some(first.parse()?),
            last_name: Some(last.parse()?),
            status: self.status(),
            tags: self.some_tags()?,
            source: self.chance(30).then(|| "website".parse()).transpose()?,
            ..Profile::default()
        };
        if self.chance(15) {
            let trade = common(&mut self.random, &TRADES);
            profile.company_name = Some(format!("{last} {trade}").parse()?);
        }
        if self.chance(75) {
            profile.email = Some(self.email(first, last).parse()?);
        }
        if self.chance(90) {
            profile.phone = Some(self.phone(area).parse()?);
        }
        if self.chance(80) {
            let street = common(&mut self.random, &STREETS);
            let number = self.random.random_range(1..9999);
            profile.property = Address {
                street1: Some(format!("{number} {street}").parse()?),
                city: Some(city.parse()?),
                state: Some(state.parse()?),
                zip: Some(format!("{:05}", self.random.random_range(10_000..99_999)).parse()?),
                country: Some("US".parse()?),
                ..Address::default()
            };
        }
        if self.chance(10) {
            profile.notes = Some(
                "Prefers a call before the visit; the gate code is with the neighbour.".parse()?,
            );
        }
        Ok(profile)
    }

    fn email(&mut self, first: &str, last: &str) -> String {
        let mut hundredth = self.random.random_range(0..100);
        let mut provider = PROVIDERS[0].0;
        for (name, share) in PROVIDERS {
            provider = name;
            if hundredth < share {
                break;
            }
            hundredth -= share;
        }
        let plain =
            |name: &str| -> String { name.chars().filter(char::is_ascii_alphabetic).collect() };
        let number = self.random.random_range(0..10_000);
        format!("{}.{}{number}@{provider}", plain(first), plain(last)).to_lowercase()
    }

    fn phone(&mut self, area: &str) -> String {
        let exchange = self.random.random_range(200..1000);
        let line = self.random.random_range(0..10_000);
        match self.random.random_range(0..4) {
            0 => format!("({area}) {exchange}-{line:04}"),
            1 => format!("+1{area}{exchange}{line:04}"),
            2 => format!("{area}.{exchange}.{line:04}"),
            _ => format!("{area}-{exchange}-{line:04}"),
        }
    }

    fn status(&mut self) -> Option<Status> {
        match self.random.random_range(0..100) {
            0..70 => Some(Status::Active),
            70..80 => Some(Status::Inactive),
            _ => None,
        }
    }

    fn some_tags(&mut self) -> anyhow::Result<Tags> {
        let count = self.random.random_range(0..4);
        let tags: Vec<&str> = (0..count)
            .map(|_| common(&mut self.random, &self.tags))
            .collect();
        Ok(Tags::parse(tags)?)
    }

    fn chance(&mut self, hundredths: u32) -> bool {
        self.random.random_ratio(hundredths, 100)
    }
}

fn city(line: &'static str) -> Option<[&'static str; 3]> {
    line.split(',').collect::<Vec<_>>().try_into().ok()
}

/// One of `all`, the earlier the commoner: the first of two hundred is drawn ten times as often as
/// the last.
fn common<T: Copy>(random: &mut impl Rng, all: &[T]) -> T {
    let skew: f64 = random.random::<f64>();
    let index = skew * skew * all.len() as f64;
    all[(index as usize).min(all.len() - 1)]
}
