//! The plans by which `PostgreSQL` really answers: it explains each in its log.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use serde_json::Value;

use super::{App, postgres};

/// Has sessions that begin from now on explain what they run.
pub async fn start(app: &App) {
    app.sql(
        "do $$
        begin
            execute format('alter database %I set session_preload_libraries = auto_explain',
                current_database());
            execute format('alter database %I set auto_explain.log_min_duration = 0',
                current_database());
            execute format('alter database %I set auto_explain.log_format = json',
                current_database());
            execute format('alter database %I set auto_explain.log_analyze = on',
                current_database());
            execute format('alter database %I set auto_explain.log_timing = off',
                current_database());
        end
        $$",
    )
    .await;
}

/// The plan of a statement.
#[derive(Debug)]
pub struct Plan {
    /// The statement.
    pub sql: String,
    root: Value,
}

/// The plans of all that is run while `work` is done, and speaks of `marker`.
pub async fn plans_of<T>(marker: &str, work: impl Future<Output = T>) -> (T, Vec<Plan>) {
    let mut log = File::open(postgres::log()).expect("the cluster's log");
    log.seek(SeekFrom::End(0)).expect("its end");
    let done = work.await;
    let mut written = Vec::new();
    // A session writes its plan before it says that it is ready for the next statement.
    log.read_to_end(&mut written).expect("what was written");
    let written = String::from_utf8_lossy(&written);
    let mut entries: Vec<String> = Vec::new();
    for line in written.lines() {
        match (line.strip_prefix('\t'), entries.last_mut()) {
            (Some(more), Some(entry)) => entry.push_str(more),
            // The rest of an entry of another test.
            (Some(_), None) => {}
            (None, _) => entries.push(line.to_owned()),
        }
    }
    let plans = entries
        .iter()
        .filter(|entry| entry.contains(marker))
        .filter_map(|entry| entry.split_once("  plan:"))
        .map(|(_, plan)| Plan::read(plan))
        .collect();
    (done, plans)
}

impl Plan {
    fn read(json: &str) -> Self {
        let mut explained: Value = serde_json::from_str(json).expect("a plan");
        Self {
            sql: explained["Query Text"]
                .as_str()
                .expect("a statement")
                .to_owned(),
            root: explained["Plan"].take(),
        }
    }

    /// All its nodes, each as `Index Scan customers_newest` or `Sort`.
    pub fn nodes(&self) -> Vec<String> {
        let mut nodes = Vec::new();
        visit(&self.root, false, &mut |node, _| nodes.push(name(node)));
        nodes
    }

    /// The rows that its scans read from the customers or an index of theirs, with those that they
    /// then let go.
    pub fn rows_read(&self) -> u64 {
        let mut rows = 0.0;
        visit(&self.root, false, &mut |node, _| {
            let number = |name: &str| node[name].as_f64().unwrap_or(0.0);
            if name(node).contains(" customers") {
                let each = number("Actual Rows") + number("Rows Removed by Filter");
                rows += each * number("Actual Loops");
            }
        });
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // A count.
        let rows = rows as u64;
        rows
    }

    /// By what the scans of an index find where to begin and where to end.
    pub fn index_conditions(&self, index: &str) -> Vec<String> {
        let mut conditions = Vec::new();
        visit(&self.root, false, &mut |node, _| {
            if node["Index Name"] == index {
                let condition = node["Index Cond"].as_str().unwrap_or_default();
                conditions.push(condition.to_owned());
            }
        });
        conditions
    }

    /// The nodes that a `Limit` draws from.
    pub fn limited(&self) -> Vec<String> {
        let mut nodes = Vec::new();
        visit(&self.root, false, &mut |node, limited| {
            if limited {
                nodes.push(name(node));
            }
        });
        nodes
    }
}

fn name(node: &Value) -> String {
    let kind = node["Node Type"].as_str().expect("a node");
    let of = node["Index Name"]
        .as_str()
        .or(node["Relation Name"].as_str());
    of.map_or_else(|| kind.to_owned(), |of| format!("{kind} {of}"))
}

fn visit(node: &Value, limited: bool, see: &mut impl FnMut(&Value, bool)) {
    see(node, limited);
    let limited = limited || node["Node Type"] == "Limit";
    for inner in node["Plans"].as_array().into_iter().flatten() {
        visit(inner, limited, see);
    }
}
