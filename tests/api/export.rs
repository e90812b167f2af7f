//! `GET /customers/export`, and what comes of it when it is imported elsewhere.

use std::time::Duration;

use clientele::domain::key::Scope;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::support::app::with_scopes;
use crate::support::program;
use crate::support::{App, Tenant};

/// Customers with everything that could be lost on the way.
async fn untidy(app: &App) {
    for body in [
        json!({"first_name": "=1+1", "last_name": "@SUM(A1)", "phone": "+1 763-555-0100",
            "company_name": "-Dash, \"Quoted\"", "notes": "two\r\nlines\n\n;and more",
            "tags": ["a;b", "c\\d", "=formula", "comma, tag", "'quote"],
            "location": [9.728_232_499_999_999, -93.25], "status": "active"}),
        json!({"first_name": "'=kept", "email": "O'Neil+tag@example.com", "source": "web",
            "billing_same_as_property": true, "property_street1": "1 Main St",
            "property_street2": "Apt #2", "property_city": "Zürich", "property_zip": "08001"}),
        json!({}),
        json!({"last_name": "日本 ﷽ 👩‍👩‍👧", "billing_street1": "+5 High St", "billing_country": "GB",
            "billing_same_as_property": false, "service_type": "mow", "service_frequency": "weekly"}),
    ] {
        app.create(body).await;
    }
    // A family with one phone, of which one is archived.
    for name in ["Ann", "Bo", "Cy"] {
        let id = app.create(json!({"first_name": name})).await;
        let reply = app.post(json!({"id": id, "phone": "763-555-0199"})).await;
        assert_eq!(reply.status, 200);
        if name == "Ann" {
            app.archive(&id).await;
        }
    }
}

async fn text(response: Response) -> String {
    assert_eq!(response.status(), 200);
    response.text().await.expect("a whole body")
}

async fn export(tenant: &Tenant, query: &str) -> String {
    let path = format!("/customers/export?{query}");
    let sent = tenant.request(Method::GET, &path).send().await;
    text(sent.expect("a reply")).await
}

/// Everything that is kept of a company's customers.
async fn kept(app: &App, company: &str) -> Vec<String> {
    app.column(&format!(
        "select (to_jsonb(c) - 'company_id' - 'updated_at')::text from customers c
        join companies co on co.id = c.company_id and co.name = '{company}'
        order by c.created_at, c.id"
    ))
    .await
}

#[tokio::test]
async fn what_is_exported_and_imported_elsewhere_is_what_it_was() {
    let app = App::start().await;
    untidy(&app).await;
    let before = kept(&app, "Acme").await;
    assert_eq!(before.len(), 7);
    for format in ["csv", "ndjson"] {
        let other = app.company(format, "US").await;
        let file = tempfile::NamedTempFile::new().expect("a file");
        let exported = export(&app, &format!("archived=true&format={format}")).await;
        std::fs::write(file.path(), exported).expect("a written file");
        let path = file.path().to_str().expect("a path");
        let settings = [("DATABASE_URL", app.database_url.as_str())];
        let company = other.company.to_string();
        let arguments = ["import", path, "--company", &company, "--ids", "restore"];
        let answer = program::answer(&settings, &arguments);
        assert!(answer.contains("7 created"), "{answer}");
        assert_eq!(kept(&app, format).await, before, "{format}");
        // And once more changes nothing.
        let answer = program::answer(&settings, &arguments);
        assert!(answer.contains("7 unchanged"), "{answer}");
        assert_eq!(kept(&app, format).await, before, "{format}");
        let again = export(&other, "archived=true&format=ndjson").await;
        assert_eq!(again, export(&app, "archived=true&format=ndjson").await);
    }
}

