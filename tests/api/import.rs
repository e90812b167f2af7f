//! `clientele import`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::App;
use crate::support::program::{self, clientele};

/// A service, a directory for files, and the program to import them with.
struct Desk {
    app: App,
    dir: TempDir,
}

impl Desk {
    async fn new() -> Self {
        Self {
            app: App::start().await,
            dir: tempfile::tempdir().expect("a directory"),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        fs::write(&path, text).expect("a written file");
        path.to_str().expect("a path").to_owned()
    }

    fn command(&self, arguments: &[&str]) -> std::process::Command {
        let company = self.app.company.to_string();
        let mut all = vec!["import", "--company", &company];
        all.extend(arguments);
        clientele(&[("DATABASE_URL", &self.app.database_url)], &all)
    }

    fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        said(&self.command(arguments).output().expect("the program"))
    }

    async fn total(&self) -> Value {
        self.app.list("limit=1").await.body["pagination"]["total"].clone()
    }

    async fn only_item(&self) -> Value {
        let body = self.app.list("").await.body;
        assert_eq!(body["pagination"]["total"], 1, "{body}");
        body["data"][0].clone()
    }
}

fn said(done: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (done.status.code(), text(&done.stdout), text(&done.stderr))
}

#[tokio::test]
async fn columns_are_fields_by_name_by_map_and_by_constant() {
    let desk = Desk::new().await;
    let file = desk.write(
        "list.csv",
        "First Name,E-Mail,Ring,Labels,Lat,Longitude,Color,City\n\
        Ada,ada@example.com,(763) 555-0100,vip|lead,45.5,-93.25,red,Omaha\n",
    );
    let (code, out, err) = desk.run(&[
        &file,
        "--map",
        "Ring=phone",
        "--set",
        "source=fair",
        "--set",
        "status=active",
        "--set",
        "tags=2026",
        "--tag-separator",
        "|",
        "--map",
        "City=",
    ]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("1 rows") && out.contains("1 created"), "{out}");
    assert!(err.contains("columns left out: Color, City"), "{err}");
    let item = desk.only_item().await;
    assert_eq!(item["first_name"], "Ada");
    assert_eq!(item["email"], "ada@example.com");
    assert_eq!(item["phone"], "(763) 555-0100");
    assert_eq!(item["tags"], json!(["vip", "lead", "2026"]));
    assert_eq!(item["location"], json!([45.5, -93.25]));
    assert_eq!(item["source"], "fair");
    assert_eq!(item["status"], "active");
    assert!(item.get("address").is_none());
}

#[tokio::test]
async fn the_preset_knows_what_field_service_tools_write() {
    let desk = Desk::new().await;
    let file = desk.write(
        "clients.csv",
        "\u{feff}First Name,Last Name,Mobile Number,Home Phone,Service Street 1,Service City,\
        Billing Street 1,Customer Tags,Lead Source\r\n\
        Ada,Lovelace,,763-555-0100,1 Main St,Omaha,PO Box 1,a; b,Web\r\n",
    );
    let (code, _, err) = desk.run(&[&file, "--preset", "field-service"]);
    assert_eq!(code, Some(0), "{err}");
    let item = desk.only_item().await;
    assert_eq!(item["phone"], "763-555-0100");
    assert_eq!(item["address"]["street1"], "1 Main St");
    assert_eq!(item["tags"], json!(["a", "b"]));
    assert_eq!(item["source"], "Web");
    let billed: Vec<String> = desk
        .app
        .column("select billing_street1 from customers")
        .await;
    assert_eq!(billed, ["PO Box 1"]);
}

#[tokio::test]
async fn files_are_read_compressed_from_standard_input_and_as_json() {
    let desk = Desk::new().await;
    let csv = "first_name\nAda\nBo\n";
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(csv.as_bytes()).expect("memory");
    let zstd = zstd::encode_all(csv.as_bytes(), 0).expect("memory");
    let json = "{\"first_name\":\"Ada\"}\n{\"first_name\":\"Bo\",\"tags\":[\"x\"]}\n";
    for (name, bytes) in [
        ("a.csv.gz", gzip.finish().expect("memory")),
        ("a.csv.zst", zstd),
        ("a.tsv", b"first_name\tlast_name\nAda\tL\nBo\tD\n".to_vec()),
        ("a.ndjson", json.as_bytes().to_vec()),
    ] {
        let file = desk.write(name, bytes);
        let (code, out, err) = desk.run(&[&file]);
        assert_eq!(code, Some(0), "{name}: {err}");
        assert!(out.contains("2 created"), "{name}: {out}");
    }
    let input = fs::File::open(desk.path("a.ndjson")).expect("the file");
    let done = desk.command(&["-"]).stdin(input).output();
    let (code, out, err) = said(&done.expect("the program"));
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("2 created"), "{out}");
    assert_eq!(desk.total().await, 10);
}

