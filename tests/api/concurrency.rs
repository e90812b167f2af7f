//! Many clients at once, on several servers, and never a customer twice.

use std::collections::HashSet;
use std::time::Duration;

use clientele::store::Store;
use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;

use crate::support::{App, Reply};

/// Sends all of `bodies` at once, by turns to two servers.
async fn post_all(app: &App, bodies: Vec<Value>) -> Vec<Reply> {
    let second = app.second_server();
    let mut posts = JoinSet::new();
    for (n, body) in bodies.into_iter().enumerate() {
        let tenant = if n % 2 == 0 {
            (**app).clone()
        } else {
            app.on(&second)
        };
        posts.spawn(async move { tenant.post(body).await });
    }
    posts.join_all().await
}

fn created(replies: &[Reply]) -> usize {
    for reply in replies {
        assert!(
            matches!(reply.status, 200 | 201),
            "{}: {}",
            reply.status,
            reply.body
        );
    }
    replies.iter().filter(|reply| reply.status == 201).count()
}

fn ids(replies: &[Reply]) -> HashSet<String> {
    replies.iter().map(Reply::id).collect()
}

async fn items(app: &App) -> Vec<Value> {
    let body = app.list("limit=1000").await.body;
    body["data"].as_array().expect("a list").clone()
}

#[tokio::test]
async fn sixty_four_posts_of_one_new_phone_make_one_customer_with_all_their_tags() {
    let app = App::start().await;
    let spellings = [
        "(763) 555-0101",
        "763.555.0101",
        "+1 763-555-0101",
        "7635550101",
        "1 763 555 0101",
    ];
    let tags: HashSet<String> = (0..64).map(|n| format!("tag{n}")).collect();
    let bodies = tags
        .iter()
        .zip(spellings.iter().cycle())
        .map(|(tag, phone)| json!({"phone": phone, "tags": [tag]}))
        .collect();

    let replies = post_all(&app, bodies).await;
    assert_eq!(created(&replies), 1);
    assert_eq!(ids(&replies).len(), 1);
    let items = items(&app).await;
    assert_eq!(items.len(), 1);
    let kept = items[0]["tags"].as_array().expect("tags");
    assert_eq!(kept.len(), 64);
    assert_eq!(
        kept.iter()
            .map(|tag| tag.as_str().expect("a string").to_owned())
            .collect::<HashSet<_>>(),
        tags
    );
}

#[tokio::test]
async fn identical_posts_of_one_new_email_make_one_customer() {
    let app = App::start().await;
    let bodies = vec![json!({"email": "Jane@example.com", "first_name": "Jane"}); 64];
    let replies = post_all(&app, bodies).await;
    assert_eq!(created(&replies), 1);
    assert_eq!(items(&app).await.len(), 1);
    let unchanged = replies
        .iter()
        .filter(|reply| reply.header("clientele-outcome") == Some("unchanged"));
    assert_eq!(unchanged.count(), 63);
}

#[tokio::test]
async fn identical_posts_with_phone_and_email_make_one_customer() {
    let app = App::start().await;
    let bodies = vec![json!({"phone": "763-555-0101", "email": "jane@example.com"}); 64];
    let replies = post_all(&app, bodies).await;
    assert_eq!(created(&replies), 1);
    assert_eq!(ids(&replies).len(), 1);
    assert_eq!(items(&app).await.len(), 1);
}

#[tokio::test]
async fn crossing_phones_and_emails_end_without_a_deadlock_and_without_a_phone_twice() {
    let app = App::start().await;
    // Each phone comes with each e-mail, so that posts want the same two in either order.
    let pairs = (0..8).flat_map(|phone| (0..8).map(move |email| (phone, email)));
    let bodies: Vec<Value> = pairs
        .map(|(phone, email)| {
            json!({"phone": format!("763-555-010{phone}"), "email": format!("e{email}@example.com")})
        })
        .collect();
    let replies = post_all(&app, bodies).await;
    let made = created(&replies);

    let items = items(&app).await;
    assert_eq!(items.len(), made);
    let phones: HashSet<&str> = items
        .iter()
        .map(|item| item["phone"].as_str().expect("a phone"))
        .collect();
    assert_eq!(phones.len(), items.len(), "{items:?}");
}

#[tokio::test]
async fn posts_of_phone_of_email_and_of_both_make_no_duplicates() {
    let app = App::start().await;
    let mut bodies = Vec::new();
    for n in 0..8 {
        let (phone, email) = (format!("763-555-010{n}"), format!("e{n}@example.com"));
        for _ in 0..3 {
            bodies.push(json!({"phone": phone}));
            bodies.push(json!({"email": email}));
            bodies.push(json!({"phone": phone, "email": email}));
        }
    }
    created(&post_all(&app, bodies).await);

    // One post with both may find two customers that were made for its phone and for its e-mail,
    // and leaves these two. So: each phone once, each e-mail at most once without a phone.
    let items = items(&app).await;
    let mut phones = HashSet::new();
    let mut lone_emails = HashSet::new();
    for item in &items {
        let fresh = match item["phone"].as_str() {
            Some(phone) => phones.insert(phone),
            None => lone_emails.insert(item["email"].as_str().expect("an e-mail")),
        };
        assert!(fresh, "{item} is there twice");
    }
    assert_eq!(phones.len(), 8);
}

