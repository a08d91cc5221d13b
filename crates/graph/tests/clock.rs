//! A clock that goes back and forth: the order of creation, and random due times compared with plain bookkeeping.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use fixture::{BEGIN, Fixture, node, outcome, user};
use graph::world::{Due, Graph};
use graph::{Timestamp, access};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    /// What is asked of `a`, shared with bob, or of `b`, public, and until what second, if it ends.
    Share { what: What, public: bool, until: Option<i64> },
    /// The second that the clock shows from now on.
    Clock(i64),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    Give,
    Change,
    /// A change that is taken back, because it could not be stored.
    ChangeInVain,
    Take,
}

fn step() -> impl Strategy<Value = Step> {
    let seconds = || (1..7_i64).prop_map(|minutes| minutes * 61);
    let what = prop_oneof![Just(What::Give), Just(What::Change), Just(What::ChangeInVain), Just(What::Take)];
    let share = (what, any::<bool>(), proptest::option::weighted(0.8, seconds()));
    prop_oneof![
        3 => share.prop_map(|(what, public, until)| Step::Share { what, public, until }),
        2 => seconds().prop_map(Step::Clock),
    ]
}

/// A share as the bookkeeping has it.
#[derive(Clone, Copy, Debug)]
struct Share {
    until: Option<i64>,
    is_over: bool,
}

fn request(what: What, public: bool, until: Option<i64>) -> String {
    let ends = until.map_or(String::new(), |second| format!(" until {second}"));
    let changed = if until.is_some() { ends.as_str() } else { " forever" };
    match (what, public) {
        (What::Give, false) => format!("alice: grant a bob 3{ends}"),
        (What::Give, true) => format!("alice: publish b{ends}"),
        (What::Change | What::ChangeInVain, false) => format!("alice: regrant a bob{changed}"),
        (What::Change | What::ChangeInVain, true) => format!("alice: republish b{changed}"),
        (What::Take, false) => "alice: revoke a bob".to_owned(),
        (What::Take, true) => "alice: unpublish b".to_owned(),
    }
}

fn run(steps: &[Step]) -> Result<(), TestCaseError> {
    let mut fixture = Fixture::new("alice owns a b");
    let (mut clock, mut shares) = (0, [None::<Share>; 2]);
    for step in steps {
        match *step {
            Step::Clock(second) => {
                fixture.world.set_clock(Timestamp::from_ms(BEGIN + second * 1000));
                // A clock that is set back by less than a minute stands still.
                clock = if second > clock || clock - second > 60 { second } else { clock };
                for share in shares.iter_mut().flatten() {
                    share.is_over |= share.until.is_some_and(|until| until <= clock);
                }
            }
            Step::Share { what, public, until } => {
                let share = &mut shares[usize::from(public)];
                let in_vain = until.is_some_and(|until| until <= clock) && what != What::Take;
                let batch = fixture.ask(&request(what, public, until));
                if in_vain || (what == What::Give) == share.is_some() {
                    prop_assert!(batch.is_err(), "{step:?}: {}", outcome(&batch));
                    continue;
                }
                let batch = batch.map_err(|refusal| TestCaseError::fail(format!("{step:?}: {refusal}")))?;
                let expired: Vec<(Due, Timestamp)> = fixture.world.expired().collect();
                fixture.world.apply(&batch);
                match what {
                    What::Give => *share = Some(Share { until, is_over: false }),
                    What::Change => {
                        let share = share.as_mut().unwrap();
                        share.is_over &= share.until == until;
                        share.until = until;
                    }
                    What::ChangeInVain => {
                        fixture.world.revert(&batch);
                        expired.into_iter().for_each(|(due, at)| fixture.world.expire(due, at));
                    }
                    What::Take => *share = None,
                }
            }
        }
        let in_force = |share: Option<Share>| share.is_some_and(|share| !share.is_over);
        let sees = access::level(&fixture.world, user("bob"), node("a")).is_some();
        prop_assert_eq!(sees, in_force(shares[0]), "the grant after {:?}", step);
        let public = fixture.world.node(node("b")).unwrap();
        let public = fixture.world.publication_in_force(public).is_some();
        prop_assert_eq!(public, in_force(shares[1]), "the publication after {:?}", step);
        let ends =
            shares.into_iter().flatten().filter(|share| !share.is_over).filter_map(|share| share.until);
        let next = ends.min().map(|second| Timestamp::from_ms(BEGIN + second * 1000));
        prop_assert_eq!(fixture.world.next_due(), next, "after {:?}", step);
    }
    Ok(())
}

// Rules: N17, G1, O23, P16.
#[test]
fn n17_the_order_of_creation_does_not_depend_on_the_clock() {
    let mut fixture = Fixture::new("alice owns a");
    for (second, request) in [
        (9_000, "alice: add b under a"),
        (3_000, "alice: add c under a"),
        (6_000, "alice: add d"),
        (6_000, "alice: trash a"),
    ] {
        fixture.world.set_clock(Timestamp::from_ms(BEGIN + second * 1000));
        fixture.run(request).unwrap();
    }
    assert!(fixture.node("c").created < fixture.node("b").created);
    let page = graph::load::visible(&fixture.world, user("alice"));
    let order: Vec<_> = page.nodes.iter().map(|seen| seen.node.id).collect();
    assert_eq!(order, ["b", "c", "d"].map(node));
    let back = "restore a\nrestore b -> a blocker\nrestore c -> a blocker";
    assert_eq!(outcome(&fixture.ask("alice: restore a")), back);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    // Rules: P16.
    #[test]
    fn p16_what_has_expired_stays_so_under_any_clock(steps in proptest::collection::vec(step(), 1..60)) {
        run(&steps)?;
    }
}
