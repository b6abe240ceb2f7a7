//! HDF5 files.

use super::*;

fn named(extra: Value) -> Value {
    let mut params = json!({"root_dir": "d", "extension": "h5", "base_filename": "p_<o:1p:2>"});
    params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    params
}

#[test]
fn time_series() {
    let path = || ("ingestclient.plugins.hdf5.Hdf5TimeSeriesPathProcessor", named(json!({})));
    let old = "ingestclient.plugins.hdf5.Hdf5TimeSeriesTileProcessor";
    let given = json!({"dataset": "img/raw", "channel_index": "1", "scale_factor": 0.25, "upload_format": "tif",
        "filesystem": "local"});
    let plain = json!({"dataset": "aligned"});
    let on_s3 = json!({"dataset": "aligned", "filesystem": "s3", "bucket": "b"});
    check([
        (
            tile(path(), (old, given), [2, 1, 7, 2]),
            r#"boss.open("d/p_08.h5", { dataset = "img/raw", axes = "txyc", select = { c = 1, t = 2 }, fill = 0, cast = "saturate", encode = "tiff" }):crop({ x = {200, 300}, y = {80, 160}, z = {7, 8} }):scale(0.25, -0.5)"#,
        ),
        (
            tile(path(), ("hdf5_time_series", plain.clone()), [0, 0, 0, 0]),
            r#"boss.open("d/p_01.h5", { dataset = "aligned", axes = "txyc", select = { c = 0, t = 0 }, cast = "saturate" }):crop({ x = {0, 100}, y = {0, 80}, z = {0, 1} }):scale(1, -0.5)"#,
        ),
        (
            tile(path(), ("hdf5_time_series", on_s3), [0, 0, 0, 0]),
            r#"boss.open("s3://b/d/p_01.h5", { dataset = "aligned", axes = "txyc", select = { c = 0, t = 0 }, cast = "saturate" }):crop({ x = {0, 100}, y = {0, 80}, z = {0, 1} }):scale(1, -0.5)"#,
        ),
        (
            tile(path(), ("hdf5_time_series", plain.clone()), [0, 0, 20, 0]),
            "section z 20 is outside of the job's extent",
        ),
        (tile(path(), ("hdf5_time_series", json!({})), [0, 0, 0, 0]), "`dataset` is needed to find the data"),
        (
            tile(path(), ("hdf5_time_series", json!({"dataset": "a", "channel_index": "one"})), [0, 0, 0, 0]),
            "`channel_index` is one; it must be an integer",
        ),
        (
            tile(("hdf5_time_series", json!({"root_dir": "d"})), ("hdf5_time_series", plain), [0, 0, 0, 0]),
            "`base_filename` is needed to find the files",
        ),
    ]);
}

#[test]
fn labels_of_a_time_series() {
    let path = || ("hdf5_time_series", named(json!({})));
    let old = ("a.Hdf5TimeSeriesLabelTileProcessor", json!({"dataset": "labels", "upload_format": "png"}));
    let on_s3 = ("hdf5_labels", json!({"dataset": "labels", "filesystem": "s3", "bucket": "b"}));
    check([
        (
            tile(path(), old, [1, 1, 3, 2]),
            r#"boss.open("d/p_04.h5", { dataset = "labels", axes = "xy", fill = 0 }):crop({ x = {100, 200}, y = {80, 160}, z = {3, 4} })"#,
        ),
        (
            tile(path(), on_s3, [0, 0, 0, 0]),
            r#"boss.open("s3://b/d/p_01.h5", { dataset = "labels", axes = "xy" }):crop({ x = {0, 100}, y = {0, 80}, z = {0, 1} })"#,
        ),
    ]);
}

