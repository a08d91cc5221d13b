//! Links: rules L1–L23, A12–A15 and V4–V6, one world and one request at a time.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod fixture;

use fixture::{Fixture, check, link, node, outcome, user};
use graph::load::visible;

/// A world where bob has access `source` to s and `target` to t, 0 being ownership.
fn ends(source: u8, target: u8) -> String {
    let mut lines = Vec::new();
    for (id, level) in [("s", source), ("t", target)] {
        if level == 0 {
            lines.insert(0, format!("bob owns {id}"));
        } else {
            // Of different owners, so that only privacy matters.
            let owner = if id == "s" { "alice" } else { "carol" };
            lines.insert(0, format!("{owner} owns {id}"));
            lines.push(format!("bob {level} {id}"));
        }
    }
    lines.join("\n")
}

// Rules: L3, L4, L5.
#[test]
fn l3_l4_l5_the_table_of_privacy_and_type() {
    // Access to the source down, access to the target across: whether a link requested as open stays open.
    const OPEN: [[bool; 4]; 4] = [
        [true, true, true, false],
        [true, true, true, false],
        [true, true, true, false],
        [true, false, false, false],
    ];
    for source in 0..4 {
        for target in 0..4 {
            let world = ends(source, target);
            let open = OPEN[usize::from(source)][usize::from(target)];
            let arrow = if target == 3 { "~>" } else { "->" };
            let blocks = if target == 3 { "" } else { " blocker" };
            let held = if target == 3 { "" } else { "\nstatus t 0>2" };
            let private = if open { "" } else { " private" };
            check(&world, "bob: link s t", &format!("add s {arrow} t{private}{blocks}{held}"));
            check(&world, "bob: link s t private", &format!("add s {arrow} t private{blocks}{held}"));
            check(
                &world,
                "bob: link s t secondary",
                &format!("add s ~> t{}", if open { "" } else { " private" }),
            );
        }
    }
}

// Rules: L1, L2, N22.
#[test]
fn l1_l2_the_ends() {
    check("alice owns a", "alice: link no a", "source_not_found");
    check("alice owns a", "alice: link a no", "target_not_found");
    check("alice owns a\nbob owns b", "alice: link b no", "source_not_found");
    check("alice owns a b\nalice: trash b", "alice: link b a", "source_in_trash");
    check("alice owns a b\nalice: trash b", "alice: link a b", "target_in_trash");
    check("alice owns a", "alice: link a a", "self_link_not_allowed");
}

// Rules: L6, N26, L15.
#[test]
fn l6_a_place_holds_one_link() {
    let world = "alice owns a b\nb ~> a";
    check(world, "alice: link b a", "duplicate_link");
    check(world, "alice: link a b", "duplicate_reversed_link");
    check(world, "alice: link b a private", "add b -> a private blocker\nstatus a 0>2");
    let both = "alice owns a b\nb ~> a\nb ~> a private by alice";
    check(both, "alice: change b>a private=true", "duplicate_link");
    check(both, "alice: change b>a/alice private=false", "duplicate_link");
    check(
        "alice owns a b\nb ~> a trashed\nb ~> a private by alice",
        "alice: change b>a/alice private=false",
        "duplicate_link",
    );
}

// Rules: L7, L8, N25, A14.
#[test]
fn l7_l8_a_link_in_the_trash_returns_instead_of_a_new_one() {
    let world = "alice owns a b\nb ~> a trashed";
    check(world, "alice: link b a secondary", "restore b ~> a");
    check(world, "alice: link b a", "restore b ~> a\nchange b -> a blocker\nstatus a 0>2");
    check(world, "alice: link a b", "restore b ~> a\nswap a ~> b\nchange a -> b blocker\nstatus b 0>2");
    let mut fixture = Fixture::new("alice owns a b\nbob 2 a+\nbob 2 b\nb -> a trashed");
    // It keeps its owner. Only what the sharing rule forbids remains refused.
    assert_eq!(outcome(&fixture.run("bob: link b a")), "would_share");
    fixture = Fixture::new("alice owns a b\nbob 2 a\nbob 2 b\nb -> a trashed");
    fixture.run("bob: link b a").unwrap();
    assert_eq!(fixture.link("b>a").owner, user("alice"));
}

