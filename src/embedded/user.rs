//! As whom `PostgreSQL` runs: it refuses root.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::unistd::{Uid, User};

use super::EmbeddedError;

/// Who may run it when root does not, the first that exists.
const CANDIDATES: [&str; 2] = ["postgres", "nobody"];

/// An account that is not root's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceUser {
    /// Its name.
    pub name: String,
    /// Its user id.
    pub uid: u32,
    /// Its group id.
    pub gid: u32,
}

/// The account to run `PostgreSQL` as: none, when this process is not root's and can run it itself.
///
/// # Errors
/// When this process is root's and there is no other account.
pub fn service_user() -> Result<Option<ServiceUser>, EmbeddedError> {
    if !Uid::effective().is_root() {
        return Ok(None);
    }
    CANDIDATES
        .iter()
        .find_map(|name| User::from_name(name).ok().flatten())
        .map(|user| Some(ServiceUser::from(user)))
        .ok_or(EmbeddedError::NoServiceUser)
}

/// The account with this user id, if it has a name.
pub(super) fn with_uid(uid: u32) -> Option<ServiceUser> {
    User::from_uid(Uid::from_raw(uid))
        .ok()
        .flatten()
        .map(ServiceUser::from)
}

impl ServiceUser {
    /// Has `command` run as this user.
    pub fn run<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        command.uid(self.uid).gid(self.gid)
    }
}

impl From<User> for ServiceUser {
    fn from(user: User) -> Self {
        Self {
            name: user.name,
            uid: user.uid.as_raw(),
            gid: user.gid.as_raw(),
        }
    }
}