#[test]
fn slices_with_offsets() {
    let path = || ("Hdf5SlicePathProcessor", named(json!({})));
    let names = |extra: Value| {
        let mut params = json!({"data_name": "img", "offset_name": "offset", "extent_name": "extent"});
        params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        params
    };
    let old = "Hdf5SliceTileProcessor";
    let shifted =
        names(json!({"offset_origin_x": 10, "offset_origin_y": 19, "datatype": "uint8", "upload_format": "png"}));
    check([
        (
            tile(path(), (old, shifted), [1, 0, 4, 0]),
            r#"boss.open("d/p_05.h5", { dataset = "img", axes = "yx", fill = 0 }):crop({ x = {0, 190}, y = {0, 150}, z = {0, 1} }):crop({ x = {70, 170}, y = {-49, 31}, z = {0, 1} })"#,
        ),
        (
            tile(path(), ("hdf5_slice", names(json!({"upload_format": "tiff"}))), [0, 0, 4, 0]),
            r#"boss.open("d/p_05.h5", { dataset = "img", axes = "yx", fill = 0, encode = "tiff" }):crop({ x = {0, 190}, y = {0, 150}, z = {0, 1} }):crop({ x = {-20, 80}, y = {-30, 50}, z = {0, 1} })"#,
        ),
        (
            tile(path(), (old, names(json!({"datatype": "uint32"}))), [0, 0, 4, 0]),
            "the parameters of `tile_processor` do not suit the script `built-in hdf5_slice`: `datatype` is `uint32`; it must be one of `uint8`, `uint16`",
        ),
        (
            tile(path(), (old, names(json!({"offset_name": "three"}))), [0, 0, 4, 0]),
            "`three` of `d/p_05.h5` must be two integers, of y and of x",
        ),
        (
            tile(path(), (old, names(json!({"extent_name": "halves"}))), [0, 0, 4, 0]),
            "`halves` of `d/p_05.h5` must be two integers, of y and of x",
        ),
    ]);
}

#[test]
fn chunks_with_ranges_in_their_names() {
    let sizes = |extra: Value| {
        let mut params = json!({"root_dir": "d", "extension": "h5", "prefix": "em", "x_offset": 0, "y_offset": 0,
            "z_offset": 0, "x_chunk_size": 100, "y_chunk_size": 80, "z_chunk_size": 6, "use_python_convention": true});
        params.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        ("Hdf5ChunkPathProcessor", params)
    };
    let new = || ("hdf5_chunk", json!({"data_name": "main", "z_chunk_size": 6}));
    let old = json!({"data_name": "main", "z_chunk_size": 6, "datatype": "uint32", "upload_format": "tiff"});
    check([
        (
            tile(sizes(json!({})), new(), [2, 1, 13, 0]),
            r#"boss.open("d/em_200-300_80-160_12-18.h5", { dataset = "main", axes = "zyx", select = { z = 1 } }):crop("whole")"#,
        ),
        (
            tile(sizes(json!({"use_python_convention": false})), new(), [0, 0, 5, 0]),
            r#"boss.open("d/em_0-99_0-79_0-5.h5", { dataset = "main", axes = "zyx", select = { z = 5 } }):crop("whole")"#,
        ),
        (
            tile(sizes(json!({"x_offset": 100, "y_offset": -80, "z_offset": 3})), new(), [1, 1, 6, 0]),
            r#"boss.open("d/em_200-300_0-80_9-15.h5", { dataset = "main", axes = "zyx", select = { z = 0 } }):crop("whole")"#,
        ),
        (
            tile(sizes(json!({})), ("Hdf5ChunkTileProcessor", old), [0, 0, 5, 0]),
            r#"boss.open("d/em_0-100_0-80_0-6.h5", { dataset = "main", axes = "zyx", select = { z = 5 }, missing = "fill", encode = "tiff" }):crop("whole")"#,
        ),
        (tile(sizes(json!({"z_chunk_size": 0})), new(), [0, 0, 0, 0]), "`z_chunk_size` is 0; it must be at least 1"),
        (
            tile(sizes(json!({})), ("hdf5_chunk", json!({"z_chunk_size": 6})), [0, 0, 0, 0]),
            "`data_name` is needed to find the data",
        ),
    ]);
}

#[test]
fn one_file_for_all() {
    let path = || ("Hdf5SingleFilePathProcessor", json!({"filename": "d/single.h5"}));
    let old = json!({"data_name": "main/vol", "datatype": "uint16", "offset_x": -7, "offset_y": 4, "offset_z": -1,
        "upload_format": "tiff", "filesystem": "local"});
    check([
        (
            tile(path(), ("Hdf5SingleFileTileProcessor", old), [0, 1, 0, 0]),
            r#"boss.open("d/single.h5", { dataset = "main/vol", axes = "zyx", fill = 0, encode = "tiff" }):crop({ x = {-7, 93}, y = {84, 164}, z = {-1, 0} })"#,
        ),
        (
            tile(path(), ("hdf5_single_file", json!({"data_name": "v"})), [2, 0, 19, 0]),
            r#"boss.open("d/single.h5", { dataset = "v", axes = "zyx", fill = 0 }):crop({ x = {200, 300}, y = {0, 80}, z = {19, 20} })"#,
        ),
        (
            tile(path(), ("hdf5_single_file", json!({"data_name": "v", "datatype": "int8"})), [0, 0, 0, 0]),
            "the parameters of `tile_processor` do not suit the script `built-in hdf5_single_file`: `datatype` is `int8`; it must be one of `uint8`, `uint16`, `uint32`",
        ),
    ]);
}
