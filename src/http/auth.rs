//! Who is calling, and whether they may: key, version, limits, then scope, in this order and before
//! anything of the request itself is looked at.

use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::{Data, Json};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, ResponseError};
use chrono::{DateTime, Days, NaiveTime, Utc};

use super::API_VERSION;
use super::error::ApiError;
use super::failed_authentications::FailedAuthentications;
use super::key_cache::KeyCache;
use super::rate_limits::RateLimits;
use super::wire::auth::AuthTest;
use crate::domain::Company;
use crate::domain::audit::Actor;
use crate::domain::key::{ApiKey, KeyRecord, Scope};
use crate::store::{Store, Usage};

static RATELIMIT_LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
static RATELIMIT_REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
static RATELIMIT_RESET: HeaderName = HeaderName::from_static("ratelimit-reset");

/// Who is calling. Handlers can have one only behind [`authenticate`].
#[derive(Clone)]
pub struct Caller {
    key: Arc<KeyRecord>,
}

impl Caller {
    /// The company that the caller acts for.
    pub fn company(&self) -> Company {
        self.key.company
    }

    /// Whether the caller may see the tokens of payment methods: with one a card can be charged.
    pub fn may_charge(&self) -> bool {
        self.scopes().contains(&Scope::PaymentMethodsWrite)
    }

    /// Who the caller is, for the audit log.
    pub fn actor(&self) -> Actor {
        Actor::Key(self.key.id.clone())
    }

    /// What the caller may do.
    pub fn scopes(&self) -> &[Scope] {
        &self.key.scopes
    }
}

impl FromRequest for Caller {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        // Nobody there means a route outside of `authenticate`: closed, rather than open.
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or(ApiError::Unauthenticated))
    }
}

/// What every request with a key has to pass.
pub struct Gate {
    store: Store,
    keys: KeyCache,
    rate_limits: Arc<RateLimits>,
    failures: Arc<FailedAuthentications>,
}

/// Lets the request through when its key, its version and its limits are in order.
pub async fn authenticate(
    gate: Data<Gate>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let now = Utc::now();
    let mut usage = None;
    let mut response = match gate.admit(&request, now, &mut usage).await {
        Ok(caller) => {
            let span = tracing::Span::current();
            span.record("company", tracing::field::display(caller.company().id));
            span.record("key", tracing::field::display(&caller.key.id));
            request.extensions_mut().insert(caller);
            next.call(request).await?.map_into_left_body()
        }
        Err(error) => request
            .into_response(error.error_response())
            .map_into_right_body(),
    };
    if let Some(usage) = usage {
        tell_usage(response.headers_mut(), usage, now);
    }
    Ok(response)
}

