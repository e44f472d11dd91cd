//! The JSON Schema of scenarios, from the types that are read and written.

use schemars::Schema;
use schemars::generate::SchemaSettings;

use super::file::{Document, ProcessFile, RowFile};
use super::list::List;

/// The JSON Schema of a scenario, the classic array and every dialect of `processes` included.
pub fn schema() -> Schema {
    SchemaSettings::default()
        .into_generator()
        .into_root_schema_for::<Document<List<ProcessFile>, List<RowFile>>>()
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::schema;

    /// What may be left out must not be `null`; but nothing is told of a balance by it.
    #[test]
    fn nothing_in_the_schema_may_be_null_but_what_was_told() {
        let mut schema = schema().to_value();
        let told = schema["$defs"].as_object_mut().unwrap();
        for name in ["SeenBalance", "Result"] {
            assert!(told.remove(name).unwrap().to_string().contains("null"), "{name}");
        }
        assert!(!schema.to_string().contains("null"), "{schema}");
    }

    #[test]
    fn every_reference_of_the_schema_leads_somewhere() {
        let schema: Value = schema().to_value();
        let text = schema.to_string();
        for part in text.split("\"$ref\":\"#").skip(1) {
            let pointer = part.split('"').next().unwrap();
            assert!(schema.pointer(pointer).is_some(), "{pointer}");
        }
    }

    #[test]
    fn the_schema_is_this() {
        let pretty = serde_json::to_string_pretty(&schema()).unwrap();
        insta::assert_snapshot!(pretty);
    }
}