#[tokio::test]
async fn no_cell_is_a_formula() {
    let app = App::start().await;
    untidy(&app).await;
    let csv = export(&app, "archived=true").await;
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns = reader.headers().expect("columns").clone();
    let mut guarded = 0;
    for record in reader.records() {
        for (column, cell) in columns.iter().zip(&record.expect("a row")) {
            if matches!(column, "latitude" | "longitude") {
                continue;
            }
            assert!(
                !cell.starts_with(['=', '+', '-', '@', '\t', '\r']),
                "{cell}"
            );
            guarded += usize::from(cell.starts_with('\''));
        }
    }
    assert!(guarded >= 6, "{guarded}");
}

#[tokio::test]
async fn an_export_has_the_filters_of_the_list() {
    let app = App::start().await;
    untidy(&app).await;
    let names = async |query: &str| -> Vec<String> {
        let lines = export(&app, &format!("format=ndjson&{query}")).await;
        let name = |line| {
            let customer: Value = serde_json::from_str(line).expect("JSON");
            customer["first_name"].as_str().unwrap_or("-").to_owned()
        };
        lines.lines().map(name).collect()
    };
    assert_eq!(names("").await, ["=1+1", "'=kept", "-", "-", "Bo", "Cy"]);
    let all = ["=1+1", "'=kept", "-", "-", "Ann", "Bo", "Cy"];
    assert_eq!(names("archived=true").await, all);
    assert_eq!(names("search=5550199").await, ["Bo", "Cy"]);
    let family = names("search=5550199&archived=true").await;
    assert_eq!(family, ["Ann", "Bo", "Cy"]);
    assert_eq!(names("status=active").await, ["=1+1"]);
    assert_eq!(names("tags=a;b,x").await, ["=1+1"]);
    assert!(names("search=nobody").await.is_empty());
    assert_eq!(export(&app, "search=nobody").await.lines().count(), 1);
}

#[tokio::test]
async fn the_command_writes_what_the_call_sends_with_the_same_filters() {
    let app = App::start().await;
    untidy(&app).await;
    app.sql("update customers set created_at = '2020-01-31T08:00:00Z' where first_name = 'Bo'")
        .await;
    let company = app.company.to_string();
    let settings = [("DATABASE_URL", app.database_url.as_str())];
    for (options, query) in [
        (vec!["--archived"], "archived=true"),
        (
            vec!["--search", "5550199", "--format", "ndjson"],
            "search=5550199&format=ndjson",
        ),
        (
            vec!["--tags", "a;b,x", "--status", "active"],
            "tags=a;b,x&status=active",
        ),
        (
            vec!["--created-before", "2020-02-01"],
            "created_before=2020-02-01",
        ),
        (
            vec!["--created-after", "2020-02-01"],
            "created_after=2020-02-01",
        ),
        (
            vec!["--updated-before", "2020-02-01"],
            "updated_before=2020-02-01",
        ),
    ] {
        let arguments = [vec!["export", "--company", &company], options].concat();
        let written = program::answer(&settings, &arguments);
        assert_eq!(written, export(&app, query).await, "{query}");
    }
    let early = export(&app, "created_before=2020-02-01&format=ndjson").await;
    assert!(
        early.contains("\"Bo\"") && early.lines().count() == 1,
        "{early}"
    );
}

#[tokio::test]
async fn an_export_is_a_file_to_save() {
    let app = App::start().await;
    for (query, kind, name) in [
        (
            "",
            "text/csv; charset=utf-8; header=present",
            "customers.csv",
        ),
        ("?format=ndjson", "application/x-ndjson", "customers.ndjson"),
    ] {
        for prefix in ["", "/open-api"] {
            let reply = app
                .fetch(&format!("{prefix}/customers/export{query}"))
                .await;
            assert_eq!(reply.status, 200);
            assert_eq!(reply.header("content-type"), Some(kind));
            let disposition = format!("attachment; filename=\"{name}\"");
            assert_eq!(reply.header("content-disposition"), Some(&*disposition));
        }
    }
}