/// Lets the request through when the caller's key has `scope`.
pub async fn require(
    scope: Scope,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let granted = request
        .extensions()
        .get::<Caller>()
        .is_some_and(|caller| caller.scopes().contains(&scope));
    if granted {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let refusal = ApiError::Forbidden(scope).error_response();
    Ok(request.into_response(refusal).map_into_right_body())
}

/// `GET /auth/test`: who the caller is taken for.
pub async fn test(caller: Caller) -> Json<AuthTest> {
    Json(AuthTest::new(caller.company(), caller.scopes(), Utc::now()))
}

impl Gate {
    /// A gate to `store`. The limits are those of the whole process.
    pub fn new(
        store: Store,
        rate_limits: Arc<RateLimits>,
        failures: Arc<FailedAuthentications>,
    ) -> Self {
        Self {
            keys: KeyCache::new(store.clone()),
            store,
            rate_limits,
            failures,
        }
    }

    /// The checks in their order. `usage` is what to tell of the daily limit, whatever the result.
    async fn admit(
        &self,
        request: &ServiceRequest,
        now: DateTime<Utc>,
        usage: &mut Option<Usage>,
    ) -> Result<Caller, ApiError> {
        let key = self.authenticated(request, now).await?;
        let version = request.headers().get("rotor-api-version");
        let is_current = version.map(HeaderValue::as_bytes) == Some(API_VERSION.as_bytes());
        let in_time = if is_current {
            self.in_time(&key)
        } else {
            Err(ApiError::UnsupportedVersion)
        };
        let today = now.date_naive();
        if let Err(refusal) = in_time {
            if let Some(limit) = key.daily_limit {
                *usage = Some(self.store.usage(&key.id, today, limit).await?);
            }
            return Err(refusal);
        }
        if let Some(limit) = key.daily_limit {
            let counted = self.store.count_request(&key.id, today, limit).await?;
            *usage = Some(counted);
            if !counted.allowed {
                return Err(ApiError::RateLimited {
                    limit: limit.get(),
                    retry_after: seconds_to_midnight(now),
                });
            }
        }
        Ok(Caller { key })
    }

    /// Counts the request among those of the last second.
    fn in_time(&self, key: &KeyRecord) -> Result<(), ApiError> {
        let Some(limit) = key.rate_limit else {
            return Ok(());
        };
        let counted = self.rate_limits.count(&key.id, limit);
        counted.map_err(|wait| ApiError::TooFast {
            limit: limit.get(),
            retry_after: whole_seconds(wait),
        })
    }

    /// The key of the request, when it works.
    async fn authenticated(
        &self,
        request: &ServiceRequest,
        now: DateTime<Utc>,
    ) -> Result<Arc<KeyRecord>, ApiError> {
        let headers = request.headers();
        let presented = headers.get("x-api-key").ok_or(ApiError::Unauthenticated)?;
        let from = request
            .peer_addr()
            .map(|peer| self.failures.address(peer.ip(), headers));
        let failed = || {
            if let Some(from) = from {
                self.failures.failed(from);
            }
            ApiError::Unauthenticated
        };
        let presented: ApiKey = presented
            .to_str()
            .ok()
            .and_then(|raw| raw.trim().parse().ok())
            .ok_or_else(failed)?;
        if let Some(from) = from {
            let admitted = self.failures.admit(from, presented.id());
            admitted.map_err(|wait| ApiError::TooManyFailures {
                retry_after: whole_seconds(wait),
            })?;
        }
        let known = self.keys.get(presented.id()).await;
        let known = known.map_err(|error| ApiError::from(&*error))?;
        let record = known.record.as_ref();
        let record = record
            .filter(|record| record.is(&presented))
            .ok_or_else(failed)?;
        // A client that goes on with an old key is a nuisance, but guesses nothing: it must not have
        // others at its address held up.
        if !record.admits(&presented, now) {
            return Err(ApiError::Unauthenticated);
        }
        if known.is_first_use() {
            self.note_use(record);
        }
        Ok(Arc::clone(record))
    }

    /// Notes that a key works and is in use.
    fn note_use(&self, record: &KeyRecord) {
        self.failures.succeeded(&record.id);
        let (store, id) = (self.store.clone(), record.id.clone());
        // Beside the request: it waits for no bookkeeping, and does not fail with it.
        actix_web::rt::spawn(async move {
            if let Err(error) = store.touch_key(&id).await {
                tracing::warn!(%error, "could not note that a key was used");
            }
        });
    }
}

/// A part of a second counts as a whole one: not to be early.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

fn tell_usage(headers: &mut HeaderMap, usage: Usage, now: DateTime<Utc>) {
    let limit = usage.limit.get();
    headers.insert(RATELIMIT_LIMIT.clone(), limit.into());
    headers.insert(RATELIMIT_REMAINING.clone(), (limit - usage.used).into());
    headers.insert(RATELIMIT_RESET.clone(), seconds_to_midnight(now).into());
}

/// Seconds to the next UTC midnight: 1 to 86,400.
fn seconds_to_midnight(now: DateTime<Utc>) -> i64 {
    let tomorrow = now.date_naive() + Days::new(1);
    let left = tomorrow.and_time(NaiveTime::MIN).and_utc() - now;
    // A part of a second counts as a whole one: not to be early.
    left.num_milliseconds().div_euclid(1000) + i64::from(left.num_milliseconds() % 1000 > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_ends_at_utc_midnight() {
        for (now, seconds) in [
            ("2026-03-01T00:00:00Z", 86_400),
            ("2026-03-01T23:59:59Z", 1),
            ("2026-03-01T23:59:59.500Z", 1),
            ("2026-12-31T12:00:00Z", 43_200),
        ] {
            assert_eq!(seconds_to_midnight(now.parse().unwrap()), seconds, "{now}");
        }
    }
}
