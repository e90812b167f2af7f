//! What must hold after posts about people who are each known by one phone or one e-mail, in whatever
//! order they came.

use std::collections::{BTreeMap, BTreeSet};

use crate::checker::Done;
use crate::model::{Answer, Call, Customer, Outcome, Post, Posted, Said};

/// A post that was done, on its own or in a batch.
struct Write<'a> {
    began: u64,
    ended: u64,
    /// The place in its batch.
    row: usize,
    post: &'a Post,
    posted: &'a Posted,
}

impl Write<'_> {
    /// Whether it must have been done after `other`.
    fn is_after(&self, other: &Self) -> bool {
        let is_later_row = self.began == other.began && self.row > other.row;
        is_later_row || self.began > other.ended
    }
}

/// What does not hold, in words.
pub fn broken(calls: &[Done], end: &[Customer]) -> Vec<String> {
    let mut broken = Vec::new();
    let writes: Vec<Write> = calls
        .iter()
        .flat_map(|done| writes(done, &mut broken))
        .collect();
    let mut customers: BTreeMap<u8, &Customer> = BTreeMap::new();
    for customer in end {
        let Some(n) = customer.phone.or(customer.email) else {
            broken.push(format!("nobody wrote {customer:?}"));
            continue;
        };
        if let Some(other) = customers.insert(n, customer) {
            broken.push(format!(
                "person {n} is there twice: {customer:?}, {other:?}"
            ));
        }
    }
    let created = writes
        .iter()
        .filter(|write| write.posted.outcome == "created");
    let mut created: Vec<&str> = created
        .map(|write| write.posted.customer.id.as_str())
        .collect();
    created.sort_unstable();
    let mut there: Vec<&str> = end.iter().map(|customer| customer.id.as_str()).collect();
    there.sort_unstable();
    if created != there {
        broken.push(format!("created were {created:?}, there are {there:?}"));
    }
    let mut by_person: BTreeMap<u8, Vec<&Write>> = BTreeMap::new();
    for write in &writes {
        by_person.entry(person(write.post)).or_default().push(write);
    }
    for (n, writes) in by_person {
        match customers.get(&n) {
            Some(customer) => broken.extend(broken_of(customer, &writes)),
            None => broken.push(format!("person {n} is lost")),
        }
    }
    broken
}

fn writes<'a>(done: &'a Done, broken: &mut Vec<String>) -> Vec<Write<'a>> {
    let Answer::Posted(outcomes) = &done.answer else {
        return Vec::new();
    };
    let posts = match &done.call {
        Call::Post(post) => std::slice::from_ref(post),
        Call::Batch(posts) => posts.as_slice(),
        Call::Archive(_) | Call::Restore(_) => &[],
    };
    if posts.len() != outcomes.len() {
        broken.push(format!("not an outcome for each post: {done:?}"));
    }
    let mut writes = Vec::new();
    for (row, (post, outcome)) in posts.iter().zip(outcomes).enumerate() {
        match (post.wrong, outcome) {
            (None, Outcome::Done(posted)) => writes.push(Write {
                began: done.began,
                ended: done.ended,
                row,
                post,
                posted,
            }),
            (Some(_), Outcome::Refused(_)) => {}
            _ => broken.push(format!("{post:?} was {outcome:?}")),
        }
    }
    writes
}

fn person(post: &Post) -> u8 {
    match (post.phone, post.email) {
        (Said::Value(n), _) | (_, Said::Value(n)) => n,
        _ => unreachable!("each post has a phone or an e-mail"),
    }
}

/// What does not hold of one customer, about whom were these writes.
fn broken_of(customer: &Customer, writes: &[&Write]) -> Vec<String> {
    let mut broken = Vec::new();
    if let Some(other) = writes.iter().find(|w| w.posted.customer.id != customer.id) {
        broken.push(format!("{customer:?} was {:?}", other.posted));
    }
    let tags = |tags: &[String]| tags.iter().cloned().collect::<BTreeSet<_>>();
    let sent: BTreeSet<String> = writes.iter().flat_map(|w| tags(&w.post.tags)).collect();
    if tags(&customer.tags) != sent {
        broken.push(format!("sent were {sent:?} to {customer:?}"));
    }
    for (is, said) in [
        (customer.phone, said(writes, |post| post.phone)),
        (customer.email, said(writes, |post| post.email)),
    ] {
        if is != said {
            broken.push(format!("{said:?} was said to {customer:?}"));
        }
    }
    if customer.archived {
        broken.push(format!("nobody archived {customer:?}"));
    }
    // Those that no other one came after for certain.
    let noted: Vec<&&Write> = writes.iter().filter(|w| w.post.notes.is_some()).collect();
    let last = noted
        .iter()
        .filter(|w| !noted.iter().any(|other| other.is_after(w)));
    let last: Vec<_> = last.map(|w| &w.post.notes).collect();
    let is_last = last.contains(&&customer.notes);
    let none_is_right = noted.is_empty() && customer.notes.is_none();
    if !is_last && !none_is_right {
        broken.push(format!("the last notes are of {last:?}: {customer:?}"));
    }
    broken
}

