//! What is measured: each call with its requests, the same in SQL, and what it is to reach.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sqlx::{AssertSqlSafe, PgConnection, Row};

use anyhow::Context;
use clientele::domain::customer::{Change, Field};
use clientele::domain::matching::{MatchKeys, RULES_VERSION};
use clientele::domain::phone::DefaultRegion;
use clientele::domain::search::{self, Condition};
use clientele::domain::{CompanyId, Profile};

const LISTED: &str = "c.id, c.created_at, c.has_payment_method, c.first_name, c.last_name, \
    c.company_name, c.email, c.phone, c.notes, c.source, c.status, c.tags, c.property_street1, \
    c.property_street2, c.property_city, c.property_state, c.property_zip, c.property_country, \
    c.latitude, c.longitude";
const WRITTEN: &str = "first_name, last_name, company_name, email, phone, notes, source, status, \
    tags, service_type, service_frequency, billing_street1, billing_street2, billing_city, \
    billing_state, billing_zip, billing_country, billing_same_as_property, property_street1, \
    property_street2, property_city, property_state, property_zip, property_country, latitude, \
    longitude, phone_key, email_key, search_text, rules_version";
/// Different customers that are got, and matched.
const SAMPLE: i64 = 100;
/// Customers that half of the upserts match.
const MATCHED: i64 = 50_000;
/// Upserts in a batch.
pub const BATCH: usize = 1_000;
/// Enough new customers for the longest round.
pub const UPSERTS: u32 = 100_000;

/// A call of the API, and what Postgres has to do for it.
pub struct Call {
    pub name: String,
    /// Lines of method, path and body.
    pub requests: Vec<String>,
    /// Scripts of pgbench.
    pub scripts: Vec<String>,
}

impl Call {
    fn new(name: &str, path: &str, sql: String) -> Self {
        Self {
            name: name.to_owned(),
            requests: vec![format!("GET\t/customers{path}")],
            scripts: vec![sql],
        }
    }
}

/// `GET /customers/{id}` of a hundred customers.
pub async fn get(db: &mut PgConnection, company: CompanyId) -> anyhow::Result<Call> {
    let ids = column(
        db,
        &format!(
            "select id::text from customers where company_id = '{company}' order by md5(id::text) limit {SAMPLE}"
        ),
    )
    .await?;
    Ok(Call {
        name: "get by id".to_owned(),
        requests: ids.iter().map(|id| format!("GET\t/customers/{id}")).collect(),
        scripts: ids
            .iter()
            .map(|id| {
                format!(
                    "select {LISTED} from customers c where c.company_id = '{company}' and c.id = '{id}';\n"
                )
            })
            .collect(),
    })
}

/// The newest customers.
pub fn list(company: CompanyId, limit: u32) -> Call {
    let sql = format!(
        "select coalesce(sum(live_active + live_inactive + live_without_status), 0)::bigint
         from customer_totals where company_id = '{company}';
         select {LISTED} from customers c where company_id = '{company}' and archived_at is null
         order by created_at desc, id desc limit {limit};\n"
    );
    Call::new(
        &format!("list, {limit} newest"),
        &format!("?limit={limit}"),
        sql,
    )
}

/// A search that finds few, and the same in one statement. `path` is the search as a query.
pub fn search(company: CompanyId, name: &str, path: &str) -> anyhow::Result<Call> {
    let asked = path.replace('+', " ");
    let condition = search::parse(&asked, DefaultRegion::default())?.context("a search")?;
    let sql = format!(
        "with few as materialized (
            select id, created_at from customers
            where company_id = '{company}' and archived_at is null and {condition} limit 10000
        ), page as (select id, created_at from few order by created_at desc, id desc limit 50)
        select t.total, {LISTED}
        from (select count(*) as total from few) as t
        left join (page p join customers c on c.company_id = '{company}' and c.id = p.id) on true
        order by p.created_at desc, p.id desc;\n",
        condition = in_sql(&condition),
    )
    .replace('\n', " ");
    Ok(Call::new(
        name,
        &format!("?search={path}"),
        format!("{sql}\n"),
    ))
}

/// What a search asks for, with its values in it.
fn in_sql(condition: &Condition) -> String {
    let joined = |parts: &[Condition], with: &str| {
        let parts: Vec<String> = parts.iter().map(in_sql).collect();
        format!("({})", parts.join(with))
    };
    match condition {
        Condition::Contains(needle) => {
            format!(
                "search_text like '{}'",
                needle.like_pattern().replace('\'', "''")
            )
        }
        Condition::All(all) => joined(all, " and "),
        Condition::Any(any) => joined(any, " or "),
    }
}

