//! Gets, lists and searches, each beside its SQL.

use clientele::domain::CompanyId;
use sqlx::{Connection, PgConnection};

use super::{Bench, CONNECTIONS};
use crate::calls::{self, Call};
use crate::dataset;
use crate::report::{Aim, Latency, Measured, Most, Report};
use crate::service::Service;
use crate::wrk::{Load, Requests, Target};

impl Bench<'_> {
    pub async fn reads(&self, url: &str, report: &mut Report) -> anyhow::Result<()> {
        let mut db = PgConnection::connect(url).await?;
        let company = dataset::company(&mut db, "million").await?;
        let small = dataset::company(&mut db, "small 1").await?;
        let service = Service::start(url)?;
        let key = service.key(company).await?;
        let target = Target {
            base: &service.base,
            key: &key,
        };

        self.under_load(&mut db, company, &target, url, report)
            .await?;
        self.alone(company, &target, url, report)?;
        let key = service.key(small).await?;
        let target = Target {
            base: &service.base,
            key: &key,
        };
        for word in ["yilmaz", "gmail"] {
            let call = calls::small_search(small, word);
            report
                .latency
                .push(self.latency(&call, &target, url, Most::Milliseconds(2.0))?);
        }
        Ok(())
    }

    async fn under_load(
        &self,
        db: &mut PgConnection,
        company: CompanyId,
        target: &Target<'_>,
        url: &str,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        let throughput = [
            (calls::get(db, company).await?, Aim::Ratio(0.45)),
            (calls::list(company, 50), Aim::Ratio(0.40)),
            (calls::list(company, 1_000), Aim::PerSecond(150.0)),
        ];
        for (call, aim) in throughput {
            report
                .throughput
                .push(self.throughput(&call, target, url, aim)?);
        }
        Ok(())
    }

    fn alone(
        &self,
        company: CompanyId,
        target: &Target<'_>,
        url: &str,
        report: &mut Report,
    ) -> anyhow::Result<()> {
        for (name, path) in [
            ("a rare word, `yilmaz`", "yilmaz"),
            ("a medium word, `duncan`", "duncan"),
            ("a phone fragment, `5550101`", "5550101"),
            ("a whole phone, `763-555-0101`", "763-555-0101"),
            ("first and last name, `john smi`", "john+smi"),
        ] {
            let call = calls::search(company, name, path)?;
            let latency = self.latency(&call, target, url, Most::OverSql(2.0))?;
            report.latency.push(latency);
        }
        let page = |name, query, order, limit, offset| {
            calls::page(company, name, query, order, limit, offset)
        };
        let newest = "created_at desc, id desc";
        for (call, most) in [
            (
                page(
                    "page 19,000 of 50",
                    "?page=19000",
                    "created_at, id",
                    50,
                    216,
                ),
                110.0,
            ),
            (
                page(
                    "page 9,500 of 50: the middle",
                    "?page=9500",
                    newest,
                    50,
                    474_950,
                ),
                110.0,
            ),
            (calls::total_with_archived(company), 5.0),
            (calls::total_of_inactive(company), 5.0),
        ] {
            let latency = self.latency(&call, target, url, Most::Milliseconds(most))?;
            report.latency.push(latency);
        }
        Ok(())
    }

    /// Requests a second of the service and transactions a second of pgbench, one after the other so
    /// that what else the machine does meets both: the round with the median ratio.
    fn throughput(
        &self,
        call: &Call,
        target: &Target<'_>,
        url: &str,
        aim: Aim,
    ) -> anyhow::Result<Measured> {
        let requests = Requests::new(self.scratch.path(), "requests", &call.requests)?;
        let scripts = self.scripts(call)?;
        requests.send(target, CONNECTIONS, 1)?;
        let mut rounds = Vec::new();
        for round in 1..=self.plan.rounds {
            self.progress
                .set_message(format!("{}, round {round}", call.name));
            let limit = scripts.run(url, CONNECTIONS, self.plan.seconds)?;
            rounds.push((
                requests.send(target, CONNECTIONS, self.plan.seconds)?,
                limit,
            ));
        }
        Ok(Measured::median(&call.name, rounds, aim))
    }

    /// How long one request takes when there is no other, and how long its SQL alone.
    fn latency(
        &self,
        call: &Call,
        target: &Target<'_>,
        url: &str,
        most: Most,
    ) -> anyhow::Result<Latency> {
        let requests = Requests::new(self.scratch.path(), "requests", &call.requests)?;
        let scripts = self.scripts(call)?;
        requests.send(target, 1, 1)?;
        let mut rounds: Vec<(Load, f64)> = Vec::new();
        for round in 1..=self.plan.rounds {
            self.progress
                .set_message(format!("{}, round {round}", call.name));
            let sql = scripts.median(url, self.plan.seconds)?;
            rounds.push((requests.send(target, 1, self.plan.seconds)?, sql));
        }
        Ok(Latency::median(&call.name, rounds, most))
    }
}
