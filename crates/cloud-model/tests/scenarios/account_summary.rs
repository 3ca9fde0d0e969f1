//! IAM's summary of the account.

use crate::common::{LAMBDA_TRUST, World};

#[test]
fn the_accounts_summary_counts_roles_and_policies_against_their_quotas() {
    let mut world = World::new();
    let summary = |world: &mut World| {
        let answer = world.iam("GetAccountSummary", &[]);
        assert_eq!(answer.status, 200);
        answer.text
    };
    let entry =
        |key: &str, value: u32| format!("<entry><key>{key}</key><value>{value}</value></entry>");
    let before = summary(&mut world);
    assert!(before.contains(&entry("Roles", 0)), "{before}");
    assert!(before.contains(&entry("RolesQuota", 1_000)), "{before}");
    world.new_role("chat", LAMBDA_TRUST);
    let after = summary(&mut world);
    assert!(after.contains(&entry("Roles", 1)), "{after}");
    assert!(after.contains(&entry("Policies", 0)), "{after}");
}
