//! The customers that are measured: made once from a seed, and kept for the next run.

use std::fmt::Write;

use anyhow::Context;
use clientele::domain::customer::Status;
use clientele::domain::email::{Email, EmailKey};
use clientele::domain::matching::{MatchKeys, RULES_VERSION};
use clientele::domain::phone::{DefaultRegion, Phone, PhoneKey};
use clientele::domain::search::search_text;
use clientele::domain::text::Text;
use clientele::domain::{CompanyId, Profile};
use clientele::store::migrate;
use indicatif::{ProgressBar, ProgressStyle};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use uuid::Uuid;

use crate::people::{People, Person};

const SEED: u64 = 20_260_101;
/// Another one when what is made changes, so that an older data set is made anew.
const VERSION: i32 = 1_000 + RULES_VERSION as i32;
/// Bytes that are sent at once.
const CHUNK: usize = 1 << 20;

const COPY: &str = "copy customers (
    company_id, id, created_at, updated_at, archived_at,
    first_name, last_name, company_name, email, phone, notes, source, status, tags,
    property_street1, property_city, property_state, property_zip, property_country,
    phone_key, email_key, search_text, rules_version
) from stdin";

/// Companies of one size in a database.
pub struct Group {
    /// What they are called; several are numbered.
    pub name: &'static str,
    pub companies: usize,
    pub customers: usize,
}

/// The database that everything is measured on.
pub const FULL: [Group; 3] = [
    Group {
        name: "million",
        companies: 1,
        customers: 1_000_000,
    },
    Group {
        name: "middle",
        companies: 1,
        customers: 100_000,
    },
    Group {
        name: "small",
        companies: 2_000,
        customers: 500,
    },
];

/// Makes sure that the database `name` of the server at `admin_url` has the newest schema and the
/// customers of `groups`.
pub async fn prepare(
    admin_url: &str,
    url: &str,
    name: &str,
    groups: &[Group],
) -> anyhow::Result<()> {
    let mut admin = PgConnection::connect(admin_url).await?;
    let known: bool =
        sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
            .bind(name)
            .fetch_one(&mut admin)
            .await?;
    if known {
        if is_complete(url).await? {
            migrate::run(url).await?;
            return Ok(());
        }
        run(&mut admin, &format!("drop database {name} with (force)")).await?;
    }
    run(&mut admin, &format!("create database {name}")).await?;
    migrate::run(url).await?;
    let mut connection = PgConnection::connect(url).await?;
    fill(&mut connection, name, groups).await?;
    run(
        &mut connection,
        "create table bench_dataset (version int not null)",
    )
    .await?;
    run(
        &mut connection,
        &format!("insert into bench_dataset values ({VERSION})"),
    )
    .await
}

/// A company by its name.
pub async fn company(connection: &mut PgConnection, name: &str) -> anyhow::Result<CompanyId> {
    let id: Uuid = sqlx::query_scalar("select id from companies where name = $1")
        .bind(name)
        .fetch_one(connection)
        .await
        .with_context(|| format!("no company {name}"))?;
    Ok(id.into())
}

async fn is_complete(url: &str) -> anyhow::Result<bool> {
    let mut connection = PgConnection::connect(url).await?;
    let marked: Option<String> = sqlx::query_scalar("select to_regclass('bench_dataset')::text")
        .fetch_one(&mut connection)
        .await?;
    if marked.is_none() {
        return Ok(false);
    }
    let version: Option<i32> = sqlx::query_scalar("select version from bench_dataset")
        .fetch_optional(&mut connection)
        .await?;
    Ok(version == Some(VERSION))
}

