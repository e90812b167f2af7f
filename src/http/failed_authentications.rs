//! Addresses that try keys which do not work. To guess a key is hopeless; but each that is unknown
//! costs a look into the database, and who sends them by the thousand is to be kept from that.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use actix_web::http::header::HeaderMap;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use ipnet::IpNet;
use moka::sync::Cache;

use super::rate_limits::wait;
use crate::domain::key::KeyId;

/// The most addresses, and keys, that are remembered.
const CAPACITY: u64 = 100_000;
/// An address that was not seen for this long has all of its tries again.
const FORGOTTEN: Duration = Duration::from_mins(2);
/// For how long a key that worked is let past the limit of its address, which it may share.
const GOOD: Duration = Duration::from_mins(30);

/// Who failed to authenticate how often.
pub struct FailedAuthentications {
    /// None: they are not limited.
    per_minute: Option<NonZeroU32>,
    trusted_proxies: Vec<IpNet>,
    addresses: Cache<IpAddr, Arc<Counted>>,
    good: Cache<KeyId, ()>,
}

struct Counted {
    failures: DefaultDirectRateLimiter,
    closed_until: Mutex<Option<Instant>>,
}

impl FailedAuthentications {
    /// Nobody failed yet. Addresses behind one of the proxies are taken from `x-forwarded-for`.
    pub fn new(per_minute: Option<NonZeroU32>, trusted_proxies: Vec<IpNet>) -> Self {
        Self {
            per_minute,
            trusted_proxies,
            addresses: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_idle(FORGOTTEN)
                .build(),
            good: Cache::builder()
                .max_capacity(CAPACITY)
                .time_to_live(GOOD)
                .build(),
        }
    }

    /// Whether a key from this address is to be looked at.
    ///
    /// # Errors
    /// When the address failed too often: how long until it may try again.
    pub fn admit(&self, from: IpAddr, key: &KeyId) -> Result<(), Duration> {
        let Some(counted) = self.addresses.get(&from) else {
            return Ok(());
        };
        let closed_until = *counted.closed_until();
        match closed_until.and_then(|until| until.checked_duration_since(Instant::now())) {
            Some(wait) if !self.good.contains_key(key) => Err(wait),
            _ => Ok(()),
        }
    }

    /// Counts a failure.
    pub fn failed(&self, from: IpAddr) {
        let Some(per_minute) = self.per_minute else {
            return;
        };
        let counted = self.addresses.get_with(from, || {
            Arc::new(Counted {
                failures: RateLimiter::direct(Quota::per_minute(per_minute)),
                closed_until: Mutex::default(),
            })
        });
        if let Err(wait) = wait(&counted.failures) {
            *counted.closed_until() = Some(Instant::now() + wait);
        }
    }

    /// Notes that a key works.
    pub fn succeeded(&self, key: &KeyId) {
        self.good.insert(key.clone(), ());
    }

    /// From where a request comes: of IPv6 the network, of which anyone has all addresses. A header
    /// can be forged, so it is believed only as far as trusted proxies have written it.
    pub fn address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let forwarded: Vec<&str> = headers
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .collect();
        let mut address = peer.to_canonical();
        for written in forwarded.iter().rev() {
            let is_trusted = |network: &IpNet| network.contains(&address);
            match written.trim().parse::<IpAddr>() {
                Ok(before) if self.trusted_proxies.iter().any(is_trusted) => {
                    address = before.to_canonical();
                }
                _ => break,
            }
        }
        match address {
            IpAddr::V4(_) => address,
            IpAddr::V6(host) => Ipv6Addr::from_bits(host.to_bits() >> 64 << 64).into(),
        }
    }
}

impl Counted {
    fn closed_until(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.closed_until
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn limits(per_minute: u32, proxies: &[&str]) -> FailedAuthentications {
        let proxies = proxies.iter().map(|network| network.parse().unwrap());
        FailedAuthentications::new(NonZeroU32::new(per_minute), proxies.collect())
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn who_fails_too_often_waits_and_nobody_else_does() {
        let limits = limits(3, &[]);
        let (bad, good) = (ip("192.0.2.1"), ip("192.0.2.2"));
        let key: KeyId = "0123456789abcdef".parse().unwrap();
        for _ in 0..3 {
            limits.failed(bad);
            assert_eq!(limits.admit(bad, &key), Ok(()));
        }
        limits.failed(bad);
        let wait = limits.admit(bad, &key).unwrap_err();
        assert!(wait <= Duration::from_secs(20), "{wait:?}");
        assert_eq!(limits.admit(good, &key), Ok(()));
    }

    #[test]
    fn a_key_that_worked_is_let_through_from_an_address_that_it_shares() {
        let limits = limits(1, &[]);
        let shared = ip("192.0.2.1");
        let works: KeyId = "0123456789abcdef".parse().unwrap();
        let unknown: KeyId = "fedcba9876543210".parse().unwrap();
        limits.succeeded(&works);
        limits.failed(shared);
        limits.failed(shared);
        assert_eq!(limits.admit(shared, &works), Ok(()));
        assert!(limits.admit(shared, &unknown).is_err());
    }

    #[test]
    fn without_a_limit_nobody_is_counted() {
        let limits = limits(0, &[]);
        let key: KeyId = "0123456789abcdef".parse().unwrap();
        for _ in 0..1_000 {
            limits.failed(ip("192.0.2.1"));
        }
        assert_eq!(limits.admit(ip("192.0.2.1"), &key), Ok(()));
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let peer = "10.0.0.1";
        for (proxies, forwarded, address) in [
            (&[][..], "203.0.113.9", "10.0.0.1"),
            (&["10.0.0.0/8"], "203.0.113.9", "203.0.113.9"),
            (&["10.0.0.0/8"], "198.51.100.7, 203.0.113.9", "203.0.113.9"),
            (
                &["10.0.0.0/8"],
                "203.0.113.9, 10.0.0.2,10.0.0.3",
                "203.0.113.9",
            ),
            (&["10.0.0.0/8"], "203.0.113.9, unknown", "10.0.0.1"),
            (&["10.0.0.0/8"], "", "10.0.0.1"),
            (&["10.0.0.1/32"], "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            (&["10.0.0.1/32"], "::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(
                HeaderName::from_static("x-forwarded-for"),
                HeaderValue::from_static(forwarded),
            );
            let from = limits(1, proxies).address(ip(peer), &headers);
            assert_eq!(from, ip(address), "{proxies:?} {forwarded}");
        }
    }
}
