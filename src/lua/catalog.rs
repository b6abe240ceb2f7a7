//! The scripts inside the binary as users find them: by name, or by the Python client's class that one of them stands for.

use serde_json::{Map, Value};

use super::builtin::{self, BUILTINS, Builtin};
use super::header::Header;
use crate::config::nearest;

/// A built-in script, and how a name led to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub builtin: Builtin,
    /// The Python client's class that was asked for, if it was one.
    pub old_class: Option<StandsFor>,
}

/// How a built-in script stands for a class of the Python client.
#[derive(Clone, Debug, PartialEq)]
pub struct StandsFor {
    pub class: &'static str,
    /// Parameters that the class means without naming them.
    pub presets: Map<String, Value>,
}

/// There is no built-in script of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no built-in script `{name}`")]
pub struct UnknownBuiltin {
    pub name: String,
    pub nearest: Option<&'static str>,
}

impl Builtin {
    /// The comment at the script's top.
    pub fn header(&self) -> Header {
        Header::of(self.text)
    }

    /// The built-in script called `name`, or the one that stands for the Python client's class of that name, with or
    /// without its module.
    ///
    /// # Errors
    /// [`UnknownBuiltin`] with the nearest name.
    pub fn find(name: &str) -> Result<Found, UnknownBuiltin> {
        if let Some(builtin) = builtin::by_name(name) {
            return Ok(Found { builtin: *builtin, old_class: None });
        }
        let class = name.rsplit('.').next().unwrap_or(name);
        let Some(old) = builtin::OLD_CLASSES.iter().find(|old| old.name == class) else {
            let names = || BUILTINS.iter().map(|one| one.name).chain(builtin::OLD_CLASSES.iter().map(|old| old.name));
            let nearest = nearest(name, names()).or_else(|| nearest(class, names()));
            return Err(UnknownBuiltin { name: name.to_owned(), nearest });
        };
        let builtin = *builtin::by_name(old.builtin).expect("each old class leads to a built-in");
        Ok(Found { builtin, old_class: Some(StandsFor { class: old.name, presets: old.presets() }) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_class_names_lead_to_the_script_with_its_presets() {
        let found = Builtin::find("ingestclient.plugins.catmaid.CatmaidDirectoryImageStackPathProcessor").unwrap();
        assert_eq!(found.builtin.name, "catmaid_file_stack");
        let old = found.old_class.unwrap();
        assert_eq!(old.class, "CatmaidDirectoryImageStackPathProcessor");
        assert_eq!(Value::from(old.presets), serde_json::json!({"layout": "directory"}));
        assert_eq!(Builtin::find("image").unwrap().old_class, None);
    }

    #[test]
    fn unknown_names_are_told_the_nearest() {
        for (name, expected) in
            [("zstack", Some("z_stack")), ("x.ZIndexStackPathProcesor", Some("ZindexStackPathProcessor"))]
        {
            assert_eq!(Builtin::find(name).unwrap_err().nearest, expected, "{name}");
        }
        assert_eq!(Builtin::find("microscope").unwrap_err().nearest, None);
    }
}
