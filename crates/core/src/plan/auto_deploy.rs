//! Ends `autoDeploy` of the stage before anything else: while somebody has it on, every
//! write to the draft is live at once, and API Gateway takes no deployment of ours.

use super::{Action, FieldChange, Plan, Step};
use crate::names::Names;
use crate::observed::ApiState;

/// The plan, with that first if the stage needs it.
pub(super) fn off_first(names: &Names, api: Option<&ApiState>, plan: Plan) -> Plan {
    let stage = api.and_then(|api| api.stages.iter().find(|s| s.name == names.api_stage));
    if !stage.is_some_and(|stage| stage.auto_deploy) {
        return plan;
    }
    let off = Step {
        action: Action::DisableAutoDeploy {
            stage_name: names.api_stage.clone(),
        },
        after: Vec::new(),
        changes: vec![FieldChange {
            field: "auto_deploy".to_owned(),
            old: "true".to_owned(),
            new: "false".to_owned(),
        }],
    };
    plan.preceded_by(vec![off])
}