#[tokio::test]
async fn a_dry_run_tells_what_the_real_one_then_does_and_writes_nothing() {
    let desk = Desk::new().await;
    desk.app
        .create(json!({"first_name": "Ada", "phone": "763-555-0100"}))
        .await;
    let mut text =
        "first_name,phone,email\nAda,763-555-0100,\nAda,7635550100,\nEve,x,\n".to_owned();
    // Rows that meet rows of another batch.
    text.extend((0..2_500).map(|n| format!("N{n},763-444-{:04},n@example.com\n", n % 1_700)));
    let file = desk.write("list.csv", text);
    let before: Vec<String> = desk
        .app
        .column("select xmin::text || id from customers")
        .await;
    let (code, rehearsed, err) = desk.run(&[&file, "--dry-run"]);
    assert_eq!(code, Some(1));
    assert!(err.contains("line 4: phone:"), "{err}");
    let after: Vec<String> = desk
        .app
        .column("select xmin::text || id from customers")
        .await;
    assert_eq!(before, after);
    let (code, done, _) = desk.run(&[&file]);
    assert_eq!(code, Some(1));
    let counts = |text: &str| text.split_once(" s: ").expect("counts").1.to_owned();
    assert_eq!(counts(&rehearsed).replace("would be ", ""), counts(&done));
    assert!(done.starts_with("2503 rows"), "{done}");
    assert!(done.contains("1 refused"), "{done}");
}

#[tokio::test]
async fn refused_rows_can_be_mended_and_imported_again() {
    let desk = Desk::new().await;
    let file = desk.write(
        "list.csv",
        "Name,E-Mail,Phone\n\"Ada, Countess\",nonsense,763-555-0100\nBo,bo@example.com,763-555-0101\nCy,cy@example.com,none\nshort\n",
    );
    let rejects = desk.path("rejects.csv");
    let rejects = rejects.to_str().expect("a path");
    let options = ["--map", "Name=first_name", "--rejects"];
    let (code, out, err) = desk.run(&[&[file.as_str()], &options[..], &[rejects]].concat());
    assert_eq!(code, Some(1));
    assert!(
        out.contains("1 created") && out.contains("3 refused"),
        "{out}"
    );
    assert!(err.contains("3 rows were refused"), "{err}");
    let text = fs::read_to_string(rejects).expect("rejects");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "Name,E-Mail,Phone,_line,_error");
    assert!(
        lines[1].starts_with("\"Ada, Countess\",nonsense,763-555-0100,2,email:"),
        "{text}"
    );
    assert!(
        lines[2].starts_with("Cy,cy@example.com,none,4,phone:"),
        "{text}"
    );
    assert!(lines[3].starts_with("short,,,5,"), "{text}");

    let mended = text
        .replace("nonsense", "ada@example.com")
        .replace(",none,", ",763-555-0102,");
    let mended = desk.write("mended.csv", mended);
    let again = desk.path("again.csv");
    let again = again.to_str().expect("a path");
    let (code, out, err) = desk.run(&[&[mended.as_str()], &options[..], &[again]].concat());
    assert_eq!(
        (code, out.contains("3 created")),
        (Some(0), true),
        "{out}{err}"
    );
    assert_eq!(desk.total().await, 4);
    assert_eq!(desk.app.search("countess").await.len(), 1);
}

/// Rows that nothing matches, so that one which is done twice would be there twice; and some that
/// are refused.
fn many() -> String {
    let mut text = "first_name,status\n".to_owned();
    text.extend((0..20_000).map(|n| {
        let status = if n % 100 == 99 { "asleep" } else { "active" };
        format!("N{n},{status}\n")
    }));
    text
}

