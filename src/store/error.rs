//! What can go wrong in the store.

use thiserror::Error;

use crate::domain::FieldError;

/// The database did not do what was asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It cannot be reached, or is too busy: the same call may succeed in a moment.
    #[error("the database is unavailable: {0}")]
    Unavailable(#[source] sqlx::Error),
    /// It refused, or answered what it should not: a retry will not help.
    #[error("the database reported an error: {0}")]
    Internal(#[source] sqlx::Error),
}

/// Why a customer was not written.
#[derive(Debug, Error)]
pub enum WriteError {
    /// The request names a customer that this company does not have.
    #[error("no such customer")]
    NotFound,
    /// What the customer would become is not allowed.
    #[error("{}: {}", .0.field, .0.message)]
    Refused(FieldError),
    /// Another request was done under this idempotency key.
    #[error("the idempotency key is of another request")]
    KeyReused,
    /// The request with this idempotency key is under way.
    #[error("the request with the idempotency key is under way")]
    KeyInUse,
    /// The database did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StoreError {
    /// Whether a lock was not to be had in time.
    pub(super) fn is_lock_timeout(&self) -> bool {
        let (Self::Unavailable(error) | Self::Internal(error)) = self;
        error
            .as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|code| code == LOCK_TIMEOUT)
    }
}

/// The SQLSTATE of a lock that was not to be had in time.
const LOCK_TIMEOUT: &str = "55P03";

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        use sqlx::Error as E;
        let passing = match &error {
            E::Io(_)
            | E::Tls(_)
            | E::PoolTimedOut
            | E::PoolClosed
            | E::WorkerCrashed
            | E::BeginFailed => true,
            E::Database(refusal) => refusal.code().is_some_and(|code| is_passing(&code)),
            _ => false,
        };
        if passing {
            Self::Unavailable(error)
        } else {
            Self::Internal(error)
        }
    }
}

impl From<sqlx::Error> for WriteError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// SQLSTATEs that pass by themselves: connection trouble (08), rolled back for the sake of another
/// transaction (40), out of resources (53), a lock not had in time (55P03), a server that became a
/// standby (25006), and an operator's intervention (57: shutdown, start-up, cancelled; 3D000: the
/// database is not there while it is made anew).
/// See <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn is_passing(code: &str) -> bool {
    matches!(code.get(..2), Some("08" | "40" | "53" | "57"))
        || matches!(code, "25006" | "3D000" | LOCK_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_by_itself_is_unavailable() {
        for code in [
            "08006", "40001", "40P01", "53300", "55P03", "25006", "57P01", "57P03", "57014",
            "3D000",
        ] {
            assert!(is_passing(code), "{code}");
        }
        for code in ["42703", "23505", "22001", "XX000", ""] {
            assert!(!is_passing(code), "{code}");
        }
        assert!(matches!(
            StoreError::from(sqlx::Error::PoolTimedOut),
            StoreError::Unavailable(_)
        ));
        assert!(matches!(
            StoreError::from(sqlx::Error::RowNotFound),
            StoreError::Internal(_)
        ));
    }
}