/// A search in a company so small that Postgres looks at all of it.
pub fn small_search(company: CompanyId, word: &str) -> Call {
    let conditions = format!(
        "company_id = '{company}' and archived_at is null and octet_length(search_text) <= 2000 and \
        search_text like '%{word}%'"
    );
    let sql = format!(
        "select count(*) from customers where {conditions}; \
        select {LISTED} from customers c where {conditions} order by created_at desc, id desc limit 50;\n"
    );
    Call::new(
        &format!("search `{word}`, company of 500"),
        &format!("?search={word}"),
        sql,
    )
}

/// Any other list, beside its page alone, cut from the index.
pub fn page(
    company: CompanyId,
    name: &str,
    query: &str,
    order: &str,
    limit: i64,
    offset: i64,
) -> Call {
    let sql = format!(
        "select {LISTED} from (
            select id, created_at from customers where company_id = '{company}' and archived_at is null
            order by {order} limit {limit} offset {offset}
        ) p join customers c on c.company_id = '{company}' and c.id = p.id;"
    );
    Call::new(name, query, format!("{}\n", sql.replace('\n', " ")))
}

/// How many customers there are, and the newest of all.
pub fn total_with_archived(company: CompanyId) -> Call {
    let newest = |archived: &str| {
        format!(
            "(select id, created_at from customers where company_id = '{company}' and \
            archived_at {archived} order by created_at desc, id desc limit 1)"
        )
    };
    counted(
        company,
        ("total of all, archived too", "?limit=1&archived=true"),
        "live_active + live_inactive + live_without_status \
        + archived_active + archived_inactive + archived_without_status",
        &format!("{} union all {}", newest("is null"), newest("is not null")),
    )
}

/// How many customers are inactive, and the newest of them.
pub fn total_of_inactive(company: CompanyId) -> Call {
    counted(
        company,
        ("total of inactive", "?limit=1&status=inactive"),
        "live_inactive",
        &format!(
            "select id, created_at from customers where company_id = '{company}' and \
            archived_at is null and status = 'inactive'"
        ),
    )
}

fn counted(company: CompanyId, (name, query): (&str, &str), counts: &str, newest: &str) -> Call {
    let sql = format!(
        "select sum({counts}) from customer_totals where company_id = '{company}'; \
        select {LISTED} from ({newest} order by created_at desc, id desc limit 1) p \
        join customers c on c.company_id = '{company}' and c.id = p.id;\n"
    );
    Call::new(name, query, sql)
}

/// Upserts, one half of new customers and one of known ones that get a note and a tag. Each `round`
/// has other new customers.
pub async fn upsert(db: &mut PgConnection, company: CompanyId, round: u32) -> anyhow::Result<Call> {
    run(
        db,
        &format!(
            "create table if not exists bench_known as
            select row_number() over (order by md5(id::text))::int as n, id, phone, phone_key
            from (
                select distinct on (phone_key) id, phone, phone_key from customers
                where company_id = '{company}' and phone_key is not null and archived_at is null
                limit {MATCHED}
            ) as known"
        ),
    )
    .await?;
    run(
        db,
        "create unique index if not exists bench_known_n on bench_known (n)",
    )
    .await?;
    let phones = column(db, "select phone from bench_known order by n").await?;
    let mut random = ChaCha8Rng::seed_from_u64(u64::from(round));
    let requests = (0..UPSERTS)
        .map(|n| {
            if n % 2 == 0 {
                let (area, line) = (200 + round, n / 2);
                format!(
                    "POST\t/customers\t{{\"first_name\":\"Ann\",\"last_name\":\"Tester\",\
                    \"phone\":\"({area}) {:03}-{:04}\",\"email\":\"ann.{area}.{line}@example.com\",\
                    \"tags\":[\"lead\"],\"status\":\"active\",\"property_city\":\"Omaha\"}}",
                    200 + line / 10_000,
                    line % 10_000
                )
            } else {
                let phone = &phones[random.random_range(0..phones.len())];
                format!(
                    "POST\t/customers\t{{\"phone\":\"{phone}\",\"notes\":\"note {round} {n}\",\"tags\":[\"bench\"]}}"
                )
            }
        })
        .collect();
    Ok(Call {
        name: "upsert, half new, half matched".to_owned(),
        requests,
        scripts: vec![
            create_script(company)?,
            update_script(company, phones.len()),
        ],
    })
}