#[test]
fn a13_linking_is_not_sharing() {
    // bob edits both, and carol sees a with its branch. Only alice may let carol see b.
    let world = "alice owns a b\nbob 2 a\nbob 2 b\ncarol 3 a+";
    check(world, "bob: link b a", "would_share");
    check(world, "bob: link b a secondary", "would_share");
    check(world, "bob: link b a private", "add b -> a private blocker\nstatus a 0>2");
    check(world, "alice: link b a secondary", "add b ~> a");
    check("alice owns a b\nbob 1 a\nbob 1 b\ncarol 3 a+", "bob: link b a secondary", "add b ~> a");
    check("alice owns a b\nbob 2 a\nbob 2 b\ncarol 3 a", "bob: link b a secondary", "add b ~> a");
    check("alice owns a b\nbob 2 a\nbob 2 b\ncarol 3 a+ hidden", "bob: link b a", "would_share");
    check(
        "alice owns a b\nbob 2 a\nbob 2 b\ncarol 3 a+ until 2\n3 pass",
        "bob: link b a secondary",
        "add b ~> a",
    );
    check("alice owns a b\nbob 2 a\nbob 2 b\npublic a+", "bob: link b a", "would_share");
    check("alice owns a b\nbob 2 a\nbob 2 b\npublic a", "bob: link b a secondary", "add b ~> a");
    // Raising one's own access is sharing too.
    check("alice owns a b\nbob 2 a+\nbob 3 b", "bob: link b a", "add b -> a private blocker\nstatus a 0>2");
}

#[test]
fn a15_what_is_in_the_trash_shares_as_if_it_were_back() {
    // bob is admin of r's branch and edits t and s. With r in the trash, s would be his to publish once r is
    // restored.
    let world = "alice owns r t s\nbob 1 r+\nbob 2 t\nbob 2 s\nt ~> r\nbob: trash r";
    check(world, "bob: link s t secondary", "would_share");
    check(world, "bob: link s t private", "add s -> t private blocker\nstatus t 0>2");
    check(world, "alice: link s t secondary", "add s ~> t");
    check(
        &format!("{world}\nalice: link s t secondary\nalice: trash s>t"),
        "bob: restore s>t",
        "would_share",
    );
    check(&format!("{world}\nalice: link t s secondary"), "bob: swap t>s", "would_share");
    check(&format!("{world}\nalice: link s t secondary"), "bob: restore s>t", "not_trashed_link");
    // A root that covers s only after a restore does not cover it now.
    check(
        "alice owns r t s\nbob 1 r+\nbob 2 t\nbob 2 s\nt ~> r\ns ~> r\nbob: trash r",
        "bob: link s t secondary",
        "would_share",
    );
    // A publication shares in the same way, and so does a root above what is in the trash.
    check(
        "alice owns r t s\nbob 2 t\nbob 2 s\npublic r+\nt ~> r\nalice: trash r",
        "bob: link s t secondary",
        "would_share",
    );
    check(
        "alice owns r m t s\nbob 2 t\nbob 2 s\ncarol 3 r+\nt ~> m\nm ~> r\nalice: trash m",
        "bob: link s t secondary",
        "would_share",
    );
    // A link to itself shares no branch.
    check(world, "bob: link t t", "self_link_not_allowed");
    // A share that has expired, or that does not return with its end, shares nothing.
    check(
        "alice owns r t s\nbob 2 t\nbob 2 s\npublic r+ until 1\nt ~> r\nalice: trash r\n2 pass",
        "bob: link s t secondary",
        "add s ~> t",
    );
    check(
        "alice owns r t s\nbob 2 t\nbob 2 s\ncarol 3 r+\nt ~> r\nalice: trash t>r\nalice: trash r",
        "bob: link s t secondary",
        "add s ~> t",
    );
}

#[test]
fn a14_every_way_to_such_a_link_is_refused() {
    let shared = "alice owns a b\nbob 2 a\nbob 2 b\ncarol 3 a+";
    check(&format!("{shared}\nb -> a private by bob"), "bob: change b>a/bob private=false", "would_share");
    check(&format!("{shared}\na -> b"), "bob: swap a>b", "would_share");
    check(&format!("{shared}\nb -> a trashed"), "bob: restore b>a", "would_share");
    check(&format!("{shared}\nb -> a trashed"), "alice: restore b>a", "restore b -> a blocker\nstatus a 0>2");
}

