mod dataset;
mod people;

use clientele::embedded::Embedded;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use std::path::Path;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let dir = Path::new("/var/tmp/clientele-bench");
    let embedded = Embedded::start(dir, None)?;
    let url = embedded.url();
    let mut c = PgConnection::connect(&url).await?;
    for s in [
        "shared_buffers = '2GB'",
        "max_connections = 200",
        "effective_cache_size='12GB'",
        "random_page_cost = 1.1",
        "max_wal_size='8GB'",
        "maintenance_work_mem='512MB'",
    ] {
        sqlx::raw_sql(AssertSqlSafe(format!("alter system set {s}")))
            .execute(&mut c)
            .await?;
    }
    c.close().await?;
    embedded.stop()?;
    let embedded = Embedded::start(dir, None)?;
    dataset::prepare(
        &url,
        &url.replace("/clientele?", "/million?"),
        "million",
        &dataset::FULL,
    )
    .await?;
    println!("{url}");
    std::mem::forget(embedded);
    Ok(())
}
