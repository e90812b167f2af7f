//! What came of it: a table for the terminal, a page and a plot for the documentation.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::Duration;

use plotters::prelude::*;
use sqlx::{Connection, PgConnection};

use crate::wrk::Load;

const LINES: [RGBColor; 4] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
];

/// What a call is to reach under load.
#[derive(Debug, Clone, Copy)]
pub enum Aim {
    /// This part of what pgbench reaches.
    Ratio(f64),
    /// So many requests a second.
    PerSecond(f64),
}

/// A call under load, beside the same SQL in pgbench.
pub struct Measured {
    name: String,
    load: Load,
    limit: f64,
    aim: Aim,
}

/// What a call may take when there is no other.
#[derive(Debug, Clone, Copy)]
pub enum Most {
    /// So many milliseconds.
    Milliseconds(f64),
    /// So many more than its SQL alone.
    OverSql(f64),
}

/// One request after the other.
pub struct Latency {
    name: String,
    milliseconds: f64,
    p99: Option<f64>,
    /// What its SQL takes alone.
    sql: Option<f64>,
    most: Most,
}

/// Whole lists.
pub struct Bulk {
    /// Rows a second in batches, and one by one.
    batched: f64,
    single: f64,
    /// Until the first byte and the last, how many there were, and the service's kilobytes then.
    pub export: Option<(Duration, Duration, u64, u64)>,
}

/// Everything that was measured.
pub struct Report {
    machine: String,
    pub throughput: Vec<Measured>,
    pub latency: Vec<Latency>,
    /// Customers in the table, and milliseconds of each call.
    pub sizes: Vec<(usize, Vec<(&'static str, f64)>)>,
    /// Kilobytes.
    pub memory: u64,
    pub bulk: Option<Bulk>,
}

impl Bulk {
    /// The round with the median ratio.
    pub fn median(mut rounds: Vec<(f64, f64)>) -> Self {
        rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
        let (batched, single) = rounds[rounds.len() / 2];
        Self {
            batched,
            single,
            export: None,
        }
    }

    fn text(&self) -> String {
        let (batched, single) = (self.batched, self.single);
        let mut text = format!(
            "\nBatches of 1,000 into the million, half new, half matched, one after the other: \
            {batched:.0} rows/s, {:.1} times as many as single posts one after the other \
            ({single:.0}/s).\n",
            batched / single
        );
        if let Some((first, last, bytes, kilobytes)) = self.export {
            let _ = writeln!(
                text,
                "\nAn export of the million as CSV: the first byte after {:.0} ms, all {:.0} MB after \
                {:.1} s; the service had {:.0} MB resident then.",
                first.as_secs_f64() * 1e3,
                bytes as f64 / 1e6,
                last.as_secs_f64(),
                kilobytes as f64 / 1024.0
            );
        }
        text
    }
}

impl Measured {
    /// The round with the median ratio.
    pub fn median(name: &str, mut rounds: Vec<(Load, f64)>, aim: Aim) -> Self {
        rounds.sort_by(|a, b| (a.0.per_second() / a.1).total_cmp(&(b.0.per_second() / b.1)));
        let (load, limit) = rounds[rounds.len() / 2];
        Self {
            name: name.to_owned(),
            load,
            limit,
            aim,
        }
    }

    fn ratio(&self) -> f64 {
        self.load.per_second() / self.limit
    }

    fn row(&self) -> String {
        let (aim, reached) = match self.aim {
            Aim::Ratio(least) => (format!("ratio {least:.2}"), self.ratio() >= least),
            Aim::PerSecond(least) => (format!("{least:.0}/s"), self.load.per_second() >= least),
        };
        format!(
            "| {} | {:.0} | {:.2} | {:.2} | {:.0} | {:.2} | {aim} | {} |\n",
            self.name,
            self.load.per_second(),
            self.load.p50 as f64 / 1e3,
            self.load.p99 as f64 / 1e3,
            self.limit,
            self.ratio(),
            yes(reached),
        )
    }
}

impl Latency {
    /// The round with the median time.
    pub fn median(name: &str, mut rounds: Vec<(Load, f64)>, most: Most) -> Self {
        rounds.sort_by_key(|(load, _)| load.p50);
        let (load, sql) = rounds[rounds.len() / 2];
        Self {
            name: name.to_owned(),
            milliseconds: load.p50 as f64 / 1e3,
            p99: Some(load.p99 as f64 / 1e3),
            sql: Some(sql),
            most,
        }
    }

    /// The median of some times, without SQL beside them.
    pub fn plain(name: &str, mut times: Vec<f64>, most: Most) -> Self {
        times.sort_by(f64::total_cmp);
        Self {
            name: name.to_owned(),
            milliseconds: times[times.len() / 2],
            p99: None,
            sql: None,
            most,
        }
    }

    fn row(&self) -> String {
        let number =
            |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.2}"));
        let (most, reached) = match self.most {
            Most::Milliseconds(most) => (format!("{most:.0} ms"), self.milliseconds <= most),
            Most::OverSql(more) => (
                format!("SQL + {more:.0} ms"),
                self.sql.is_some_and(|sql| self.milliseconds <= sql + more),
            ),
        };
        format!(
            "| {} | {:.2} | {} | {} | {most} | {} |\n",
            self.name,
            self.milliseconds,
            number(self.p99),
            number(self.sql),
            yes(reached),
        )
    }
}

impl Report {
    /// An empty report about the machine that this is, and the Postgres at `url`.
    pub async fn new(url: &str) -> anyhow::Result<Self> {
        let mut connection = PgConnection::connect(url).await?;
        let postgres: String = sqlx::query_scalar("show server_version")
            .fetch_one(&mut connection)
            .await?;
        let cores = std::thread::available_parallelism()?;
        let cpu = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpu
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("", |(_, name)| name);
        let postgres = postgres.split(' ').next().unwrap_or_default();
        Ok(Self {
            machine: format!("{cores} cores ({cpu}), PostgreSQL {postgres}"),
            throughput: Vec::new(),
            latency: Vec::new(),
            sizes: Vec::new(),
            memory: 0,
            bulk: None,
        })
    }

