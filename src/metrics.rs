//! What is counted and timed, for Prometheus.
//!
//! Names follow <https://prometheus.io/docs/practices/naming/>. Labels have few values, whatever is
//! asked: routes are patterns, never paths.

use prometheus::{
    Encoder, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::domain::matching::{Match, Outcome};
use crate::store::Store;

/// Bounds in seconds: a get takes half a millisecond, a count of a million a third of a second.
const SECONDS: [f64; 14] = [
    0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0,
];

/// Everything that is counted. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    in_flight: IntGauge,
    upserts: IntCounterVec,
    quota_rejections: IntCounter,
    authentication_failures: IntCounter,
    connections: IntGaugeVec,
    waiting: IntGauge,
    lock_waits: Histogram,
    store: Store,
}

/// A request under way, until this is dropped.
#[derive(Debug)]
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Metrics {
    /// Nothing counted yet, of a service on `store`.
    ///
    /// # Errors
    /// When two metrics have one name.
    pub fn new(store: &Store) -> prometheus::Result<Self> {
        let by_request = ["route", "method", "status"];
        let metrics = Self {
            registry: Registry::new(),
            requests: IntCounterVec::new(
                Opts::new(
                    "clientele_http_requests_total",
                    "Requests that were answered.",
                ),
                &by_request,
            )?,
            durations: HistogramVec::new(
                HistogramOpts::new(
                    "clientele_http_request_duration_seconds",
                    "How long answers took.",
                )
                .buckets(SECONDS.to_vec()),
                &by_request[..2],
            )?,
            in_flight: IntGauge::new(
                "clientele_http_requests_in_flight",
                "Requests that are being answered.",
            )?,
            upserts: IntCounterVec::new(
                Opts::new(
                    "clientele_upserts_total",
                    "Upserts, also those in batches, by what they did and how they matched.",
                ),
                &["outcome", "matched_by"],
            )?,
            quota_rejections: IntCounter::new(
                "clientele_quota_rejections_total",
                "Requests beyond the daily limit of their key.",
            )?,
            authentication_failures: IntCounter::new(
                "clientele_authentication_failures_total",
                "Requests without a key that works.",
            )?,
            connections: IntGaugeVec::new(
                Opts::new(
                    "clientele_db_connections",
                    "Connections to the database: the most there may be, open, and in use.",
                ),
                &["state"],
            )?,
            waiting: IntGauge::new(
                "clientele_db_waiting",
                "Requests that wait for a connection to the database.",
            )?,
            lock_waits: store.lock_waits().clone(),
            store: store.clone(),
        };
        metrics.register()?;
        Ok(metrics)
    }

    fn register(&self) -> prometheus::Result<()> {
        let build = IntGauge::with_opts(
            Opts::new("clientele_build_info", "Which program this is.")
                .const_label("version", env!("CARGO_PKG_VERSION")),
        )?;
        build.set(1);
        let registry = &self.registry;
        registry.register(Box::new(build))?;
        registry.register(Box::new(self.requests.clone()))?;
        registry.register(Box::new(self.durations.clone()))?;
        registry.register(Box::new(self.in_flight.clone()))?;
        registry.register(Box::new(self.upserts.clone()))?;
        registry.register(Box::new(self.quota_rejections.clone()))?;
        registry.register(Box::new(self.authentication_failures.clone()))?;
        registry.register(Box::new(self.connections.clone()))?;
        registry.register(Box::new(self.waiting.clone()))?;
        registry.register(Box::new(self.lock_waits.clone()))
    }

    /// Notes that a request is being answered.
    #[must_use]
    pub fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    /// Counts an answer.
    pub fn answered(&self, route: &str, method: &str, status: u16, seconds: f64) {
        let code = status.to_string();
        self.requests
            .with_label_values(&[route, method, &code])
            .inc();
        self.durations
            .with_label_values(&[route, method])
            .observe(seconds);
        match status {
            401 => self.authentication_failures.inc(),
            429 => self.quota_rejections.inc(),
            _ => {}
        }
    }

    /// Counts an upsert.
    pub fn upserted(&self, outcome: Outcome, matched: Option<Match>) {
        let matched_by = matched.map_or("none", |matched| matched.by.as_str());
        self.upserts
            .with_label_values(&[outcome.as_str(), matched_by])
            .inc();
    }

    /// All of it, in the text format of Prometheus.
    ///
    /// # Errors
    /// When a metric cannot be written.
    pub fn text(&self) -> prometheus::Result<Vec<u8>> {
        let pool = self.store.pool_status();
        for (state, number) in [
            ("max", pool.max),
            ("open", pool.open),
            ("in_use", pool.in_use),
        ] {
            let gauge = self.connections.with_label_values(&[state]);
            gauge.set(i64::try_from(number).unwrap_or(i64::MAX));
        }
        self.waiting
            .set(i64::try_from(pool.waiting).unwrap_or(i64::MAX));
        let mut text = Vec::new();
        TextEncoder::new().encode(&self.registry.gather(), &mut text)?;
        Ok(text)
    }
}