/// The phone or e-mail that somebody has after these writes: nobody is told of another one.
fn said(writes: &[&Write], of: impl Fn(&Post) -> Said<u8>) -> Option<u8> {
    writes.iter().find_map(|write| match of(write.post) {
        Said::Value(n) => Some(n),
        Said::Null | Said::Nothing => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Wrong;

    /// A post about person 1, who is known by a phone.
    fn post(notes: &str, tag: &str) -> Post {
        Post {
            id: None,
            phone: Said::Value(1),
            email: Said::Nothing,
            notes: Some(notes.to_owned()),
            tags: vec![tag.to_owned()],
            wrong: None,
        }
    }

    fn customer(id: &str, notes: &str, tags: &[&str]) -> Customer {
        Customer {
            id: id.to_owned(),
            phone: Some(1),
            email: None,
            notes: Some(notes.to_owned()),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            archived: false,
        }
    }

    fn done(began: u64, ended: u64, post: Post, outcome: &str, id: &str) -> Done {
        let posted = Posted {
            outcome: outcome.to_owned(),
            matched_by: None,
            customer: customer(id, "", &[]),
        };
        Done {
            began,
            ended,
            call: Call::Post(post),
            answer: Answer::Posted(vec![Outcome::Done(posted)]),
        }
    }

    /// Two posts, one after the other.
    fn two() -> [Done; 2] {
        [
            done(0, 1, post("one", "x"), "created", "a"),
            done(2, 3, post("two", "y"), "updated", "a"),
        ]
    }

    fn what_breaks(calls: &[Done], end: &[Customer]) -> String {
        broken(calls, end).join("\n")
    }

    #[test]
    fn what_is_as_promised_breaks_nothing() {
        assert_eq!(
            what_breaks(&two(), &[customer("a", "two", &["x", "y"])]),
            ""
        );
    }

    #[test]
    fn of_posts_that_overlap_any_may_be_the_last() {
        let mut calls = two();
        calls[1].began = 0;
        for notes in ["one", "two"] {
            assert_eq!(
                what_breaks(&calls, &[customer("a", notes, &["x", "y"])]),
                ""
            );
        }
    }

    #[test]
    fn a_duplicate_breaks_it() {
        let mut calls = two();
        calls[1] = done(2, 3, post("two", "y"), "created", "b");
        let end = [customer("a", "one", &["x"]), customer("b", "two", &["y"])];
        assert!(what_breaks(&calls, &end).contains("twice"));
    }

    #[test]
    fn a_lost_customer_breaks_it() {
        assert!(what_breaks(&two(), &[]).contains("person 1 is lost"));
    }

    #[test]
    fn a_lost_tag_breaks_it() {
        let end = [customer("a", "two", &["y"])];
        assert!(what_breaks(&two(), &end).contains("sent were"));
    }

    #[test]
    fn a_lost_update_breaks_it() {
        let end = [customer("a", "one", &["x", "y"])];
        assert!(what_breaks(&two(), &end).contains("last notes"));
    }

    #[test]
    fn a_lost_email_breaks_it() {
        let mut calls = two();
        let Call::Post(with_email) = &mut calls[0].call else {
            unreachable!("it is a post");
        };
        with_email.email = Said::Value(1);
        let without = customer("a", "two", &["x", "y"]);
        assert!(what_breaks(&calls, std::slice::from_ref(&without)).contains("was said"));
        let with = Customer {
            email: Some(1),
            ..without
        };
        assert_eq!(what_breaks(&calls, &[with]), "");
    }

    #[test]
    fn an_archived_customer_breaks_it() {
        let archived = Customer {
            archived: true,
            ..customer("a", "two", &["x", "y"])
        };
        assert!(what_breaks(&two(), &[archived]).contains("nobody archived"));
    }

    #[test]
    fn rows_of_a_batch_are_done_in_their_order() {
        let [one, two] = two().map(|done| (done.call, done.answer));
        let (Call::Post(first), Answer::Posted(created)) = one else {
            unreachable!("it is a post");
        };
        let (Call::Post(second), Answer::Posted(updated)) = two else {
            unreachable!("it is a post");
        };
        let batch = [Done {
            began: 0,
            ended: 1,
            call: Call::Batch(vec![first, second]),
            answer: Answer::Posted([created, updated].concat()),
        }];
        assert_eq!(
            what_breaks(&batch, &[customer("a", "two", &["x", "y"])]),
            ""
        );
        let earlier = [customer("a", "one", &["x", "y"])];
        assert!(what_breaks(&batch, &earlier).contains("last notes"));
    }

    #[test]
    fn a_customer_that_nobody_was_told_of_breaks_it() {
        let calls = [done(0, 1, post("one", "x"), "updated", "a")];
        let end = [customer("a", "one", &["x"])];
        assert!(what_breaks(&calls, &end).contains("created were"));
    }

    #[test]
    fn what_a_refused_post_left_breaks_it() {
        let wrong = Post {
            wrong: Some(Wrong::Email),
            ..post("wrong", "z")
        };
        let [one, two] = two();
        let refused = Done {
            began: 4,
            ended: 5,
            call: Call::Post(wrong),
            answer: Answer::Posted(vec![Outcome::Refused(400)]),
        };
        let calls = [one, two, refused];
        assert_eq!(
            what_breaks(&calls, &[customer("a", "two", &["x", "y"])]),
            ""
        );
        let left = [customer("a", "wrong", &["x", "y", "z"])];
        let broken = what_breaks(&calls, &left);
        assert!(broken.contains("sent were") && broken.contains("last notes"));
    }

    #[test]
    fn a_wrong_post_that_was_done_breaks_it() {
        let wrong = Post {
            wrong: Some(Wrong::Id),
            ..post("two", "y")
        };
        let calls = [done(0, 1, wrong, "created", "a")];
        assert!(what_breaks(&calls, &[]).contains("was Done"));
    }
}
