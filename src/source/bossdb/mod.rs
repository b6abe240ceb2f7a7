//! Channels of a Boss, as `bossdb://collection/experiment/channel` names them, through its cutout service.
//!
//! **Reads** image and annotation channels at every resolution: `level` is the resolution. **Axes**: `zyx`, or `tzyx` where the
//! experiment has several time samples. **Regions**: positions are the coordinate frame's; cutouts of a cuboid, cut at the
//! frame's ends, are asked for, several at once, and kept for the next task. `docs/sources/bossdb.md` tells what is not
//! covered. **Specification**: <https://github.com/jhuapl-boss/boss>.

mod channel;
mod reader;
#[cfg(test)]
mod tests;

pub(super) use reader::{Bossdb, WIDTH};

/// The format's name.
const FORMAT: &str = "bossdb";

/// What breaks the Boss's rules, in words.
type Flaw = Box<dyn std::error::Error + Send + Sync>;