async fn fill(connection: &mut PgConnection, name: &str, groups: &[Group]) -> anyhow::Result<()> {
    let owners = owners(connection, groups).await?;
    let progress = ProgressBar::new(owners.len() as u64).with_message(format!("{name}: customers"));
    progress.set_style(ProgressStyle::with_template(
        "{msg:24} {wide_bar} {human_pos}/{human_len} {eta}",
    )?);
    let indexes = drop_indexes(connection).await?;
    let mut people = People::new(SEED);
    let mut copy = connection.copy_in_raw(COPY).await?;
    let mut buffer = String::with_capacity(CHUNK + 4096);
    for owner in owners {
        write_row(&mut buffer, owner, &people.next()?)?;
        progress.inc(1);
        if buffer.len() >= CHUNK {
            copy.send(buffer.as_bytes()).await?;
            buffer.clear();
        }
    }
    copy.send(buffer.as_bytes()).await?;
    copy.finish().await?;
    progress.finish();
    let progress =
        ProgressBar::new(indexes.len() as u64 + 1).with_message(format!("{name}: indexes"));
    progress.set_style(ProgressStyle::with_template(
        "{msg:24} {wide_bar} {pos}/{len}",
    )?);
    progress.tick();
    run(connection, "set maintenance_work_mem = '1GB'").await?;
    for index in indexes {
        run(connection, &index).await?;
        progress.inc(1);
    }
    run(connection, "vacuum (analyze) customers").await?;
    progress.finish();
    Ok(())
}

/// Makes the companies; the answer has one entry a customer, in the order in which they are
/// created: all companies grow at the same time, so their rows lie mixed.
async fn owners(connection: &mut PgConnection, groups: &[Group]) -> anyhow::Result<Vec<Uuid>> {
    let mut owners = Vec::new();
    for group in groups {
        for number in 1..=group.companies {
            let name = if group.companies == 1 {
                group.name.to_owned()
            } else {
                format!("{} {number}", group.name)
            };
            let id = CompanyId::generate().as_uuid();
            sqlx::query("insert into companies (id, name, default_region) values ($1, $2, 'US')")
                .bind(id)
                .bind(name)
                .execute(&mut *connection)
                .await?;
            owners.extend(std::iter::repeat_n(id, group.customers));
        }
    }
    owners.shuffle(&mut ChaCha8Rng::seed_from_u64(SEED));
    Ok(owners)
}

/// Drops the secondary indexes, which are quicker to make at once than row by row; the answer is
/// how to make them again.
async fn drop_indexes(connection: &mut PgConnection) -> anyhow::Result<Vec<String>> {
    let rows = sqlx::query(
        "select indexname::text, indexdef from pg_indexes
        where tablename = 'customers' and indexname <> 'customers_pkey'",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut definitions = Vec::new();
    for row in rows {
        let name: String = row.try_get(0)?;
        run(connection, &format!("drop index {name}")).await?;
        definitions.push(row.try_get(1)?);
    }
    Ok(definitions)
}

fn write_row(line: &mut String, company: Uuid, person: &Person) -> anyhow::Result<()> {
    let Profile { property, .. } = &person.profile;
    let profile = &person.profile;
    let keys = MatchKeys::of(profile, DefaultRegion::default());
    let created_at = person.created_at.to_rfc3339();
    let tags: Vec<String> = profile
        .tags
        .iter()
        .map(|tag| format!("\"{tag}\""))
        .collect();
    write!(line, "{company}\t{}\t{created_at}\t{created_at}", person.id)?;
    let columns = [
        person.archived.then_some(created_at.as_str()),
        profile.first_name.as_ref().map(Text::as_str),
        profile.last_name.as_ref().map(Text::as_str),
        profile.company_name.as_ref().map(Text::as_str),
        profile.email.as_ref().map(Email::as_str),
        profile.phone.as_ref().map(Phone::as_str),
        profile.notes.as_ref().map(Text::as_str),
        profile.source.as_ref().map(Text::as_str),
        profile.status.map(Status::as_str),
        Some(&format!("{{{}}}", tags.join(","))),
        property.street1.as_ref().map(Text::as_str),
        property.city.as_ref().map(Text::as_str),
        property.state.as_ref().map(Text::as_str),
        property.zip.as_ref().map(Text::as_str),
        property.country.as_ref().map(Text::as_str),
        keys.phone.as_ref().map(PhoneKey::as_str),
        keys.email.as_ref().map(EmailKey::as_str),
        Some(&search_text(profile, &keys)),
        Some(&RULES_VERSION.to_string()),
    ];
    for column in columns {
        line.push('\t');
        match column {
            // No name of ours has a backslash or a tab; only the search text has lines.
            Some(value) => line.push_str(&value.replace('\n', "\\n")),
            None => line.push_str("\\N"),
        }
    }
    line.push('\n');
    Ok(())
}

async fn run(connection: &mut PgConnection, sql: &str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(connection)
        .await
        .with_context(|| sql.to_owned())?;
    Ok(())
}
