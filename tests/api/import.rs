//! `clientele import`.

use std::fs;
use std::io::Write;

use serde_json::json;

use crate::support::desk::{Desk, said};
use crate::support::program;

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

#[tokio::test]
async fn blank_rows_of_a_spreadsheet_are_no_customers() {
    let desk = Desk::new().await;
    let file = desk.write(
        "list.csv",
        "first_name,phone\r\n,\r\nAda,\r\n , \r\n,\r\n\r\n",
    );
    let (code, out, err) = desk.run(&[&file]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with("1 rows"), "{out}");
    assert_eq!(desk.only_item().await["first_name"], "Ada");
}

#[tokio::test]
async fn an_open_quote_is_told_with_its_line() {
    let desk = Desk::new().await;
    let mut text = "first_name,notes\nAda,x\nBo,\"open\n".to_owned();
    text.extend(std::iter::repeat_n("Cy,y\n", 2_000_000));
    let file = desk.write("list.csv", text);
    let (code, _, err) = desk.run(&[&file]);
    assert_eq!(code, Some(1));
    assert!(err.contains("list.csv") && err.contains("line 3"), "{err}");
    assert!(err.contains("is a quote left open there?"), "{err}");
}

#[tokio::test]
async fn what_ends_too_early_is_told_with_its_name() {
    let desk = Desk::new().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(b"first_name\nAda\nBo\n").expect("memory");
    let mut bytes = gzip.finish().expect("memory");
    bytes.truncate(bytes.len() - 9);
    let file = desk.write("cut.csv.gz", bytes);
    let (code, _, err) = desk.run(&[&file]);
    assert_eq!(code, Some(1));
    assert!(err.contains("cut.csv.gz"), "{err}");
    assert!(!err.contains("must name the columns"), "{err}");
}
