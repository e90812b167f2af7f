//! Whole lists: batches beside single posts, and an export of everyone.

use std::io::{self, Read};
use std::time::Instant;

use sqlx::{Connection, PgConnection};

use super::Bench;
use crate::calls::{self, BATCH};
use crate::dataset;
use crate::report::{Bulk, Report};
use crate::service::Service;
use crate::wrk::{Requests, Target};

impl Bench<'_> {
    /// Upserts one by one and in batches of a thousand, over one connection.
    pub async fn batches(&self, report: &mut Report) -> anyhow::Result<()> {
        let copy = self.copy("million").await?;
        let mut db = PgConnection::connect(&copy).await?;
        let company = dataset::company(&mut db, "million").await?;
        let service = Service::start(&copy)?;
        let key = service.key(company).await?;
        let target = Target {
            base: &service.base,
            key: &key,
        };
        let mut rounds = Vec::new();
        for round in 0..=self.plan.rounds {
            self.progress.set_message(format!("batches, round {round}"));
            let single = calls::upsert(&mut db, company, round).await?.requests;
            let bodies = calls::batches(&calls::upsert(&mut db, company, 50 + round).await?);
            let single = Requests::new(self.scratch.path(), "requests", &single)?;
            let single = single.send(&target, 1, self.plan.seconds)?;
            let batched = Requests::new(self.scratch.path(), "batches", &bodies)?;
            let batched = batched.send(&target, 1, self.plan.seconds)?;
            anyhow::ensure!(
                batched.requests() <= bodies.len() as u64,
                "more batches than there are new customers for: shorter rounds, by --seconds"
            );
            // The first warms up.
            if round > 0 {
                rounds.push((batched.per_second() * BATCH as f64, single.per_second()));
            }
        }
        report.bulk = Some(Bulk::median(rounds));
        drop(service);
        db.close().await?;
        self.drop_copy().await
    }

    /// Rows a second of an export of the million, and what the service needs for it.
    pub async fn export(&self, url: &str, report: &mut Report) -> anyhow::Result<()> {
        let mut db = PgConnection::connect(url).await?;
        let company = dataset::company(&mut db, "million").await?;
        let service = Service::start(url)?;
        let key = service.key(company).await?;
        self.progress.set_message("an export of the million");
        let started = Instant::now();
        let mut response = ureq::get(format!("{}/customers/export", service.base))
            .header("x-api-key", &key)
            .header("rotor-api-version", "1.1.0")
            .call()?;
        let mut body = response.body_mut().as_reader();
        let mut byte = [0];
        body.read_exact(&mut byte)?;
        let first = started.elapsed();
        let bytes = io::copy(&mut body, &mut io::sink())?;
        let memory = service.memory()?;
        if let Some(bulk) = &mut report.bulk {
            bulk.export = Some((first, started.elapsed(), bytes, memory));
        }
        Ok(())
    }
}
