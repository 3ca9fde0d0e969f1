//! `deployer schema`: the JSON Schemas of the stage files, for editors.

use crate::cli::Schema;
use crate::failure::Failure;
use crate::project::Project;
use crate::render::text;
use deployer_core::stage_file::{service_schema, stage_schema};

/// Writes the schemas, or checks the written ones.
pub fn run(project: &Project, options: &Schema) -> Result<(), Failure> {
    for (name, schema) in [
        ("service.schema.json", service_schema()),
        ("stage.schema.json", stage_schema()),
    ] {
        let path = project.stages_dir().join(name);
        let wanted = format!("{schema:#}\n");
        let failed = |error: &dyn std::fmt::Display| Failure::Input {
            message: format!("{}: {error}", path.display()),
            next_step: "run: deployer schema".to_owned(),
        };
        if options.check {
            let found = std::fs::read_to_string(&path).map_err(|error| failed(&error))?;
            if found != wanted {
                return Err(failed(&"differs from what this version reads"));
            }
        } else {
            std::fs::write(&path, wanted).map_err(|error| failed(&error))?;
            text::result(&path.display().to_string());
        }
    }
    Ok(())
}