#[tokio::test]
async fn updates_by_id_at_once_lose_no_tag() {
    let app = App::start().await;
    let id = app.create(json!({"phone": "763-555-0101"})).await;
    let bodies = (0..48)
        .map(|n| match n % 2 {
            0 => json!({"id": id, "tags": [n.to_string()]}),
            _ => json!({"phone": "7635550101", "tags": [n.to_string()]}),
        })
        .collect();
    assert_eq!(created(&post_all(&app, bodies).await), 0);
    let item = app.get(&id).await.body;
    assert_eq!(item["data"]["tags"].as_array().map(Vec::len), Some(48));
}

#[tokio::test]
async fn a_phone_that_moves_while_others_ask_for_it_is_never_doubled() {
    let app = App::start().await;
    let id = app.create(json!({"phone": "763-555-0101"})).await;
    let bodies = (0..48)
        .map(|n| match n % 4 {
            0 => json!({"id": id, "phone": "763-555-0102"}),
            1 => json!({"id": id, "phone": "763-555-0101"}),
            2 => json!({"phone": "763-555-0101", "tags": [n.to_string()]}),
            _ => json!({"phone": "763-555-0102", "tags": [n.to_string()]}),
        })
        .collect();
    created(&post_all(&app, bodies).await);
    // One customer has been both; each number may have got one more while it was free.
    let items = items(&app).await;
    assert!(items.len() <= 3, "{items:?}");
    let tags = items
        .iter()
        .filter_map(|item| item["tags"].as_array())
        .map(Vec::len);
    assert_eq!(tags.sum::<usize>(), 24);
}

#[tokio::test]
async fn a_customer_is_seen_by_every_server_as_soon_as_it_is_there() {
    let app = App::start().await;
    let second = app.second_server();
    let other = app.on(&second);
    for n in 0..20 {
        let name = format!("Customer{n}x");
        let id = app.create(json!({"first_name": name})).await;
        assert_eq!(other.search(&name).await, [id.as_str()]);
        assert_eq!(other.get(&id).await.status, 200);
    }
}

#[tokio::test]
async fn a_customer_held_by_somebody_else_is_a_503_in_time_and_nothing_is_left_behind() {
    let app = App::start().await;
    let id = app
        .create(json!({"phone": "763-555-0100", "tags": ["a"]}))
        .await;
    let mut holder = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    let mut held = holder.begin().await.expect("a transaction");
    sqlx::query("select from customers where id = $1::uuid for update")
        .bind(&id)
        .execute(&mut *held)
        .await
        .expect("a lock");

    // One client waits for its answer, another goes away while it waits.
    let gone = app
        .request(Method::POST, "/customers")
        .json(&json!({"phone": "763-555-0100", "tags": ["b"]}))
        .timeout(Duration::from_millis(200))
        .send();
    let (gone, waited) = tokio::join!(gone, app.post(json!({"id": id, "tags": ["c"]})));
    assert!(gone.is_err());
    assert_eq!(waited.status, 503, "{}", waited.body);
    assert!(waited.header("retry-after").is_some());

    held.rollback().await.expect("the lock's end");
    let after = app
        .post(json!({"phone": "763-555-0100", "tags": ["d"]}))
        .await;
    assert_eq!(after.status, 200, "{}", after.body);
    let idle: i64 = sqlx::query_scalar(
        "select count(*) from pg_stat_activity
        where datname = current_database() and state like 'idle in transaction%'",
    )
    .fetch_one(&mut holder)
    .await
    .expect("a count");
    assert_eq!(idle, 0);
}

#[tokio::test]
async fn reads_that_are_given_up_do_not_pile_up_in_the_database() {
    let app = App::start().await;
    let store = Store::connect(&app.database_url, 2).expect("a store");
    let mut locker = PgConnection::connect(&app.database_url)
        .await
        .expect("a connection");
    let mut held = locker.begin().await.expect("a transaction");
    sqlx::raw_sql("lock table companies")
        .execute(&mut *held)
        .await
        .expect("the lock");
    for _ in 0..10 {
        let given_up = tokio::time::timeout(Duration::from_millis(50), store.companies()).await;
        assert!(given_up.is_err());
    }
    let waiting: Vec<i64> = app
        .column(
            "select count(*) from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'",
        )
        .await;
    assert_eq!(waiting, [2]);
    held.rollback().await.expect("the end");
    assert_eq!(store.companies().await.expect("an answer").len(), 1);
}

#[tokio::test]
async fn a_refused_update_leaves_nothing_locked() {
    let app = App::start().await;
    let tags: Vec<String> = (0..100).map(|n| format!("t{n}")).collect();
    let id = app.create(json!({"tags": tags})).await;
    let refused = app.post(json!({"id": id, "tags": ["one more"]})).await;
    assert_eq!(refused.bad_fields(), ["tags"]);
    let open: Vec<i64> = app
        .column(
            "select count(*) from pg_stat_activity
            where datname = current_database() and state like 'idle in transaction%'",
        )
        .await;
    assert_eq!(open, [0]);
}
