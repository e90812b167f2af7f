//! Upserts, and lists whose totals they make out of date.

use std::time::Instant;

use sqlx::{Connection, PgConnection};

use super::{Bench, CONNECTIONS};
use crate::calls;
use crate::dataset;
use crate::report::{Aim, Latency, Measured, Most, Report};
use crate::service::Service;
use crate::wrk::{Requests, Target};

impl Bench<'_> {
    /// A common word's first page when its total has to be counted, and when it is known.
    pub async fn first_counts(&self, url: &str, report: &mut Report) -> anyhow::Result<()> {
        let mut db = PgConnection::connect(url).await?;
        let company = dataset::company(&mut db, "million").await?;
        let service = Service::start(url)?;
        let key = service.key(company).await?;
        let known: String =
            sqlx::query_scalar("select id::text from customers where company_id = $1 limit 1")
                .bind(company.as_uuid())
                .fetch_one(&mut db)
                .await?;
        for word in ["an", "gmail"] {
            let (mut counted, mut repeated) = (Vec::new(), Vec::new());
            let first = format!("{}/customers?search={word}", service.base);
            let second = format!("{first}&page=2");
            timed(&first, &key)?;
            for round in 0..self.plan.rounds {
                self.progress
                    .set_message(format!("first page of `{word}`, round {}", round + 1));
                let now = chrono::Utc::now();
                let note = format!(r#"{{"id":"{known}","notes":"{now}"}}"#);
                ureq::post(format!("{}/customers", service.base))
                    .header("x-api-key", &key)
                    .header("rotor-api-version", "1.1.0")
                    .content_type("application/json")
                    .send(note)?;
                counted.push(timed(&first, &key)?);
                repeated.push(timed(&second, &key)?);
                repeated.push(timed(&first, &key)?);
            }
            report.latency.push(Latency::plain(
                &format!("first page of `{word}`, counted"),
                counted,
                Most::Milliseconds(260.0),
            ));
            report.latency.push(Latency::plain(
                &format!("`{word}` again, and its second page"),
                repeated,
                Most::Milliseconds(10.0),
            ));
        }
        Ok(())
    }

    /// On a copy, so that the data set stays as it is.
    pub async fn upserts(&self, report: &mut Report) -> anyhow::Result<()> {
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
        let mut name = String::new();
        for round in 0..=self.plan.rounds {
            let call = calls::upsert(&mut db, company, round).await?;
            self.progress
                .set_message(format!("{}, round {round}", call.name));
            let limit = self
                .scripts(&call)?
                .run(&copy, CONNECTIONS, self.plan.seconds)?;
            let requests = Requests::new(self.scratch.path(), "requests", &call.requests)?;
            let load = requests.send(&target, CONNECTIONS, self.plan.seconds)?;
            anyhow::ensure!(
                load.requests() <= u64::from(calls::UPSERTS),
                "more upserts than there are new customers for: shorter rounds, by --seconds"
            );
            // The first warms up.
            if round > 0 {
                rounds.push((load, limit));
            }
            name = call.name;
        }
        report
            .throughput
            .push(Measured::median(&name, rounds, Aim::Ratio(0.80)));
        drop(service);
        db.close().await?;
        self.drop_copy().await
    }
}

/// Milliseconds until the whole reply is there.
fn timed(url: &str, key: &str) -> anyhow::Result<f64> {
    let started = Instant::now();
    ureq::get(url)
        .header("x-api-key", key)
        .header("rotor-api-version", "1.1.0")
        .call()?
        .body_mut()
        .read_to_string()?;
    Ok(started.elapsed().as_secs_f64() * 1e3)
}
