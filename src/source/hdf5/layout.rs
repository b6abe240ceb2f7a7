//! Layouts in which many arrays of one file are one volume: BigDataViewer and Imaris.

/// The arrays of one volume: one for each level of detail, time and channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pyramid {
    layout: Layout,
    /// How many there are; the highest number and one.
    pub levels: u64,
    pub times: u64,
    pub channels: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// `t00000/s00/0/cells`, a setup for each channel
    /// (<https://imagej.net/plugins/bdv/#bdvs-hdf5-file-format>, "File Structure").
    BigDataViewer,
    /// `DataSet/ResolutionLevel 0/TimePoint 0/Channel 0/Data`
    /// (<https://imaris.oxinst.com/support/imaris-file-format>, "Image Data").
    Imaris,
}

/// Which array of a pyramid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub level: u64,
    pub time: u64,
    pub channel: u64,
}

impl Pyramid {
    /// The pyramid that the arrays of these names are, beside others.
    pub fn of(names: &[String]) -> Option<Self> {
        let layout = names.iter().find_map(|name| Layout::of(name))?;
        let places = names.iter().filter_map(|name| layout.place(name));
        let start = Pyramid { layout, levels: 0, times: 0, channels: 0 };
        Some(places.fold(start, |pyramid, place| Pyramid {
            levels: pyramid.levels.max(place.level.saturating_add(1)),
            times: pyramid.times.max(place.time.saturating_add(1)),
            channels: pyramid.channels.max(place.channel.saturating_add(1)),
            ..pyramid
        }))
    }

    /// The name of an array, whether or not the file has it.
    pub fn name(&self, place: Place) -> String {
        self.layout.name(place)
    }

    /// An array of this level that the file has, to say what all are.
    pub fn example<'a>(&self, level: u64, names: &'a [String]) -> Option<&'a str> {
        let of_level = |name: &&String| self.layout.place(name).is_some_and(|place| place.level == level);
        names.iter().find(of_level).map(String::as_str)
    }
}

impl Layout {
    fn of(name: &str) -> Option<Self> {
        [Layout::BigDataViewer, Layout::Imaris].into_iter().find(|layout| layout.place(name).is_some())
    }

    fn name(self, Place { level, time, channel }: Place) -> String {
        match self {
            Layout::BigDataViewer => format!("t{time:05}/s{channel:02}/{level}/cells"),
            Layout::Imaris => format!("DataSet/ResolutionLevel {level}/TimePoint {time}/Channel {channel}/Data"),
        }
    }

    fn place(self, name: &str) -> Option<Place> {
        let parts: Vec<&str> = name.split('/').collect();
        let place = match (self, parts.as_slice()) {
            (Layout::BigDataViewer, [time, setup, level, "cells"]) => Place {
                level: level.parse().ok()?,
                time: time.strip_prefix('t')?.parse().ok()?,
                channel: setup.strip_prefix('s')?.parse().ok()?,
            },
            (Layout::Imaris, ["DataSet", level, time, channel, "Data"]) => Place {
                level: level.strip_prefix("ResolutionLevel ")?.parse().ok()?,
                time: time.strip_prefix("TimePoint ")?.parse().ok()?,
                channel: channel.strip_prefix("Channel ")?.parse().ok()?,
            },
            _ => return None,
        };
        (self.name(place) == name).then_some(place)
    }
}

/// The group whose attributes tell the size of an Imaris array, which is itself padded to whole chunks.
pub(super) fn sized_group(name: &str) -> Option<&str> {
    Layout::Imaris.place(name)?;
    name.strip_suffix("/Data")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pyramid(names: &[&str]) -> Option<(u64, u64, u64)> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        Pyramid::of(&names).map(|found| (found.levels, found.times, found.channels))
    }

    #[test]
    fn pyramids_are_told_by_their_names() {
        assert_eq!(pyramid(&["s00/resolutions", "t00000/s00/0/cells", "t00002/s01/1/cells"]), Some((2, 3, 2)));
        assert_eq!(
            pyramid(&["DataSet/ResolutionLevel 2/TimePoint 10/Channel 0/Data", "Thumbnail/Data"]),
            Some((3, 11, 1))
        );
        for other in ["t0/s00/0/cells", "t00000/s00/0", "t00000/s00/+1/cells", "a/t00000/s00/0/cells", "data"] {
            assert_eq!(pyramid(&[other]), None, "{other}");
        }
        let last = format!("t{}/s00/0/cells", u64::MAX);
        assert_eq!(pyramid(&[&last]), Some((1, u64::MAX, 1)));
    }

    #[test]
    fn names_go_there_and_back() {
        let place = Place { level: 1, time: 12, channel: 3 };
        for layout in [Layout::BigDataViewer, Layout::Imaris] {
            assert_eq!(layout.place(&layout.name(place)), Some(place));
        }
    }
}
