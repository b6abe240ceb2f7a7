//! From the axes that a plan names to the part of the source that is meant.

use super::error::PlanMistake;
use super::{Axis, Colour, Selection, SourceError, SourceInfo, SourceRef};

/// The part of a source that a plan reads, and which of its stored axes is which.
pub(super) struct View {
    pub selection: Selection,
    /// The image's x, y and z are these axes of what the reader gives.
    pub exchange: [Axis; 3],
}

/// What the plan says by itself, without a look at the source.
pub(super) fn plain(plan: &SourceRef) -> Selection {
    Selection {
        page: plan.page,
        dataset: plan.dataset.clone(),
        level: plan.level,
        select: Default::default(),
        colour: plan.colour,
        missing: plan.missing,
    }
}

/// Whether [`view`] needs to know the source's axes.
pub(super) fn needs_info(plan: &SourceRef) -> bool {
    plan.axes.is_some() || !plan.select.is_empty()
}

/// Matches the plan's `axes` and `select` with the axes of `info`, which is that of the plan's [`plain`] selection.
///
/// Axes of length 1 need no position when they are no image axes, and no name when they come first. An array of which
/// positions are selected calls the axes that are left `yx` or `zyx`, whatever they were before.
///
/// # Errors
/// [`PlanMistake::Axes`] where the plan names other axes than there are, [`PlanMistake::Select`] where a position is given for
/// an axis that the source does not have, or none for one that is no image axis.
pub(super) fn view(plan: &SourceRef, info: &SourceInfo) -> Result<View, SourceError> {
    let mistake = |mistake| Err(SourceError::mistake(&plan.path, mistake));
    let named = plan.axes.as_deref().unwrap_or(&info.axes);
    let other_axes = || mistake(PlanMistake::Axes { axes: named.to_owned(), has: info.axes.clone() });
    let mut selection = plain(plan);
    let mut select = plan.select.clone();
    if let Some(letter) = info.stack_axis.filter(|letter| !named.contains(*letter))
        && let Some(at) = select.remove(&letter)
        && select.insert('z', at).is_some()
    {
        return mistake(PlanMistake::Select { axis: letter });
    }
    if let (Some(channel), Colour::None, true) = (select.get(&'c').copied(), plan.colour, info.axes.ends_with('c')) {
        // Samples of a colour image; any other `c` is an axis like others.
        selection.colour = Colour::Channel(channel);
    }
    let Some(named_axes) = named_axes(named, info) else { return other_axes() };
    for store in info.axes.chars().take(info.axes.len() - named_axes.len()) {
        pick(&mut selection, info, store, 0);
    }
    let has_single_others = named_axes.iter().all(|(name, store)| {
        Axis::from_letter(*name).is_some() || select.contains_key(name) || info.length(*store) == 1
    });
    let mut left = Vec::new();
    for (name, store) in named_axes {
        let is_single = has_single_others && Axis::from_letter(name).is_none();
        match select.remove(&name).or(is_single.then_some(0)) {
            Some(at) => {
                pick(&mut selection, info, store, at);
                if selection.select.contains_key(&store) && at >= info.length(store) {
                    return mistake(PlanMistake::NoSuchPosition { axis: name, at, length: info.length(store) });
                }
            }
            None => left.push((name, store)),
        }
    }
    let mut exchange: [Option<Axis>; 3] = [None; 3];
    for ((name, store), given) in left.iter().copied().zip(given_axes(&left, &selection)) {
        match (Axis::from_letter(name), Axis::from_letter(given)) {
            (Some(image), Some(from)) => exchange[image as usize] = Some(from),
            // Of a colour image the plan's `channel` or `gray` says it; the reader tells when neither does.
            (None, _) if name == store && selection.select.is_empty() => {}
            _ => return mistake(PlanMistake::Select { axis: name }),
        }
    }
    if let Some(axis) = select.into_keys().next() {
        return mistake(PlanMistake::Select { axis });
    }
    match complete(exchange) {
        Some(exchange) => Ok(View { selection, exchange }),
        None => other_axes(),
    }
}