/// The upserts of `single` in batches.
pub fn batches(single: &Call) -> Vec<String> {
    let body = |request: &String| request.rsplit('\t').next().unwrap_or("{}").to_owned();
    let bodies: Vec<String> = single.requests.iter().map(body).collect();
    bodies
        .chunks(BATCH)
        .map(|rows| {
            format!(
                "POST\t/customers/batch\t{{\"customers\":[{}]}}",
                rows.join(",")
            )
        })
        .collect()
}

const LOCKS: &str = "select set_config('lock_timeout', '5s', true), \
    set_config('idle_in_transaction_session_timeout', '10s', true), \
    pg_advisory_xact_lock_shared(202498430, 1), pg_advisory_xact_lock(:p), \
    pg_advisory_xact_lock(:p + 10000000000);";

fn look_up(company: CompanyId, phone_key: &str, email_key: &str) -> String {
    format!(
        "with by_phone as (select id from customers where company_id = '{company}' and \
        phone_key = {phone_key} and archived_at is null order by created_at, id limit 1), \
        by_email as (select id from customers where company_id = '{company}' and \
        email_key = {email_key} and archived_at is null order by created_at, id limit 1) \
        select (select id from by_phone), (select id from by_email), c.* from customers c \
        where c.company_id = '{company}' and \
        c.id = coalesce((select id from by_phone), (select id from by_email)) for update of c;"
    )
}

/// As much text, of as many different trigrams, as the service writes for such a customer: the digits
/// of its phone three times, in symbols.
fn create_script(company: CompanyId) -> anyhow::Result<String> {
    let phone = "'+1' || :p::text";
    let email = "'ann.' || :p::text || '@example.com'";
    let digits = format!("translate(:p::text, '0123456789', '{}')", digit_symbols()?);
    Ok(format!(
        "\\set p random(2000000000, 9999999999)\nbegin;\n{LOCKS}\n{}\n\
        insert into customers (company_id, id, {WRITTEN}) values ('{company}', gen_random_uuid(), \
        'Ann', 'Tester', null, {email}, {phone}, null, null, 'active', '{{lead}}', null, null, \
        null, null, null, null, null, null, null, null, null, 'Omaha', null, null, null, null, null, \
        {phone}, {email}, E'ann\\ntester\\n' || {email} || E'\\n+' || {digits} || E'\\n' || {digits} \
        || E'\\nY' || {digits} || 'Z', {RULES_VERSION}) returning created_at;\ncommit;\n",
        look_up(company, phone, email)
    ))
}

/// The symbols that stand for the digits 0 to 9 in a phone as it was written.
fn digit_symbols() -> anyhow::Result<String> {
    let change = Change {
        phone: Field::Set("0123456789".parse()?),
        ..Change::default()
    };
    let Ok(profile) = Profile::default().merge(change) else {
        anyhow::bail!("a customer with a phone");
    };
    let keys = MatchKeys::of(&profile, DefaultRegion::default());
    let text = search::search_text(&profile, &keys);
    Ok(text.lines().next().context("a line")?.to_owned())
}

/// All columns are written, as the service does, which knows them only as a whole.
fn update_script(company: CompanyId, known: usize) -> String {
    let written = WRITTEN.replace("notes,", "'note ' || :p::text,").replace(
        "tags,",
        "array_append(array_remove(tags, 'bench'), 'bench'),",
    );
    format!(
        "\\set p random(2000000000, 9999999999)\n\\set n random(1, {known})\nbegin;\n{LOCKS}\n{}\n\
        update customers set ({WRITTEN}, updated_at) = row ({written}, clock_timestamp()) \
        where company_id = '{company}' and id = (select id from bench_known where n = :n);\ncommit;\n",
        look_up(
            company,
            "(select phone_key from bench_known where n = :n)",
            "null"
        ),
    )
}

async fn column(db: &mut PgConnection, sql: &str) -> anyhow::Result<Vec<String>> {
    let rows = sqlx::query(AssertSqlSafe(sql.to_owned()))
        .fetch_all(db)
        .await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get(0))
        .collect::<Result<_, _>>()?)
}

async fn run(db: &mut PgConnection, sql: &str) -> anyhow::Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(db)
        .await?;
    Ok(())
}