#[test]
fn l12_who_may_change_a_link() {
    for request in ["change b>a type=1", "trash b>a"] {
        let phantom = "alice owns a\ncarol owns b\nb -> a by carol\nbob 2 a";
        let freed = Fixture::new(phantom).ask(&format!("bob: {request}"));
        assert!(freed.is_ok(), "whoever edits a task may free it: {freed:?}");
        let viewer = "alice owns a\ncarol owns b\nb -> a by carol\nbob 3 a";
        check(viewer, &format!("bob: {request}"), "no_permission");
        let owner = "alice owns a b\nb ~> a private by bob\nbob 3 a\nbob 3 b";
        let request = request.replace("b>a", "b>a/bob").replace("type=1", "private=true");
        assert!(Fixture::new(owner).ask(&format!("bob: {request}")).is_ok());
    }
}

// Rules: A12, L11.
#[test]
fn a12_a_links_owner_counts_only_with_access_to_both_ends() {
    let lost = "alice owns a\nbob owns b\nb -> a by bob";
    for request in ["change b>a type=1", "swap b>a", "trash b>a", "restore b>a", "delete b>a"] {
        check(lost, &format!("bob: {request}"), "link_not_found");
    }
    let half = "alice owns a\ncarol owns b\nbob 3 a\nb -> a by bob";
    check(half, "bob: trash b>a", "no_permission");
    let secret = "alice owns a\ncarol owns b\nbob 3 a\nb -> a private by bob";
    check(secret, "bob: trash b>a/bob", "link_not_found");
}

#[test]
fn l11_in_the_trash_a_private_link_is_its_owners_alone() {
    let active = "alice owns a\nbob owns b\nbob 2 a\nb -> a private by bob";
    for (gone, owner_may) in [("bob: trash b>a/bob", true), ("bob: trash b", true), ("alice: trash a", false)]
    {
        let world = &format!("{active}\n{gone}");
        for request in ["change", "swap", "trash", "restore", "delete"] {
            let fields = if request == "change" { " type=1" } else { "" };
            check(world, &format!("alice: {request} b>a/bob{fields}"), "link_not_found");
        }
        if owner_may {
            check(world, "bob: delete b>a/bob", "delete b>a");
        }
    }
    // A user who frees a task in this way cannot revert that, by hand or otherwise.
    check(active, "alice: trash b>a/bob", "trash b -> a private blocker\nstatus a 2>0");
    check(&format!("{active}\nalice: trash b>a/bob"), "alice: undo 1", "no_permission");
    check(&format!("{active}\nalice: trash b>a/bob"), "alice: restore b>a/bob", "link_not_found");
}

// Rules: L13, L14, L15.
#[test]
fn l13_l14_l15_changing_a_link() {
    let viewer = "alice owns a b\nb ~> a by bob\nbob 3 a\nbob 2 b";
    check(viewer, "bob: change b>a type=0", "forbidden_type");
    check("alice owns a b\nb ~> a\nbob 2 a\nbob 2 b", "bob: change b>a private=true", "forbidden_private");
    check(
        "alice owns a b\nb ~> a private by bob\nbob 3 a\nbob 2 b",
        "bob: change b>a/bob private=false",
        "forbidden_private",
    );
    check("alice owns a b\nb ~> a", "alice: change b>a", "no_fields_to_update");
    check("alice owns a b\nb ~> a trashed", "alice: change b>a type=0", "link_in_trash");
}

#[test]
fn l10_sharing_and_cycles_are_judged_on_the_link_as_it_would_stand() {
    // bob's link becomes secondary and private, so it closes no cycle and shares nothing.
    let viewer = "alice owns a b\na -> b\nbob 3 a\nbob 3 b\ncarol 3 a+";
    check(viewer, "bob: link b a", "add b ~> a private");
    let shared = "alice owns a b\nbob 3 b\nbob 2 a\ncarol 3 a+";
    check(shared, "bob: link b a", "add b -> a private blocker\nstatus a 0>2");
    // The link that returns instead of a new one would have the requested direction.
    let returning = "alice owns a b c\na -> c\nc -> b";
    check(&format!("{returning}\nb ~> a trashed"), "alice: link b a", "dependency_cycle");
    check(&format!("{returning}\na -> b trashed"), "alice: link b a", "dependency_cycle");
    let turned = "restore a -> b\nswap b -> a\nchange b ~> a";
    check(&format!("{returning}\na -> b trashed"), "alice: link b a secondary", turned);
    let refused = "alice owns a b\nbob 2 a\nbob 2 b\ncarol 3 a+\na ~> b trashed";
    check(refused, "bob: link b a secondary", "would_share");
}

