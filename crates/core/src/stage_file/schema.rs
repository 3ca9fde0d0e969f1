//! The JSON Schemas of the files under `stages/`, generated from the types.
//!
//! They serve editors, and they are what [`super::check`] checks a file with.

use super::types::{ServiceFile, StageFile};
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, Transform};
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

/// The schema of `stages/service.toml`.
pub fn service_schema() -> Value {
    schema_of::<ServiceFile>("https://json-schema.org/draft/2020-12/schema")
}

/// The schema of `stages/<stage>.toml`.
pub fn stage_schema() -> Value {
    schema_of::<StageFile>("https://json-schema.org/draft/2020-12/schema")
}

fn schema_of<T: JsonSchema>(dialect: &str) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    // Without `$ref`, a mistake's place in the schema is a plain pointer.
    settings.inline_subschemas = true;
    settings.meta_schema = Some(dialect.to_owned().into());
    let generator = settings
        .with_transform(RecursiveTransform(WithoutNull))
        .into_generator();
    generator.into_root_schema_for::<T>().to_value()
}

/// TOML has no null: an optional key is simply not there.
#[derive(Debug, Clone)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        if schema.get("default").is_some_and(Value::is_null) {
            schema.remove("default");
        }
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".into(), only);
            }
        }
        if let Some(Value::Array(values)) = schema.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
        let alternatives = schema.get("anyOf").and_then(Value::as_array).map(|all| {
            all.iter()
                .filter(|one| one.get("type") != Some(&json!("null")))
                .cloned()
                .collect::<Vec<_>>()
        });
        if let Some([Value::Object(only)]) = alternatives.as_deref() {
            schema.remove("anyOf");
            for (key, value) in only {
                if schema.get(key).is_none() {
                    schema.insert(key.clone(), value.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_of_a_file_may_be_null() {
        for schema in [service_schema(), stage_schema()] {
            let text = schema.to_string();
            assert!(!text.contains("null"), "{text}");
            jsonschema::validator_for(&schema).expect("a legal schema");
        }
    }
}
