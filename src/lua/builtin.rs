//! The scripts inside the binary, and which of them stands for which class of the Python client.

/// A script inside the binary, written in the same API as users' own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Builtin {
    /// What a slot's `class` calls it.
    pub name: &'static str,
    pub text: &'static str,
    /// The slots that it serves.
    pub slots: &'static [&'static str],
}

/// Every built-in script.
pub const BUILTINS: &[Builtin] = &[
    Builtin {
        name: "catmaid_file_stack",
        text: include_str!("../../scripts/catmaid_file_stack.lua"),
        slots: &["path_processor", "tile_processor"],
    },
    Builtin { name: "image", text: include_str!("../../scripts/image.lua"), slots: &["tile_processor"] },
    Builtin { name: "sections", text: include_str!("../../scripts/sections.lua"), slots: &["chunk_processor"] },
    Builtin { name: "z_stack", text: include_str!("../../scripts/z_stack.lua"), slots: &["path_processor"] },
];

/// A class of the Python client.
pub(super) struct OldClass {
    /// Without its module: job files name it as `ingestclient.plugins.stack.ZindexStackPathProcessor`, or from elsewhere.
    pub name: &'static str,
    slot: &'static str,
    pub builtin: &'static str,
    /// Parameters that stand for the difference between classes that share a script.
    pub presets: &'static [(&'static str, &'static str)],
}

const OLD_CLASSES: &[OldClass] = &[
    old("ZindexStackPathProcessor", "path_processor", "z_stack", &[]),
    old("ZindexStackTileProcessor", "tile_processor", "image", &[]),
    old("CatmaidFileImageStackPathProcessor", "path_processor", "catmaid_file_stack", &[("layout", "file")]),
    old("CatmaidFileImageStackTileProcessor", "tile_processor", "catmaid_file_stack", &[]),
    old(
        "CatmaidFileImageStackZoomLevelPathProcessor",
        "path_processor",
        "catmaid_file_stack",
        &[("layout", "zoom_level")],
    ),
    old("CatmaidFileImageStackZoomLevelTileProcessor", "tile_processor", "catmaid_file_stack", &[]),
    old("CatmaidDirectoryImageStackPathProcessor", "path_processor", "catmaid_file_stack", &[("layout", "directory")]),
    old("CatmaidDirectoryImageStackTileProcessor", "tile_processor", "catmaid_file_stack", &[]),
];

const fn old(
    name: &'static str,
    slot: &'static str,
    builtin: &'static str,
    presets: &'static [(&'static str, &'static str)],
) -> OldClass {
    OldClass { name, slot, builtin, presets }
}

pub(super) fn by_name(name: &str) -> Option<&'static Builtin> {
    BUILTINS.iter().find(|builtin| builtin.name == name)
}

/// The class of the Python client that `class` names, by its last component.
pub(super) fn old_class(slot: &str, class: &str) -> Option<&'static OldClass> {
    let name = class.rsplit('.').next().unwrap_or(class);
    OLD_CLASSES.iter().find(|old| old.slot == slot && old.name == name)
}

/// Everything that a slot's `class` can be, besides files.
pub(super) fn names_for(slot: &str) -> impl Iterator<Item = &'static str> {
    let builtins = BUILTINS.iter().filter(move |builtin| builtin.slots.contains(&slot)).map(|builtin| builtin.name);
    builtins.chain(OLD_CLASSES.iter().filter(move |old| old.slot == slot).map(|old| old.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_old_class_leads_to_a_script_for_its_slot() {
        for old in OLD_CLASSES {
            let builtin = by_name(old.builtin).unwrap();
            assert!(builtin.slots.contains(&old.slot), "{}", old.name);
        }
    }
}
