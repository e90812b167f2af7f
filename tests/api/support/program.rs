//! The program itself, as an operator runs it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(90);

/// The program with no settings but these: none of this machine's, and no `.env` of a checkout.
pub fn clientele(settings: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_clientele"));
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("CLIENTELE_")) {
        command.env_remove(name);
    }
    command
        .env_remove("DATABASE_URL")
        .env_remove("OTEL_EXPORTER_OTLP_ENDPOINT")
        .env("RUST_LOG", "warn")
        // Its address is one for all, and tests run beside each other.
        .env("CLIENTELE_METRICS_BIND", "off")
        .envs(settings.iter().copied())
        .args(arguments)
        .current_dir("/tmp")
        .stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub fn run(settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    clientele(settings, arguments)
        .output()
        .expect("the program")
}

/// What it printed, when all went well.
pub fn answer(settings: &[(&str, &str)], arguments: &[&str]) -> String {
    let done = run(settings, arguments);
    let (out, err) = (text(&done.stdout), text(&done.stderr));
    assert!(done.status.success(), "{arguments:?}: {out}{err}");
    out
}

/// What it complained of, when it did not.
pub fn complaint(settings: &[(&str, &str)], arguments: &[&str]) -> String {
    let done = run(settings, arguments);
    assert!(
        !done.status.success(),
        "{arguments:?}: {}",
        text(&done.stdout)
    );
    text(&done.stderr)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running `clientele serve`. It is told to stop when it is dropped.
pub struct Serve {
    child: Child,
    /// The line to paste.
    pub curl: String,
    /// What it says before.
    pub greeting: String,
}

impl Serve {
    /// Starts it, and waits for it to print the line to paste.
    pub fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_logging_to(settings, Stdio::inherit())
    }

    /// The same, with its log going to `log`.
    pub fn start_logging_to(settings: &[(&str, &str)], log: impl Into<Stdio>) -> Self {
        let mut settings = settings.to_vec();
        settings.push(("CLIENTELE_BIND", "127.0.0.1:0"));
        let mut child = clientele(&settings, &["serve"])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program");
        let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let (tell, told) = mpsc::channel();
        // Reads on to the end, so that the program never waits for a reader.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        // Held from here on, so that it is stopped even when it does not greet.
        let mut serve = Self {
            child,
            curl: String::new(),
            greeting: String::new(),
        };
        let mut greeting = Vec::new();
        while !greeting
            .iter()
            .any(|line: &String| line.trim().starts_with("curl "))
        {
            let line = told.recv_timeout(PATIENCE);
            greeting.push(line.unwrap_or_else(|_| panic!("no line to paste: {greeting:?}")));
        }
        let line = greeting.pop().expect("a line");
        serve.greeting = greeting.join("\n");
        line.trim().clone_into(&mut serve.curl);
        serve
    }

    /// `http://127.0.0.1:<port>`, as the line to paste has it.
    pub fn base(&self) -> String {
        let from = self.curl.find("http://").expect("a URL");
        let port = self.curl[from..].find("/customers");
        let port = port.or_else(|| self.curl[from..].find("/health"));
        self.curl[from..from + port.expect("a path")].to_owned()
    }

    /// Tells it to stop; the answer is its exit code.
    pub fn stop(&mut self) -> Option<i32> {
        self.signal("-TERM");
        self.child.wait().expect("its end").code()
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.child.kill().expect("its end");
        self.child.wait().expect("its end");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.expect("kill").success());
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            self.signal("-TERM");
            let _ = self.child.wait();
        }
    }
}

/// Whether the private database in this data directory runs.
pub fn database_runs(data_dir: &Path) -> bool {
    data_dir.join("postgres/data/postmaster.pid").exists()
}