/// Waits until an import has done some of its rows.
async fn under_way(desk: &Desk) {
    let some = "select coalesce(max(done), 0)::bigint from imports";
    while desk.app.column::<i64>(some).await[0] < 2_000 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn assert_done_once(desk: &Desk, rejects: &Path) {
    let names = "select count(*) || ' ' || count(distinct first_name) from customers";
    assert_eq!(desk.app.column::<String>(names).await, ["19800 19800"]);
    let rejects = fs::read_to_string(rejects).expect("rejects");
    assert_eq!(rejects.lines().count(), 201);
    let left: Vec<i64> = desk.app.column("select count(*) from imports").await;
    assert_eq!(left, [0]);
}

#[tokio::test]
async fn an_import_that_was_killed_goes_on_and_does_no_row_twice() {
    let desk = Desk::new().await;
    let file = desk.write("list.csv", many());
    let rejects = desk.path("rejects.csv");
    let arguments = [&file, "--rejects", rejects.to_str().expect("a path")];
    let mut child = desk
        .command(&arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    under_way(&desk).await;
    child.kill().expect("its end");
    child.wait().expect("its end");
    assert!(desk.total().await.as_i64().expect("a number") < 19_800);

    let (code, out, err) = desk.run(&arguments);
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("going on behind row"), "{err}");
    assert!(out.starts_with("20000 rows"), "{out}");
    assert!(
        out.contains("19800 created") && out.contains("200 refused"),
        "{out}"
    );
    assert_done_once(&desk, &rejects).await;
}

#[tokio::test]
async fn an_import_that_is_told_to_stop_stops_between_batches_and_says_how_to_go_on() {
    let desk = Desk::new().await;
    let file = desk.write("list.csv", many());
    let rejects = desk.path("rejects.csv");
    let arguments = [&file, "--rejects", rejects.to_str().expect("a path")];
    let child = desk
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    under_way(&desk).await;
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.expect("kill").success());
    let (code, _, err) = said(&child.wait_with_output().expect("its end"));
    assert_eq!(code, Some(130), "{err}");
    assert!(err.contains("run it again"), "{err}");
    desk.run(&arguments);
    assert_done_once(&desk, &rejects).await;
}

#[tokio::test]
async fn what_cannot_be_read_is_said_in_clear_words() {
    let desk = Desk::new().await;
    let good = desk.write("list.csv", "first_name\nAda\n");
    let other = desk.write("other.csv", "foo,bar\n1,2\n");
    for (arguments, words) in [
        (vec!["/nowhere/list.csv"], "/nowhere/list.csv"),
        (vec![&*other], "--map column=field"),
        (
            vec![&*good, "--map", "nmae=first_name"],
            "no column \"nmae\"",
        ),
        (
            vec![&*good, "--map", "first_name=nmae"],
            "no field \"nmae\"",
        ),
        (vec![&*good, "--set", "nmae=x"], "no field \"nmae\""),
        (vec![&*good, "--set", "nmae"], "no `=`"),
        (vec![&*good, "--rejects", &*good], "another file"),
    ] {
        let (code, _, err) = desk.run(&arguments);
        assert_ne!(code, Some(0), "{arguments:?}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
    assert_eq!(desk.total().await, 0);
    assert_eq!(fs::read(&good).expect("the file"), b"first_name\nAda\n");
}

#[tokio::test]
async fn ids_of_another_program_are_refused_or_left_out() {
    let desk = Desk::new().await;
    let file = desk.write(
        "list.csv",
        "id,first_name\n0190b6c2-7b1e-7c50-8000-000000000001,Ada\n17,Bo\n",
    );
    let (code, _, err) = desk.run(&[&file]);
    assert_eq!(code, Some(1));
    assert!(
        err.contains("line 2: id: No such customer (--ids ignore"),
        "{err}"
    );
    assert!(err.contains("line 3: id: Must be a UUID"), "{err}");
    let (code, out, err) = desk.run(&[&file, "--ids", "ignore"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("2 created"), "{out}");
}

#[tokio::test]
async fn an_exported_file_that_was_edited_updates_by_id() {
    let desk = Desk::new().await;
    let id = desk
        .app
        .create(json!({"first_name": "Ada", "phone": "+1 763-555-0100"}))
        .await;
    let company = desk.app.company.to_string();
    let path = desk.path("out.csv");
    let path = path.to_str().expect("a path");
    program::answer(
        &[("DATABASE_URL", &desk.app.database_url)],
        &["export", "--company", &company, "--output", path],
    );
    let text = fs::read_to_string(path).expect("the file");
    let file = desk.write("edited.csv", text.replace("Ada", "Augusta"));
    let (code, out, err) = desk.run(&[&file]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("1 updated"), "{out}");
    let item = desk.only_item().await;
    assert_eq!(item["id"], id.as_str());
    assert_eq!(item["first_name"], "Augusta");
    assert_eq!(item["phone"], "+1 763-555-0100");
}
