--- @boss-api 1
--- Tiles or chunks out of one 3D source: a multi-page TIFF, or any other volume that can be read.
---
---   em.tif    page 0 is section 0, page 1 is section 1, …
---
--- The offsets are added to the channel's positions: with `"z_offset": 10` the channel's section 0 is section 10 of the
--- source. Where `axes` names `t`, a tile takes the position of its own time sample.
---
---   "path_processor": { "class": "volume", "params": { "path": "em.tif" } },
---   "chunk_processor": { "class": "volume", "params": {} }
local volume = {}

---@class VolumeParams
---@field path? string  file, folder or URL; without, the path processor's answer
---@field format? string  such as "tiff"; told from the content unless given
---@field dataset? string  the array of a file or folder with several
---@field level? integer  level of detail; 0, the finest, unless given
---@field axes? string  the stored axes, slowest first, letters `x y z t c`; the format's own unless given
---@field select? table<string, integer>  fixed positions on axes, such as `{ "c": 1 }`
---@field x_offset? integer  0 unless given
---@field y_offset? integer  0 unless given
---@field z_offset? integer  0 unless given
---@field fill? number  value outside of the source, inside the job's extent; without, that is an error
---@field missing? "error"|"fill"  what a source that is not there means; "error" unless given
---@field cast? "exact"|"saturate"|"wrap"  how values come to the channel's voxel type; "exact" unless given
---@field range? boss.Contrast  values spread over the channel's, such as `[120, 4000]`

volume.params = {
  path = "string?",
  format = "string?",
  dataset = "string?",
  level = "integer?",
  axes = "string?",
  select = { type = "table", default = {} },
  x_offset = { type = "integer", default = 0 },
  y_offset = { type = "integer", default = 0 },
  z_offset = { type = "integer", default = 0 },
  fill = "number?",
  missing = { type = "string?", one_of = { "error", "fill" } },
  cast = { type = "string?", one_of = { "exact", "saturate", "wrap" } },
  range = "table?",
}

---@param params VolumeParams
function volume.setup(params)
  volume.given = params
  volume.offset = { x = params.x_offset or 0, y = params.y_offset or 0, z = params.z_offset or 0 }
end

---@return string
function volume.path()
  return volume.given.path or ""
end

--- A range moved by so many voxels.
---@param range boss.Range
---@param by integer
---@return boss.Range
local function moved(range, by)
  return { range[1] + by, range[2] + by }
end

---@param at boss.Index
---@return boss.Plan
function volume.tile(at)
  local given, box, by = volume.given, at.region, volume.offset
  local select = {}
  for axis, position in pairs(given.select or {}) do
    select[axis] = position
  end
  if given.axes and given.axes:find("t") then
    select.t = select.t or at.t
  end
  return {
    path = given.path,
    format = given.format,
    dataset = given.dataset,
    level = given.level,
    axes = given.axes,
    select = select,
    region = { x = moved(box.x, by.x), y = moved(box.y, by.y), z = moved(box.z, by.z) },
    fill = given.fill,
    missing = given.missing,
    cast = given.cast,
    range = given.range,
  }
end

volume.chunk = volume.tile

return volume