    pub fn table(&self) -> String {
        let mut table = String::from(
            "| under load, 16 connections | requests/s | p50 ms | p99 ms | pgbench tps | ratio | aim | reached |\n\
            | --- | ---: | ---: | ---: | ---: | ---: | --- | --- |\n",
        );
        table.extend(self.throughput.iter().map(Measured::row));
        table.push_str(
            "\n| one request after the other | p50 ms | p99 ms | its SQL alone, ms | at most | reached |\n\
            | --- | ---: | ---: | ---: | --- | --- |\n",
        );
        table.extend(self.latency.iter().map(Latency::row));
        table.push_str("\n| customers in the table |");
        let calls = self.sizes.first().map_or(&[][..], |(_, calls)| calls);
        for (name, _) in calls {
            let _ = write!(table, " {name}, p50 ms |");
        }
        let _ = write!(table, "\n| ---: |{}\n", " ---: |".repeat(calls.len()));
        for (customers, calls) in &self.sizes {
            let _ = write!(table, "| {} |", thousands(*customers));
            for (_, milliseconds) in calls {
                let _ = write!(table, " {milliseconds:.2} |");
            }
            table.push('\n');
        }
        table.extend(self.bulk.iter().map(Bulk::text));
        let megabytes = self.memory as f64 / 1024.0;
        let _ = writeln!(
            table,
            "\nResident memory with 1,000 open connections, all in use: {megabytes:.0} MB (at most 80: {}).",
            yes(megabytes <= 80.0)
        );
        table
    }

    /// Writes `performance.md`, whose text around the figures is a template, and `performance.svg`.
    pub fn write(&self, dir: &Path) -> anyhow::Result<()> {
        let page = include_str!("performance.template.md")
            .replace("{machine}", &self.machine)
            .replace("{date}", &chrono::Utc::now().format("%Y-%m-%d").to_string())
            .replace("{tables}", &self.table());
        fs::write(dir.join("performance.md"), page)?;
        self.plot(&dir.join("performance.svg"))
    }

    /// Latency over table size, on logarithmic axes: what is flat does not care how many there are.
    fn plot(&self, file: &Path) -> anyhow::Result<()> {
        let area = SVGBackend::new(file, (720, 420)).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption("Latency over table size", ("sans-serif", 20))
            .margin(16)
            .x_label_area_size(44)
            .y_label_area_size(56)
            .build_cartesian_2d(
                (8_000f64..1_250_000f64).log_scale(),
                (0.1f64..100f64).log_scale(),
            )?;
        chart
            .configure_mesh()
            .x_desc("customers in the table")
            .y_desc("p50, ms")
            .x_label_formatter(&|customers| thousands(customers.round() as usize))
            .y_label_formatter(&|milliseconds| format!("{milliseconds}"))
            .light_line_style(WHITE)
            .draw()?;
        let calls = self.sizes.first().map_or(&[][..], |(_, calls)| calls);
        for (number, (name, _)) in calls.iter().enumerate() {
            let color = LINES[number % LINES.len()];
            let points: Vec<(f64, f64)> = self
                .sizes
                .iter()
                .map(|(customers, calls)| (*customers as f64, calls[number].1))
                .collect();
            chart
                .draw_series(LineSeries::new(points.clone(), color.stroke_width(2)).point_size(4))?
                .label(*name)
                .legend(move |(x, y)| {
                    PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2))
                });
        }
        chart
            .configure_series_labels()
            .background_style(WHITE)
            .border_style(BLACK.mix(0.3))
            .position(SeriesLabelPosition::UpperRight)
            .draw()?;
        area.present()?;
        Ok(())
    }
}

fn yes(reached: bool) -> &'static str {
    if reached { "yes" } else { "no" }
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .filter_map(|group| std::str::from_utf8(group).ok())
        .collect();
    groups.join(",")
}
