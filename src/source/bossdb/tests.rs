use super::channel::{Channel, Experiment};
use crate::volume::{Dtype, Region, Size};

const CHANNEL: &str =
    r#"{"name": "em", "datatype": "uint16", "base_resolution": 0, "downsample_status": "NOT_DOWNSAMPLED"}"#;
const EXPERIMENT: &str =
    r#"{"coord_frame": "f", "num_hierarchy_levels": 4, "hierarchy_method": "anisotropic", "num_time_samples": 3}"#;
const FRAME: &str = r#"{"x_start": 0, "x_stop": 1000, "y_start": 100, "y_stop": 701, "z_start": 7, "z_stop": 60, "voxel_unit": "nanometers"}"#;

fn parse(channel: &str, experiment: &str, frame: &str) -> Result<Channel, String> {
    let of = || Channel::parse(channel.as_bytes(), &Experiment::parse(experiment.as_bytes())?, frame.as_bytes());
    of().map_err(|flaw| flaw.to_string())
}

fn extent(start: (i64, i64, i64), size: (u64, u64, u64)) -> Region {
    Region::of_size(Size::new(size.0, size.1, size.2)).shift(start.0, start.1, start.2)
}

#[test]
fn resolutions_halve_x_and_y_and_of_isotropic_ones_z() {
    let channel = parse(CHANNEL, EXPERIMENT, FRAME).unwrap();
    assert_eq!((channel.dtype, channel.base, channel.levels, channel.times), (Dtype::Uint16, 0, 4, 3));
    assert_eq!(channel.extent(0), extent((0, 100, 7), (1000, 601, 53)));
    assert_eq!(channel.extent(1), extent((0, 50, 7), (500, 301, 53)));
    assert_eq!(channel.extent(3), extent((0, 12, 7), (125, 76, 53)));
    let channel = parse(CHANNEL, &EXPERIMENT.replace("anisotropic", "isotropic"), FRAME).unwrap();
    assert_eq!(channel.extent(1), extent((0, 50, 3), (500, 301, 27)));
}

#[test]
fn resolutions_that_were_not_made_are_told_of() {
    let made = CHANNEL.replace("NOT_DOWNSAMPLED", "DOWNSAMPLED");
    assert!(parse(&made, EXPERIMENT, FRAME).unwrap().note(3).is_none());
    let channel = parse(CHANNEL, EXPERIMENT, FRAME).unwrap();
    assert!(channel.note(0).is_none() && channel.note(1).unwrap().contains("resolution 1"));
}

#[test]
fn resolutions_have_one_digit() {
    let channel =
        parse(CHANNEL, &EXPERIMENT.replace("\"num_hierarchy_levels\": 4", "\"num_hierarchy_levels\": 99"), FRAME);
    assert_eq!(channel.unwrap().levels, 10);
}

#[test]
fn what_makes_no_sense_is_damaged() {
    let cases = [
        (CHANNEL.replace("uint16", "text"), EXPERIMENT.to_owned(), FRAME.to_owned(), "`text` is no voxel type"),
        (
            CHANNEL.replace("_resolution\": 0", "_resolution\": 12"),
            EXPERIMENT.to_owned(),
            FRAME.to_owned(),
            "its finest",
        ),
        (CHANNEL.to_owned(), EXPERIMENT.replace("\"f\"", "\"../f\""), FRAME.to_owned(), "`../f` is no name"),
        (CHANNEL.to_owned(), EXPERIMENT.replace("anisotropic", "other"), FRAME.to_owned(), "`other` is no way"),
        (CHANNEL.to_owned(), EXPERIMENT.to_owned(), FRAME.replace("701", "99"), "its frame goes from 100 to 99"),
        (CHANNEL.to_owned(), EXPERIMENT.to_owned(), FRAME.replace("1000", "99999999999"), "invalid value"),
        (CHANNEL.to_owned(), EXPERIMENT.to_owned(), FRAME.replace("x_stop", "stop"), "missing field `x_stop`"),
        ("<html>".to_owned(), EXPERIMENT.to_owned(), FRAME.to_owned(), "expected value"),
    ];
    for (channel, experiment, frame, expected) in cases {
        let flaw = parse(&channel, &experiment, &frame).unwrap_err();
        assert!(flaw.starts_with(expected), "{flaw}");
    }
}
