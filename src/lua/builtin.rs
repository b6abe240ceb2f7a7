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

const PATH: &str = "path_processor";
const TILE: &str = "tile_processor";
const CHUNK: &str = "chunk_processor";

/// A built-in by its file in `scripts/`, and its slots.
macro_rules! builtin {
    ($name:literal, $($slot:ident),+) => {
        Builtin {
            name: $name,
            text: include_str!(concat!("../../scripts/", $name, ".lua")),
            slots: &[$($slot),+],
        }
    };
}

/// Every built-in script.
pub const BUILTINS: &[Builtin] = &[
    builtin!("boss_cutout", PATH, TILE, CHUNK),
    builtin!("catmaid_file_stack", PATH, TILE),
    builtin!("catmaid_url", PATH, TILE),
    builtin!("hdf5_chunk", PATH, TILE),
    builtin!("hdf5_labels", TILE),
    builtin!("hdf5_single_file", PATH, TILE),
    builtin!("hdf5_slice", TILE),
    builtin!("hdf5_time_series", PATH, TILE),
    builtin!("image", TILE),
    builtin!("noise", PATH, TILE, CHUNK),
    builtin!("precomputed", PATH, CHUNK),
    builtin!("sections", CHUNK),
    builtin!("test_pattern", PATH, TILE, CHUNK),
    builtin!("tiff_hyperstack", PATH, TILE),
    builtin!("tiff_single_time", PATH, TILE),
    builtin!("volume", PATH, TILE, CHUNK),
    builtin!("z_stack", PATH),
    builtin!("zarr", PATH, CHUNK),
];

/// A class of the Python client.
pub(super) struct OldClass {
    /// Without its module: job files name it as `ingestclient.plugins.stack.ZindexStackPathProcessor`, or from elsewhere.
    pub name: &'static str,
    pub slot: &'static str,
    pub builtin: &'static str,
    /// Parameters, as a JSON object, that stand for what the class does and the script by itself does not. Those of the job
    /// file come first.
    presets: &'static str,
}

/// What is outside of a volume, inside the extent too, was 0.
const ZEROS_OUTSIDE: &str = r#"{"fill": 0}"#;

/// Every class of the Python client that has a successor here.
pub(super) const OLD_CLASSES: &[OldClass] = &[
    old("ZindexStackPathProcessor", PATH, "z_stack", "{}"),
    old("ZindexStackTileProcessor", TILE, "image", r#"{"region": "auto", "fill": 0}"#),
    old("CatmaidFileImageStackPathProcessor", PATH, "catmaid_file_stack", r#"{"layout": "file"}"#),
    old("CatmaidFileImageStackTileProcessor", TILE, "catmaid_file_stack", "{}"),
    old("CatmaidFileImageStackZoomLevelPathProcessor", PATH, "catmaid_file_stack", r#"{"layout": "zoom_level"}"#),
    old("CatmaidFileImageStackZoomLevelTileProcessor", TILE, "catmaid_file_stack", "{}"),
    old("CatmaidDirectoryImageStackPathProcessor", PATH, "catmaid_file_stack", r#"{"layout": "directory"}"#),
    old("CatmaidDirectoryImageStackTileProcessor", TILE, "catmaid_file_stack", "{}"),
    old("CatmaidURLPathProcessor", PATH, "catmaid_url", "{}"),
    old("CatmaidURLTileProcessor", TILE, "catmaid_url", OLD_CATMAID_URL),
    // As the Python client spells it.
    old("CatmainURLTileProcessor", TILE, "catmaid_url", OLD_CATMAID_URL),
    old("SingleTimeTiffPathProcessor", PATH, "tiff_single_time", "{}"),
    old("SingleTimeTiffTileProcessor", TILE, "tiff_single_time", ZEROS_OUTSIDE),
    old("TiffMultiFileHyperStackPathProcessor", PATH, "tiff_hyperstack", "{}"),
    old("TiffMultiFileHyperStackTileProcessor", TILE, "tiff_hyperstack", ZEROS_OUTSIDE),
    old("Hdf5TimeSeriesPathProcessor", PATH, "hdf5_time_series", "{}"),
    old("Hdf5TimeSeriesTileProcessor", TILE, "hdf5_time_series", ZEROS_OUTSIDE),
    old("Hdf5TimeSeriesLabelTileProcessor", TILE, "hdf5_labels", ZEROS_OUTSIDE),
    old("Hdf5SlicePathProcessor", PATH, "hdf5_time_series", "{}"),
    old("Hdf5SliceTileProcessor", TILE, "hdf5_slice", "{}"),
    old("Hdf5ChunkPathProcessor", PATH, "hdf5_chunk", "{}"),
    old("Hdf5ChunkTileProcessor", TILE, "hdf5_chunk", r#"{"missing": "fill"}"#),
    old("Hdf5SingleFilePathProcessor", PATH, "hdf5_single_file", "{}"),
    old("Hdf5SingleFileTileProcessor", TILE, "hdf5_single_file", "{}"),
    old("CloudVolumePathProcessor", PATH, "precomputed", "{}"),
    old("CloudVolumeChunkProcessor", CHUNK, "precomputed", ZEROS_OUTSIDE),
    old("InternPathProcessor", PATH, "boss_cutout", "{}"),
    old("InternTileProcessor", TILE, "boss_cutout", ZEROS_OUTSIDE),
    old("InternChunkProcessor", CHUNK, "boss_cutout", ZEROS_OUTSIDE),
    old("ZarrPathProcessor", PATH, "zarr", "{}"),
    old("ZarrChunkProcessor", CHUNK, "zarr", ZEROS_OUTSIDE),
    old("TestPathProcessor", PATH, "test_pattern", "{}"),
    old("TestPassThroughPathProcessor", PATH, "volume", "{}"),
    old("TestTileProcessor", TILE, "test_pattern", "{}"),
    old("TestRandomTileProcessor", TILE, "noise", r#"{"encode": "tiff"}"#),
];

const OLD_CATMAID_URL: &str = r#"{"missing": "fill", "ignore_xy_offsets": true}"#;

const fn old(name: &'static str, slot: &'static str, builtin: &'static str, presets: &'static str) -> OldClass {
    OldClass { name, slot, builtin, presets }
}

impl OldClass {
    /// The presets, by name.
    pub fn presets(&self) -> serde_json::Map<String, serde_json::Value> {
        serde_json::from_str(self.presets).expect("presets are written as JSON objects, a test reads them all")
    }
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
            for name in old.presets().keys() {
                assert!(builtin.text.contains(&format!("  {name} = ")) || old.builtin == "tiff_single_time", "{name}");
            }
        }
    }

    #[test]
    fn every_script_of_the_folder_is_built_in() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = files.filter_map(|name| name.strip_suffix(".lua").map(str::to_owned)).collect();
        names.sort();
        assert_eq!(names, BUILTINS.iter().map(|builtin| builtin.name).collect::<Vec<_>>());
    }
}
