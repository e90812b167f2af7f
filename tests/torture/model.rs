//! What the service promises of one company's customers, when calls come one after the other: written
//! from its documentation, and small enough to be seen to be right. It shares no code with the
//! service.

use std::fmt;

/// A customer as far as the calls here touch it. Phones and e-mails are numbered.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Customer {
    pub id: String,
    pub phone: Option<u8>,
    pub email: Option<u8>,
    pub notes: Option<String>,
    pub tags: Vec<String>,
    pub archived: bool,
}

/// What a post says of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said<T> {
    Nothing,
    Null,
    Value(T),
}

/// `POST /customers`, or a row of a batch.
#[derive(Debug, Clone)]
pub struct Post {
    pub id: Option<String>,
    pub phone: Said<u8>,
    pub email: Said<u8>,
    pub notes: Option<String>,
    pub tags: Vec<String>,
    /// What it is refused for.
    pub wrong: Option<Wrong>,
}

/// Why a post is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Its e-mail is none.
    Email,
    /// Its id is nobody's.
    Id,
}

#[derive(Debug, Clone)]
pub enum Call {
    Post(Post),
    Batch(Vec<Post>),
    Archive(String),
    Restore(String),
}

/// What became of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done(Posted),
    /// With this status.
    Refused(u16),
}

/// What a post was answered that was done, but for the other customer that its e-mail matches: nobody is locked
/// only to be named, so of two posts that each take from their customer what the other looks for both
/// may name whom they saw before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub outcome: String,
    pub matched_by: Option<String>,
    /// Not whether it is archived: that is not told.
    pub customer: Customer,
}

#[derive(Debug, Clone)]
pub enum Answer {
    Posted(Vec<Outcome>),
    Archived,
    /// The other customer with its phone or e-mail.
    Restored(Option<String>),
}

/// The customers in the order of their creation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct State(pub Vec<Customer>);

impl State {
    /// The state after `call`; none when `call` cannot have been answered so here.
    pub fn after(&self, call: &Call, answer: &Answer) -> Option<Self> {
        let mut state = self.clone();
        let fits = match (call, answer) {
            (Call::Post(post), Answer::Posted(outcomes)) => state.post(post, &outcomes[0]),
            (Call::Batch(posts), Answer::Posted(outcomes)) => {
                posts.len() == outcomes.len()
                    && posts
                        .iter()
                        .zip(outcomes)
                        .all(|(post, outcome)| state.post(post, outcome))
            }
            (Call::Archive(id), Answer::Archived) => state.archive(id),
            (Call::Restore(id), Answer::Restored(other)) => state.restore(id, other.as_deref()),
            _ => false,
        };
        fits.then_some(state)
    }

    /// Whether `post` has this outcome here. It is done.
    fn post(&mut self, post: &Post, outcome: &Outcome) -> bool {
        let posted = match (post.wrong, outcome) {
            (None, Outcome::Done(posted)) => posted,
            (Some(Wrong::Email), Outcome::Refused(status)) => return *status == 400,
            (Some(Wrong::Id), Outcome::Refused(status)) => return *status == 404,
            _ => return false,
        };
        let Some((matched_by, index)) = self.find(post) else {
            if post.id.is_some() || self.0.iter().any(|c| c.id == posted.customer.id) {
                return false;
            }
            let mut customer = Customer {
                id: posted.customer.id.clone(),
                phone: None,
                email: None,
                notes: None,
                tags: Vec::new(),
                archived: false,
            };
            merge(&mut customer, post);
            self.0.push(customer.clone());
            return *posted == told("created", None, customer);
        };
        let before = self.0[index].clone();
        merge(&mut self.0[index], post);
        let after = self.0[index].clone();
        let outcome = if after == before {
            "unchanged"
        } else {
            "updated"
        };
        *posted == told(outcome, Some(matched_by), after)
    }

    fn find(&self, post: &Post) -> Option<(&'static str, usize)> {
        if let Some(id) = &post.id {
            return self.0.iter().position(|c| c.id == *id).map(|at| ("id", at));
        }
        let by_phone = match post.phone {
            Said::Value(phone) => self.first(|c| c.phone == Some(phone)),
            _ => None,
        };
        let by_email = || match post.email {
            Said::Value(email) => self.first(|c| c.email == Some(email)),
            _ => None,
        };
        by_phone
            .map(|at| ("phone", at))
            .or_else(|| by_email().map(|at| ("email", at)))
    }

    /// The first-created live customer that is such a one.
    fn first(&self, is_such: impl Fn(&Customer) -> bool) -> Option<usize> {
        self.0.iter().position(|c| !c.archived && is_such(c))
    }

    fn archive(&mut self, id: &str) -> bool {
        let found = self.0.iter_mut().find(|c| c.id == id);
        found.map(|customer| customer.archived = true).is_some()
    }

    /// Whether to restore `id` is answered with `other` here. It is done.
    fn restore(&mut self, id: &str, other: Option<&str>) -> bool {
        let Some(found) = self.0.iter_mut().find(|c| c.id == id) else {
            return false;
        };
        found.archived = false;
        let (phone, email) = (found.phone, found.email);
        let first = |has: &dyn Fn(&Customer) -> bool| self.first(|c| c.id != id && has(c));
        let by_phone = phone.and_then(|phone| first(&|c| c.phone == Some(phone)));
        let by_email = || email.and_then(|email| first(&|c| c.email == Some(email)));
        let at = by_phone.or_else(by_email);
        at.map(|at| self.0[at].id.as_str()) == other
    }
}

fn merge(customer: &mut Customer, post: &Post) {
    match post.phone {
        Said::Nothing => {}
        Said::Null => customer.phone = None,
        Said::Value(phone) => customer.phone = Some(phone),
    }
    match post.email {
        Said::Nothing => {}
        Said::Null => customer.email = None,
        Said::Value(email) => customer.email = Some(email),
    }
    if post.notes.is_some() {
        customer.notes.clone_from(&post.notes);
    }
    for tag in &post.tags {
        if !customer.tags.contains(tag) {
            customer.tags.push(tag.clone());
        }
    }
}

fn told(outcome: &str, matched_by: Option<&str>, customer: Customer) -> Posted {
    Posted {
        outcome: outcome.to_owned(),
        matched_by: matched_by.map(str::to_owned),
        // That it is archived is not told.
        customer: Customer {
            archived: false,
            ..customer
        },
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for customer in &self.0 {
            writeln!(f, "  {customer:?}")?;
        }
        Ok(())
    }
}