// Rules: L16, L17, L18, L19.
#[test]
fn l16_l17_l18_l19_swapping() {
    check("alice owns a b\nb -> a", "alice: swap b>a", "swap a -> b blocker\nstatus a 2>0\nstatus b 0>2");
    check("alice owns a\ncarol owns b\nb -> a by carol\nbob 2 a", "bob: swap b>a", "no_permission");
    check(
        "alice owns a\ncarol owns b\nb ~> a by bob\nbob 2 a\nbob 3 b",
        "bob: swap b>a",
        "swap a ~> b private",
    );
    check(
        "alice owns a\ncarol owns b\nb ~> a by carol\nbob 2 a\nbob 3 b",
        "bob: swap b>a",
        "forbidden_private",
    );
    check("alice owns a b\nb -> a trashed", "alice: swap b>a", "link_in_trash");
    // It would have to be private, and bob has a private link between the two, active or in the trash.
    let second = "alice owns a\ncarol owns b\nb ~> a by bob\nb ~> a private by bob";
    for world in [second.to_owned(), format!("{second} trashed")] {
        check(&format!("{world}\nbob 2 a\nbob 3 b"), "bob: swap b>a", "duplicate_link");
    }
    // bob's access to b comes from this very link.
    check("alice owns a b\nb -> a\nbob 2 a+", "bob: swap b>a", "no_permission");
}

// Rules: L21, L22, L20.
#[test]
fn l21_l22_restoring() {
    check("alice owns a b\nb -> a trashed", "alice: restore b>a", "restore b -> a blocker\nstatus a 0>2");
    check("alice owns a b\nb -> a", "alice: restore b>a", "not_trashed_link");
    check("alice owns a b\nb -> a\nalice: trash b", "alice: restore b>a", "inactive_source_or_target");
    check("alice owns a b\nb -> a by bob trashed\nbob 3 a\nbob 2 b", "bob: restore b>a", "forbidden_type");
    check("alice owns a b\nb ~> a by bob trashed\nbob 3 a\nbob 2 b", "bob: restore b>a", "forbidden_private");
    check("alice owns a b\nb -> a\nalice: trash b>a", "alice: trash b>a", "already_trashed_link");
    // A link in the trash keeps its place. Only the link itself can return there.
    check("alice owns a b\nb -> a trashed", "alice: link b a secondary", "restore b -> a\nchange b ~> a");
    check(
        "alice owns a b\nb -> a trashed",
        "alice: link a b",
        "restore b -> a\nswap a -> b blocker\nstatus b 0>2",
    );
}

#[test]
fn l23_deleting_for_good() {
    check("alice owns a b\nb -> a", "alice: delete b>a", "cant_delete_active_link");
    check("alice owns a b\nb -> a trashed\nbob 2 a\nbob 2 b", "bob: delete b>a", "no_permission");
    check("alice owns a b\nb -> a by bob trashed\nbob 2 a\nbob 2 b", "alice: delete b>a", "delete b>a");
    check("alice owns a b\nb -> a by bob trashed\nbob 2 a\nbob 2 b", "bob: delete b>a", "delete b>a");
}

// Rules: V2, V4, V6, N24.
#[test]
fn v4_v6_who_sees_a_link() {
    let sees = |world: &str, who: &str, name: &str| {
        let fixture = Fixture::new(world);
        visible(&fixture.world, user(who)).links.iter().any(|seen| seen.link.id == link(name))
    };
    let private = "alice owns a\nbob owns b\nbob 2 a\nb -> a private by bob";
    assert!(sees(private, "bob", "b>a/bob"));
    assert!(sees(private, "alice", "b>a/bob"), "nobody's task is held by what they cannot see");
    assert!(!sees(&format!("{private}\ncarol 1 a"), "carol", "b>a/bob"));
    let secondary = "alice owns a\nbob owns b\nbob 2 a\nb ~> a private by bob";
    assert!(!sees(secondary, "alice", "b>a/bob"));
    let open = "alice owns a\nbob owns b\nb ~> a by bob";
    assert!(!sees(open, "alice", "b>a"), "a secondary link makes no phantom");
    let fixture = Fixture::new("alice owns a\nbob owns b\nb -> a by bob");
    let page = visible(&fixture.world, user("alice"));
    let phantom = page.nodes.iter().find(|seen| seen.node.id == node("b")).unwrap();
    assert!(!phantom.is_full());
}
