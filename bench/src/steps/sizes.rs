//! What the sizes of tables and the number of connections do.

use clientele::domain::CompanyId;
use sqlx::{Connection, PgConnection};

use super::Bench;
use crate::calls;
use crate::dataset;
use crate::service::Service;
use crate::wrk::{Requests, Target};

/// Connections that are held open while memory is looked at.
const MANY_CONNECTIONS: usize = 1_000;

impl Bench<'_> {
    /// What one request after the other takes in a table of this size.
    pub async fn size(
        &self,
        name: &str,
        customers: usize,
    ) -> anyhow::Result<(usize, Vec<(&'static str, f64)>)> {
        let copy = self.copy(name).await?;
        let mut db = PgConnection::connect(&copy).await?;
        let company: CompanyId = dataset::company(&mut db, "million").await?;
        let service = Service::start(&copy)?;
        let key = service.key(company).await?;
        let target = Target {
            base: &service.base,
            key: &key,
        };
        let mut latencies = Vec::new();
        let all = [
            ("get", calls::get(&mut db, company).await?),
            ("list", calls::list(company, 50)),
            (
                "search",
                calls::search(company, "a whole phone", "763-555-0101")?,
            ),
            ("upsert", calls::upsert(&mut db, company, 90).await?),
        ];
        for (label, call) in all {
            self.progress
                .set_message(format!("{label} among {customers} customers"));
            let requests = Requests::new(self.scratch.path(), "requests", &call.requests)?;
            // The same once more, but for upserts, which then find nothing new.
            let warm_up = match label {
                "upsert" => calls::upsert(&mut db, company, 91).await?.requests,
                _ => call.requests,
            };
            Requests::new(self.scratch.path(), "warm-up", &warm_up)?.send(&target, 1, 1)?;
            let load = requests.send(&target, 1, self.plan.seconds)?;
            latencies.push((label, load.p50 as f64 / 1e3));
        }
        drop(service);
        db.close().await?;
        self.drop_copy().await?;
        Ok((customers, latencies))
    }

    /// Resident memory with a thousand connections that have all been served.
    pub async fn memory(&self, url: &str) -> anyhow::Result<u64> {
        self.progress.set_message("memory at 1,000 connections");
        let mut db = PgConnection::connect(url).await?;
        let company = dataset::company(&mut db, "million").await?;
        let service = Service::start(url)?;
        let key = service.key(company).await?;
        let requests = Requests::new(
            self.scratch.path(),
            "requests",
            &calls::list(company, 50).requests,
        )?;
        let target = Target {
            base: &service.base,
            key: &key,
        };
        let seconds = self.plan.seconds.max(3);
        let load = std::thread::scope(|scope| {
            let sending = scope.spawn(|| requests.send(&target, MANY_CONNECTIONS, seconds));
            std::thread::sleep(std::time::Duration::from_secs(seconds - 1));
            let memory = service.memory();
            sending
                .join()
                .map_err(|_| anyhow::anyhow!("the load broke off"))??;
            memory
        })?;
        Ok(load)
    }
}
