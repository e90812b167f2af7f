//! Whether calls that overlapped can have been done one after the other: the search of Wing and Gong,
//! with Lowe's memory of what was tried.

use std::collections::HashSet;

use crate::model::{Answer, Call, State};

/// A call that was answered. Times are counted, not measured: a call that began after another had
/// ended has the greater one.
#[derive(Debug, Clone)]
pub struct Done {
    pub began: u64,
    pub ended: u64,
    pub call: Call,
    pub answer: Answer,
}

/// Whether `calls` can have led from `before` to what `is_after` takes for the end.
pub fn is_sequential(before: &State, calls: &[Done], is_after: impl Fn(&State) -> bool) -> bool {
    let mut calls = calls.to_vec();
    // The order of the answers is mostly the one that is sought.
    calls.sort_by_key(|done| done.ended);
    let mut search = Search {
        calls,
        tried: HashSet::new(),
        is_after,
    };
    let none = vec![false; search.calls.len()];
    search.goes_on(&none, before)
}

/// More than this is not looked at: a history that is explained at all mostly is so within as many
/// steps as it has calls.
const MOST_TRIED: usize = 1_000_000;

struct Search<F> {
    calls: Vec<Done>,
    /// Which calls were done, and what came of them, without success.
    tried: HashSet<(Vec<bool>, State)>,
    is_after: F,
}

impl<F: Fn(&State) -> bool> Search<F> {
    fn goes_on(&mut self, done: &[bool], state: &State) -> bool {
        // Whatever began after one of those left had ended comes after it.
        let left = (0..self.calls.len()).filter(|at| !done[*at]);
        let Some(first_end) = left.clone().map(|at| self.calls[at].ended).min() else {
            return (self.is_after)(state);
        };
        // Not explained, then: where it is looked for again in small, all orders can be tried.
        if self.tried.len() >= MOST_TRIED {
            return false;
        }
        if !self.tried.insert((done.to_vec(), state.clone())) {
            return false;
        }
        let next: Vec<usize> = left
            .filter(|at| self.calls[*at].began < first_end)
            .collect();
        for at in next {
            let one = &self.calls[at];
            if let Some(after) = state.after(&one.call, &one.answer) {
                let mut done = done.to_vec();
                done[at] = true;
                if self.goes_on(&done, &after) {
                    return true;
                }
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Customer, Outcome, Post, Posted, Said, Wrong};

    fn post(phone: u8, tag: &str) -> Call {
        Call::Post(Post {
            id: None,
            phone: Said::Value(phone),
            email: Said::Nothing,
            notes: None,
            tags: vec![tag.to_owned()],
            wrong: None,
        })
    }

    fn customer(id: &str, phone: u8, tags: &[&str]) -> Customer {
        Customer {
            id: id.to_owned(),
            phone: Some(phone),
            email: None,
            notes: None,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            archived: false,
        }
    }

    fn posted(outcome: &str, customer: Customer) -> Answer {
        Answer::Posted(vec![Outcome::Done(Posted {
            outcome: outcome.to_owned(),
            matched_by: (outcome != "created").then(|| "phone".to_owned()),
            customer,
        })])
    }

    fn done(began: u64, ended: u64, call: Call, answer: Answer) -> Done {
        Done {
            began,
            ended,
            call,
            answer,
        }
    }

    fn ends_with(customers: &[Customer]) -> impl Fn(&State) -> bool {
        move |state| state.0 == customers
    }

    #[test]
    fn calls_that_overlap_may_have_come_in_either_order() {
        let both = customer("a", 1, &["y", "x"]);
        let calls = [
            done(0, 3, post(1, "x"), posted("updated", both.clone())),
            done(
                1,
                2,
                post(1, "y"),
                posted("created", customer("a", 1, &["y"])),
            ),
        ];
        assert!(is_sequential(&State::default(), &calls, ends_with(&[both])));
    }

    #[test]
    fn calls_that_do_not_overlap_came_in_theirs() {
        let both = customer("a", 1, &["y", "x"]);
        let calls = [
            done(0, 1, post(1, "x"), posted("updated", both.clone())),
            done(
                2,
                3,
                post(1, "y"),
                posted("created", customer("a", 1, &["y"])),
            ),
        ];
        assert!(!is_sequential(
            &State::default(),
            &calls,
            ends_with(&[both])
        ));
    }

    #[test]
    fn a_duplicate_is_seen() {
        let two = [customer("a", 1, &["x"]), customer("b", 1, &["y"])];
        let calls = [
            done(0, 2, post(1, "x"), posted("created", two[0].clone())),
            done(1, 3, post(1, "y"), posted("created", two[1].clone())),
        ];
        assert!(!is_sequential(&State::default(), &calls, ends_with(&two)));
    }

    #[test]
    fn a_lost_update_is_seen() {
        let before = State(vec![customer("a", 1, &[])]);
        let calls = [
            done(
                0,
                2,
                post(1, "x"),
                posted("updated", customer("a", 1, &["x"])),
            ),
            done(
                1,
                3,
                post(1, "y"),
                posted("updated", customer("a", 1, &["y"])),
            ),
        ];
        let end = [customer("a", 1, &["y"])];
        assert!(!is_sequential(&before, &calls, ends_with(&end)));
    }

    #[test]
    fn an_end_that_no_call_led_to_is_seen() {
        let calls = [done(
            0,
            1,
            post(1, "x"),
            posted("created", customer("a", 1, &["x"])),
        )];
        assert!(!is_sequential(&State::default(), &calls, ends_with(&[])));
    }

    #[test]
    fn what_a_refused_call_left_is_seen() {
        let Call::Post(mut wrong) = post(1, "x") else {
            unreachable!("it is a post");
        };
        wrong.wrong = Some(Wrong::Email);
        let refused = Answer::Posted(vec![Outcome::Refused(400)]);
        let calls = [done(0, 1, Call::Post(wrong), refused)];
        let left = [customer("a", 1, &["x"])];
        let none = State::default();
        assert!(is_sequential(&none, &calls, ends_with(&[])));
        assert!(!is_sequential(&none, &calls, ends_with(&left)));
    }
}
