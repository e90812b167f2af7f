//! Imports that broke off, their refused rows, and what both are when they are imported again.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::desk::{Desk, said};

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

/// Starts an import of the file, and kills it when some of its rows are done.
async fn break_off(desk: &Desk, arguments: &[&str]) {
    let mut child = desk
        .command(arguments)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    under_way(desk).await;
    child.kill().expect("its end");
    child.wait().expect("its end");
}

#[tokio::test]
async fn a_dry_run_leaves_the_refused_rows_of_an_import_that_broke_off() {
    let desk = Desk::new().await;
    let file = desk.write("list.csv", many());
    let rejects = desk.path("rejects.csv");
    let arguments = [&file, "--rejects", rejects.to_str().expect("a path")];
    break_off(&desk, &arguments).await;
    let before = fs::read(&rejects).expect("rejects");

    let (code, _, err) = desk.run(&[&arguments[..], &["--dry-run"]].concat());
    assert_eq!(code, Some(1));
    assert!(err.contains("--rejects: Must be another file"), "{err}");
    assert_eq!(fs::read(&rejects).expect("rejects"), before);

    // Without it the dry run tells what the import will have done in the end.
    let (_, rehearsed, _) = desk.run(&[&file, "--dry-run"]);
    let (_, done, err) = desk.run(&arguments);
    assert!(err.contains("going on behind row"), "{err}");
    let counts = |text: &str| text.split_once(" s: ").expect("counts").1.to_owned();
    assert_eq!(counts(&rehearsed).replace("would be ", ""), counts(&done));
    assert_done_once(&desk, &rejects).await;
}

#[tokio::test]
async fn an_import_whose_refused_rows_are_away_says_how_to_go_on() {
    let desk = Desk::new().await;
    let file = desk.write("list.csv", many());
    let rejects = desk.path("rejects.csv");
    let arguments = [&file, "--rejects", rejects.to_str().expect("a path")];
    break_off(&desk, &arguments).await;
    let away = desk.path("away.csv");
    fs::rename(&rejects, &away).expect("another name");

    let (code, _, err) = desk.run(&arguments);
    assert_eq!(code, Some(1));
    assert!(err.contains("rejects.csv: "), "{err}");
    assert!(err.contains("go on without --rejects"), "{err}");
    let (_, out, err) = desk.run(&[&file]);
    assert!(err.contains("from here on are in no file"), "{err}");
    assert!(out.contains("19800 created"), "{out}");
}

#[tokio::test]
async fn a_file_of_refused_rows_is_written_by_one_import_only() {
    let desk = Desk::new().await;
    let file = desk.write("list.csv", many());
    let rejects = desk.write("rejects.csv", "what another import wrote\n");
    let theirs = OpenOptions::new().append(true).open(&rejects);
    let theirs = theirs.expect("the file");
    theirs.lock().expect("its lock");
    let (code, _, err) = desk.run(&[&file, "--rejects", &rejects]);
    assert_eq!(code, Some(1));
    assert!(err.contains("another import is writing it"), "{err}");
    let text = fs::read_to_string(&rejects).expect("rejects");
    assert_eq!(text, "what another import wrote\n");
    assert_eq!(desk.total().await, 0);
}

#[tokio::test]
async fn a_file_that_is_written_while_it_is_imported_is_told_of() {
    let desk = Desk::new().await;
    let file = desk.write("list.csv", many());
    let child = desk
        .command(&[&file])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    under_way(&desk).await;
    let more = OpenOptions::new().append(true).open(&file);
    let written = more.expect("the file").write_all(b"Late,active\n");
    written.expect("a row more");
    let (code, _, err) = said(&child.wait_with_output().expect("its end"));
    assert_eq!(code, Some(1), "{err}");
    assert!(err.contains("list.csv: it was changed"), "{err}");
    let late = "select count(*) from customers where first_name = 'Late'";
    assert_eq!(desk.app.column::<i64>(late).await, [0]);
}

#[tokio::test]
async fn refused_rows_keep_what_stands_between_their_cells_and_all_of_them() {
    let desk = Desk::new().await;
    let file = desk.write(
        "list.tsv",
        "first_name\tphone\tCity\nAda\tnone\tOmaha\nBo\t763-555-0100\tOmaha, \tNE\n",
    );
    let rejects = desk.path("rejects.tsv");
    let rejects = rejects.to_str().expect("a path");
    let (code, _, _) = desk.run(&[&file, "--format", "tsv", "--rejects", rejects]);
    assert_eq!(code, Some(1));
    let text = fs::read_to_string(rejects).expect("rejects");
    assert!(
        text.contains("Bo\t763-555-0100\tOmaha, \tNE\t3\t"),
        "{text}"
    );
    let mended = text
        .replace("none", "763-555-0101")
        .replace("Omaha, \tNE", "Omaha");
    let mended = desk.write("mended.tsv", mended);
    let (code, out, err) = desk.run(&[&mended, "--format", "tsv"]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.contains("2 created"), "{out}");
}

#[tokio::test]
async fn a_line_that_could_not_be_read_is_no_customer_when_it_comes_again() {
    let desk = Desk::new().await;
    let file = desk.write("list.ndjson", "{\"first_name\":\"Ada\"}\nnonsense\n");
    let rejects = desk.path("rejects.ndjson");
    let rejects = rejects.to_str().expect("a path");
    let (code, out, _) = desk.run(&[&file, "--rejects", rejects]);
    assert_eq!((code, out.contains("1 refused")), (Some(1), true), "{out}");
    let (code, _, err) = desk.run(&[rejects]);
    assert_eq!(code, Some(1));
    assert!(err.contains("_text: Must be mended"), "{err}");
    assert_eq!(desk.total().await, 1);
}

#[tokio::test]
async fn refused_rows_fail_an_import_whose_counts_nobody_reads() {
    let desk = Desk::new().await;
    let file = desk.write("list.csv", "first_name,phone\nAda,none\n");
    let mut child = desk
        .command(&[&file])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    drop(child.stdout.take());
    assert_eq!(end_of(&mut child), Some(1));
}

#[tokio::test]
async fn an_import_that_waits_for_standard_input_can_be_stopped() {
    let desk = Desk::new().await;
    let mut child = desk
        .command(&["-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    let mut input = child.stdin.take().expect("its input");
    // More than a pipe holds: it reads by now.
    let letters = vec![b'x'; 1024 * 1024];
    input.write_all(&letters).expect("a reader");
    let pid = child.id().to_string();
    let sent = std::process::Command::new("kill")
        .args(["-INT", &pid])
        .status();
    assert!(sent.expect("kill").success());
    assert_eq!(end_of(&mut child), Some(130));
    drop(input);
}

/// The exit code; none when it does not end.
fn end_of(child: &mut Child) -> Option<i32> {
    let deadline = Instant::now() + Duration::from_secs(30);
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().expect("its state") {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("its end");
    child.wait().expect("its end");
    None
}
