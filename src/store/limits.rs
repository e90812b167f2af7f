//! What the store may take of the database, and how long anybody waits for it.

use std::time::Duration;

/// Limits of one process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The most connections.
    pub connections: usize,
    /// The most requests that wait for a connection. The next is refused at once: it would only wait
    /// to be too late.
    pub queue: usize,
    /// How long a request waits for a connection.
    pub acquire: Duration,
    /// How long a statement may take.
    pub statement: Duration,
    /// How long a statement waits for a lock.
    pub lock: Duration,
}

/// Requests that may wait for each connection.
const QUEUE_OF_A_CONNECTION: usize = 16;

impl Limits {
    /// The default ones, for so many connections.
    #[must_use]
    pub const fn of(connections: usize) -> Self {
        Self {
            connections,
            queue: connections * QUEUE_OF_A_CONNECTION,
            acquire: Duration::from_secs(5),
            statement: Duration::from_secs(30),
            lock: Duration::from_secs(5),
        }
    }

    /// The part of one of so many shares, of which each has at least one connection.
    pub(super) fn share(self, shares: usize) -> Self {
        Self {
            connections: (self.connections / shares).max(1),
            queue: self.queue.div_ceil(shares),
            ..self
        }
    }
}

/// A time as a setting of the database.
pub(super) fn milliseconds(time: Duration) -> u128 {
    // Zero would be for ever.
    time.as_millis().max(1)
}
