--- @boss-api 1
--- Tiles from a CATMAID tile server, or from any server with one image per tile.
---
---   https://images.example/stack/    `url`
---   └── 117/                         z
---       └── 3/                       row of the tile, y
---           └── 5.png                column, x
---
--- The images are as large as the job's tiles. Such servers leave out empty tiles: `"missing": "fill"` uploads zeros
--- for them. The offsets are added to the indices.
---
---   "path_processor": { "class": "catmaid_url", "params": {} },
---   "tile_processor": {
---     "class": "catmaid_url",
---     "params": { "url": "https://images.example/stack/", "filetype": "png", "missing": "fill" }
---   }
local catmaid = {}

---@class CatmaidUrlParams
---@field url? string  all before the section, with the last `/`; for the tile processor
---@field filetype? string  extension of the images, such as "png"; for the tile processor
---@field x_offset? integer  tiles added to x; 0 unless given
---@field y_offset? integer  tiles added to y; 0 unless given
---@field z_offset? integer  sections added to z; 0 unless given
---@field missing? "error"|"fill"  what an image that is not there means; "error" unless given
---@field ignore_xy_offsets? boolean  false unless given; true for the Python client's class, which never added them
---@field x_tile? integer  of the Python client; the job's tile size decides
---@field y_tile? integer  of the Python client; the job's tile size decides
---@field root_dir? string  of the Python client; not used

catmaid.params = {
  url = "string?",
  filetype = "string?",
  x_offset = { type = "integer", default = 0 },
  y_offset = { type = "integer", default = 0 },
  z_offset = { type = "integer", default = 0 },
  missing = { type = "string", default = "error", one_of = { "error", "fill" } },
  -- Words of the Python client. It never added x_offset and y_offset, so its jobs find their tiles without them.
  ignore_xy_offsets = { type = "boolean", default = false },
  x_tile = "integer?",
  y_tile = "integer?",
  root_dir = "string?",
}

---@param params CatmaidUrlParams
---@param job boss.Job
function catmaid.setup(params, job)
  if job.slot == "path_processor" then
    return
  end
  catmaid.url = params.url or error("`url` is needed to find the images")
  catmaid.filetype = params.filetype or error("`filetype` is needed to find the images")
  catmaid.missing = params.missing
  local offset = { x = params.x_offset or 0, y = params.y_offset or 0, z = params.z_offset or 0 }
  if params.ignore_xy_offsets and (offset.x ~= 0 or offset.y ~= 0) then
    log.warn("`x_offset` and `y_offset` are not added, as the Python client never did; `catmaid_url` adds them")
    offset.x, offset.y = 0, 0
  end
  catmaid.offset = offset
end

--- The plans name their URLs themselves.
---@return string
function catmaid.path()
  return ""
end

---@param at boss.Index
---@return boss.Plan
function catmaid.tile(at)
  local offset = catmaid.offset
  local x, y, z = at.x + offset.x, at.y + offset.y, at.z + offset.z
  if x < 0 or y < 0 or z < 0 then
    return { path = "zeros://uint8", region = at.region }
  end
  local url = ("%s%d/%d/%d.%s"):format(catmaid.url, z, y, x, catmaid.filetype)
  return { path = url, region = "whole", page = 0, missing = catmaid.missing }
end

return catmaid
