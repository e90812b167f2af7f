//! What a server has taken of a key's day, so that it can count requests without the database.

use std::num::NonZeroU32;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::time::Instant;

use super::usage::Usage;

/// The most requests in one lease: what a crash may cost a key of its day.
const LARGEST: u32 = 100;
/// A lease is at most this part of what is left of the day, so that servers share the rest of it
/// almost to the last request, and the last hundred exactly.
const PART: u32 = 100;
/// How long a used-up day is not asked about again. Other servers may give something back.
const CLOSED: Duration = Duration::from_secs(1);

/// The lease of one key. A day is the UTC day of its first request.
#[derive(Debug, Default)]
pub(super) struct Lease {
    day: NaiveDate,
    /// Requests on this day, as the database counted them when it was last asked.
    used: u32,
    /// Of these, those that have not been made yet.
    left: u32,
    /// How many were granted last.
    size: u32,
    /// Counts the leases, to tell one from the next.
    number: u64,
    /// Until when, and for what limit, the day counts as used up.
    closed: Option<(Instant, NonZeroU32)>,
}

impl Lease {
    /// Begins a new day with nothing, when `day` is one. A server's clock that was set back, or a
    /// request that was long under way, does not bring the old day back.
    pub fn enter(&mut self, day: NaiveDate) -> NaiveDate {
        if self.day < day {
            *self = Self {
                day,
                number: self.number,
                ..Self::default()
            };
        }
        self.day
    }

    /// Counts a request, or refuses it; none when the database is to be asked.
    pub fn count(&mut self, limit: NonZeroU32, now: Instant) -> Option<Usage> {
        // Of a limit that was lowered meanwhile, what was granted may be too much.
        if self.left > 0 && self.used <= limit.get() {
            self.left -= 1;
            return Some(self.usage(limit, true));
        }
        let (until, closed_for) = self.closed?;
        (now < until && closed_for == limit).then(|| self.usage(limit, false))
    }

    /// What is known without asking; none when that is nothing.
    pub fn peek(&self, limit: NonZeroU32) -> Option<Usage> {
        (self.used > 0).then(|| self.usage(limit, true))
    }

    /// How many requests to ask for: more each time, as long as they are used up in time.
    pub fn wanted(&self, limit: NonZeroU32) -> u32 {
        let rest = limit.get().saturating_sub(self.used);
        (self.size * 2).min(rest / PART).clamp(1, LARGEST)
    }

    /// Takes what the database granted; `used` counts it. The answer is the number of the lease.
    pub fn grant(&mut self, granted: u32, used: u32) -> u64 {
        self.used = used;
        self.left += granted;
        self.size = granted;
        self.number += 1;
        self.closed = None;
        self.number
    }

    /// Takes it that the day is used up.
    pub fn close(&mut self, limit: NonZeroU32, now: Instant) {
        self.used = limit.get();
        self.left = 0;
        self.closed = Some((now + CLOSED, limit));
    }

    /// What is left of the lease with this number, and of its day: it is to be given back.
    pub fn give_back(&mut self, number: u64) -> Option<(NaiveDate, u32)> {
        if self.number != number || self.left == 0 {
            return None;
        }
        let left = std::mem::take(&mut self.left);
        self.used -= left.min(self.used);
        // It was too much for the time.
        self.size = 0;
        Some((self.day, left))
    }

    /// The number of the lease.
    pub fn number(&self) -> u64 {
        self.number
    }

    fn usage(&self, limit: NonZeroU32, allowed: bool) -> Usage {
        Usage {
            limit,
            used: (self.used - self.left.min(self.used)).min(limit.get()),
            allowed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: NonZeroU32 = NonZeroU32::new(100_000).unwrap();

    fn day(day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(2026, 3, day).unwrap()
    }

    /// Uses all of what is granted, and is granted what is wanted; the answer is how much that was.
    fn use_up(lease: &mut Lease, limit: NonZeroU32, used: &mut u32) -> u32 {
        let wanted = lease.wanted(limit);
        *used += wanted;
        lease.grant(wanted, *used);
        for _ in 0..wanted {
            assert!(lease.count(limit, Instant::now()).unwrap().allowed);
        }
        assert_eq!(lease.count(limit, Instant::now()), None);
        wanted
    }

    #[test]
    fn leases_grow_while_they_are_used_up_and_shrink_with_what_is_left() {
        let (mut lease, mut used) = (Lease::default(), 0);
        lease.enter(day(1));
        let sizes: Vec<u32> = (0..9)
            .map(|_| use_up(&mut lease, LIMIT, &mut used))
            .collect();
        assert_eq!(sizes, [1, 2, 4, 8, 16, 32, 64, 100, 100]);
        used = 95_000;
        use_up(&mut lease, LIMIT, &mut used);
        assert_eq!(use_up(&mut lease, LIMIT, &mut used), 49);
        used = 99_850;
        use_up(&mut lease, LIMIT, &mut used);
        assert_eq!(use_up(&mut lease, LIMIT, &mut used), 1);
    }

    #[test]
    fn what_is_not_used_is_given_back_once() {
        let mut lease = Lease::default();
        lease.enter(day(1));
        let first = lease.grant(10, 10);
        let usage = lease.count(LIMIT, Instant::now()).unwrap();
        assert_eq!((usage.used, usage.allowed), (1, true));
        assert_eq!(lease.give_back(first), Some((day(1), 9)));
        assert_eq!(lease.give_back(first), None);
        assert_eq!(lease.wanted(LIMIT), 1);
        assert_eq!(lease.count(LIMIT, Instant::now()), None);
        let second = lease.grant(4, 5);
        assert_eq!(lease.give_back(first), None);
        assert_eq!(lease.give_back(second), Some((day(1), 4)));
    }

    #[test]
    fn a_day_that_is_used_up_is_asked_about_again_in_a_second_or_with_another_limit() {
        let mut lease = Lease::default();
        let now = Instant::now();
        lease.enter(day(1));
        lease.close(LIMIT, now);
        let refused = lease.count(LIMIT, now).unwrap();
        assert_eq!((refused.used, refused.allowed), (LIMIT.get(), false));
        assert_eq!(lease.count(LIMIT, now + CLOSED), None);
        let raised = LIMIT.saturating_add(1);
        assert_eq!(lease.count(raised, now), None);
    }

    #[test]
    fn a_new_day_begins_with_nothing_and_does_not_end_again() {
        let mut lease = Lease::default();
        lease.enter(day(1));
        let yesterdays = lease.grant(10, 10);
        assert_eq!(lease.enter(day(2)), day(2));
        assert_eq!(lease.count(LIMIT, Instant::now()), None);
        assert_eq!(lease.give_back(yesterdays), None);
        lease.grant(1, 1);
        assert_eq!(lease.enter(day(1)), day(2));
        assert!(lease.count(LIMIT, Instant::now()).unwrap().allowed);
    }

    #[test]
    fn a_lowered_limit_is_not_overrun_by_what_was_granted_before() {
        let mut lease = Lease::default();
        lease.enter(day(1));
        lease.grant(10, 50);
        let lowered = NonZeroU32::new(45).unwrap();
        assert_eq!(lease.count(lowered, Instant::now()), None);
    }
}
