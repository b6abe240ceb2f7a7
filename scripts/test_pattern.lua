--- @boss-api 1
--- A pattern in place of data, for trying out a job, a Boss or a network: no files are needed.
---
---   voxel at (x, y, z) = x + 7 · y + 101 · z, in the low bits of the voxel type
---
--- Swapped axes and misplaced tiles show in it.
---
---   "path_processor": { "class": "test_pattern", "params": { "dtype": "uint16" } },
---   "tile_processor": { "class": "test_pattern", "params": {} }
local pattern = {}

---@class TestPatternParams
---@field dtype? string  voxel type of the pattern, best the channel's; "uint8" unless given; for the path processor

pattern.params = {
  dtype = { type = "string", default = "uint8" },
}

---@param params TestPatternParams
function pattern.setup(params)
  pattern.source = "pattern://" .. params.dtype
end

---@return string
function pattern.path()
  return pattern.source
end

--- The pattern at the task's place; where the path processor names a file, the file is the tile.
---@param at boss.Index
---@return boss.Plan?, string?
function pattern.tile(at)
  local source, reason = boss.path()
  if not source then
    return nil, reason
  end
  return { path = source, region = source:match("^pattern://") and at.region or "whole" }
end

pattern.chunk = pattern.tile

return pattern
