//! The JSON Schema of scenarios, from the types that are read and written.

use std::mem;

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{Schema, json_schema};
use serde_json::Value;

use super::file::{Document, ProcessFile, RowFile};
use super::list::List;

/// The JSON Schema of a scenario, the classic array and every dialect of `processes` included, as a
/// text of some lines.
pub fn schema() -> String {
    let text = serde_json::to_string_pretty(&root()).expect("a schema is JSON");
    text + "\n"
}

fn root() -> Schema {
    SchemaSettings::default()
        .with_transform(pass_over_stray_spaces)
        .into_generator()
        .into_root_schema_for::<Document<List<ProcessFile>, List<RowFile>>>()
}

/// An object with a space before or after a key is read as if there were none. A schema cannot name
/// such a key, so it says nothing of that object.
fn pass_over_stray_spaces(schema: &mut Schema) {
    transform_subschemas(&mut pass_over_stray_spaces, schema);
    if schema.get("additionalProperties") != Some(&Value::Bool(false)) {
        return;
    }
    let mut strict = mem::take(schema.ensure_object());
    let description = strict.remove("description");
    *schema = json_schema!({
        "type": "object",
        "if": {"propertyNames": {"not": {"pattern": "^\\s|\\s$"}}},
        "then": strict,
    });
    if let Some(description) = description {
        schema.insert("description".to_owned(), description);
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, root};

    /// What may be left out must not be `null`; but nothing is told of a balance by it.
    #[test]
    fn nothing_in_the_schema_may_be_null_but_what_was_told() {
        let mut schema = root().to_value();
        let told = schema["$defs"].as_object_mut().unwrap();
        for name in ["SeenBalance", "Result"] {
            assert!(told.remove(name).unwrap().to_string().contains("null"), "{name}");
        }
        assert!(!schema.to_string().contains("null"), "{schema}");
    }

    #[test]
    fn every_reference_of_the_schema_leads_somewhere() {
        let schema: Value = root().to_value();
        let text = schema.to_string();
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(schema.pointer(pointer).is_some(), "{pointer}");
        }
    }
}