/// The plan's name of each stored axis, and the axis. First ones of length 1 may be left out.
fn named_axes(named: &str, info: &SourceInfo) -> Option<Vec<(char, char)>> {
    let unnamed = info.axes.len().checked_sub(named.len())?;
    let are_single = info.axes.chars().take(unnamed).all(|axis| info.length(axis) == 1);
    are_single.then(|| named.chars().zip(info.axes.chars().skip(unnamed)).collect())
}

/// What the reader calls the axes that are left.
fn given_axes(left: &[(char, char)], selection: &Selection) -> Vec<char> {
    match "zyx".len().checked_sub(left.len()) {
        Some(fewer) if !selection.select.is_empty() => "zyx".chars().skip(fewer).collect(),
        _ => left.iter().map(|(_, store)| *store).collect(),
    }
}

/// Fixes a stored axis at a position. Pages are the stored z of files that have no other axes of them.
fn pick(selection: &mut Selection, info: &SourceInfo, stored: char, at: u64) {
    match stored {
        'c' if selection.colour != Colour::None => {}
        'z' if selection.page.is_none() && info.is_paged => selection.page = Some(at),
        _ => _ = selection.select.insert(stored, at),
    }
}

/// The axes that nobody named are those that are left: a source of one section has no z.
fn complete(exchange: [Option<Axis>; 3]) -> Option<[Axis; 3]> {
    let [x, y, z] = exchange;
    let (x, y) = (x?, y?);
    let rest = Axis::ALL.into_iter().find(|axis| *axis != x && *axis != y)?;
    Some([x, y, z.unwrap_or(rest)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::volume::{Dtype, Size};

    fn info(axes: &str) -> SourceInfo {
        let size = Size::new(30, 20, if axes.contains('z') { 10 } else { 1 });
        SourceInfo {
            path: "a".into(),
            format: "tiff",
            axes: axes.into(),
            origin: (0, 0, 0),
            size,
            dtype: Dtype::Uint8,
            block: size,
            channels: 1,
            decoded_channels: 1,
            pages: size.z,
            file_bytes: 0,
            is_plain: false,
            others: Default::default(),
            is_paged: size.z > 1,
            stack_axis: None,
            note: None,
        }
    }

    fn seen(
        stored: &str,
        axes: Option<&str>,
        select: &[(char, u64)],
    ) -> Result<([Axis; 3], Option<u64>, Colour), String> {
        let mut plan = SourceRef::new("a");
        plan.axes = axes.map(str::to_owned);
        plan.select = select.iter().copied().collect();
        let View { selection, exchange } = view(&plan, &info(stored)).map_err(|error| error.to_string())?;
        assert!(selection.select.is_empty());
        Ok((exchange, selection.page, selection.colour))
    }

    #[test]
    fn axes_are_exchanged_and_positions_become_pages() {
        use Axis::{X, Y, Z};
        let cases: [(_, _, &[(char, u64)], _); 7] = [
            ("yx", None, &[], ([X, Y, Z], None, Colour::None)),
            ("yx", Some("xy"), &[], ([Y, X, Z], None, Colour::None)),
            ("zyx", Some("tyx"), &[('t', 3)], ([X, Y, Z], Some(3), Colour::None)),
            ("zyx", None, &[('z', 4)], ([X, Y, Z], Some(4), Colour::None)),
            ("zyx", Some("xzy"), &[], ([Z, X, Y], None, Colour::None)),
            ("yxc", None, &[('c', 2)], ([X, Y, Z], None, Colour::Channel(2))),
            ("zyx", Some("cxy"), &[('c', 1)], ([Y, X, Z], Some(1), Colour::None)),
        ];
        for (stored, axes, select, expected) in cases {
            assert_eq!(seen(stored, axes, select), Ok(expected), "{stored} {axes:?}");
        }
    }

    type Positions<'a> = &'a [(char, u64)];
    type Exchanged = ([Axis; 3], Vec<(char, u64)>);

    /// An array with 5 points of time, or with `t`.
    fn array_seen(stored: &str, t: u64, axes: Option<&str>, select: &[(char, u64)]) -> Result<Exchanged, String> {
        let mut plan = SourceRef::new("a");
        plan.axes = axes.map(str::to_owned);
        plan.select = select.iter().copied().collect();
        let info = SourceInfo { pages: 1, is_paged: false, others: [('t', t)].into(), ..info(stored) };
        let View { selection, exchange } = view(&plan, &info).map_err(|error| error.to_string())?;
        Ok((exchange, selection.select.into_iter().collect()))
    }

    #[test]
    fn any_axis_of_an_array_can_be_any_other() {
        use Axis::{X, Y, Z};
        let cases: [(_, _, Positions<'_>, _, Positions<'_>); 6] = [
            ("tzyx", None, &[('t', 4)], [X, Y, Z], &[('t', 4)]),
            ("tzyx", Some("txyc"), &[('t', 4), ('c', 1)], [Y, X, Z], &[('t', 4), ('x', 1)]),
            ("tzyx", Some("zyxc"), &[('c', 1)], [X, Y, Z], &[('x', 1)]),
            ("tzyx", Some("xyzt"), &[('t', 2)], [Z, Y, X], &[('x', 2)]),
            ("tzyx", Some("tzyx"), &[('t', 0), ('z', 3)], [X, Y, Z], &[('t', 0), ('z', 3)]),
            ("zyx", None, &[('z', 3)], [X, Y, Z], &[('z', 3)]),
        ];
        for (stored, axes, select, exchange, picked) in cases {
            assert_eq!(array_seen(stored, 5, axes, select), Ok((exchange, picked.to_vec())), "{stored} {axes:?}");
        }
        let error = array_seen("tzyx", 5, Some("txyc"), &[('t', 0), ('c', 30)]).unwrap_err();
        assert_eq!(error, "the plan for `a` selects c 30, counted from 0, of 30");
        let error = array_seen("tzyx", 5, Some("tczx"), &[('c', 0)]).unwrap_err();
        assert_eq!(error, "the plan for `a` needs exactly one position in `select` for the axis `t`");
    }

    #[test]
    fn axes_of_length_1_need_no_position() {
        use Axis::{X, Y, Z};
        for (t, axes, picked) in [
            (1, None, vec![('t', 0)]),
            (1, Some("zyx"), vec![('t', 0)]),
            (1, Some("tzyx"), vec![('t', 0)]),
            (5, None, vec![]),
        ] {
            assert_eq!(array_seen("tzyx", t, axes, &[]), Ok(([X, Y, Z], picked)), "{t} {axes:?}");
        }
        let error = array_seen("tzyx", 5, Some("zyx"), &[]).unwrap_err();
        assert_eq!(error, "the plan for `a` has the axes `zyx`, but the source has `tzyx`");
    }

    #[test]
    fn axes_that_do_not_match_are_told() {
        let cases: [(_, _, &[(char, u64)], _); 6] = [
            ("yx", Some("zyx"), &[], "has the axes `zyx`, but the source has `yx`"),
            ("zyx", Some("tyx"), &[], "needs exactly one position in `select` for the axis `t`"),
            ("yx", None, &[('t', 0)], "needs exactly one position in `select` for the axis `t`"),
            ("zyx", Some("tcx"), &[('t', 0), ('c', 0)], "has the axes `tcx`, but the source has `zyx`"),
            ("zyx", None, &[('y', 1)], "has the axes `zyx`, but the source has `zyx`"),
            ("yx", Some("cx"), &[], "needs exactly one position in `select` for the axis `c`"),
        ];
        for (stored, axes, select, expected) in cases {
            assert_eq!(seen(stored, axes, select), Err(format!("the plan for `a` {expected}")), "{stored} {axes:?}");
        }
    }
}