#[tokio::test]
async fn a_format_or_filter_that_is_none_is_refused() {
    let app = App::start().await;
    let reply = app
        .fetch("/customers/export?format=xls&status=asleep")
        .await;
    assert_eq!(reply.bad_fields(), ["format", "status"]);
    let writer = app.key(with_scopes(&[Scope::CustomersWrite])).await;
    let reply = app.with_key(&writer).fetch("/customers/export").await;
    assert_eq!(reply.status, 403);
    let reply = app.post_to("/customers/export", json!({})).await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("GET")));
}

#[tokio::test]
async fn another_companys_customers_are_not_in_an_export() {
    let app = App::start().await;
    untidy(&app).await;
    let other = app.other_company().await;
    assert_eq!(export(&other, "format=ndjson&archived=true").await, "");
}

/// So many customers that no socket holds them all.
async fn many(app: &App) {
    app.sql(&format!(
        "insert into customers (company_id, id, notes, search_text, rules_version)
        select '{}', md5(n::text)::uuid, repeat('before ', 300), '', 3
        from generate_series(1, 20000) as n",
        app.company
    ))
    .await;
}

async fn begin(app: &App) -> Response {
    let request = app.request(Method::GET, "/customers/export?format=ndjson");
    let response = request.send().await.expect("a reply");
    assert_eq!(response.status(), 200);
    response
}

#[tokio::test]
async fn an_export_is_of_one_moment_however_long_it_takes() {
    let app = App::start().await;
    many(&app).await;
    let mut response = begin(&app).await;
    let mut bytes = response
        .chunk()
        .await
        .expect("bytes")
        .expect("some")
        .to_vec();
    app.sql(
        "delete from customers where id in (select id from customers limit 5000);
        update customers set notes = 'after'",
    )
    .await;
    app.create(json!({"notes": "after"})).await;
    while let Some(chunk) = response.chunk().await.expect("bytes") {
        bytes.extend_from_slice(&chunk);
    }
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert_eq!(text.lines().count(), 20_000);
    assert!(!text.contains("after"));
}

#[tokio::test]
async fn an_export_that_fails_does_not_look_like_a_whole_one() {
    let app = App::start().await;
    many(&app).await;
    let response = begin(&app).await;
    app.sql(
        "select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and query like '%order by created_at, id%'
            and pid <> pg_backend_pid()",
    )
    .await;
    response.bytes().await.expect_err("a broken connection");
    assert_eq!(app.list("limit=1").await.status, 200);
}

#[tokio::test]
async fn exports_leave_connections_to_others() {
    let app = App::start().await;
    many(&app).await;
    // A server of eight connections lends two of them to exports.
    let unread = [begin(&app).await, begin(&app).await];
    let reply = app.fetch("/customers/export").await;
    assert_eq!(reply.status, 503);
    assert!(reply.header("retry-after").is_some());
    assert_eq!(app.list("limit=1").await.status, 200);
    // Their clients go away, and there is room again.
    drop(unread);
    let deadline = std::time::Instant::now() + Duration::from_secs(30);
    while app.fetch("/customers/export?search=nobody").await.status == 503 {
        assert!(std::time::Instant::now() < deadline, "still no room");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_file_that_is_there_stays_until_there_is_something_to_write() {
    let app = App::start().await;
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("customers.csv");
    std::fs::write(&file, "of yesterday").expect("a written file");
    let path = file.to_str().expect("a path");
    let company = app.company.to_string();
    let settings = [("DATABASE_URL", app.database_url.as_str())];
    let arguments = ["export", "--company", &company, "--output", path];

    app.sql("alter table customers rename to elsewhere").await;
    program::complaint(&settings, &arguments);
    assert_eq!(std::fs::read(&file).expect("the file"), b"of yesterday");

    app.sql("alter table elsewhere rename to customers").await;
    program::answer(&settings, &arguments);
    let text = std::fs::read_to_string(&file).expect("the file");
    assert!(text.starts_with("id,first_name"), "{text}");

    let nowhere = [
        "export",
        "--company",
        &company,
        "--output",
        "/nowhere/x.csv",
    ];
    let complaint = program::complaint(&settings, &nowhere);
    assert!(complaint.contains("/nowhere/x.csv"), "{complaint}");
}
