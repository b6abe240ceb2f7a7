--- @boss-api 1
--- Tiles or chunks copied from a channel that is in a Boss already.
---
---   bossdb://kasthuri2015/ac4/em    `uri`: collection, experiment, channel
---
--- The offsets are added to the positions: with `"x_offset": 512` the new channel's x 0 is the old one's x 512. Chunks
--- have only what lies in the job's extent. The token is the one that the job itself is uploaded with.
---
---   "path_processor": { "class": "boss_cutout", "params": {} },
---   "chunk_processor": { "class": "boss_cutout", "params": { "uri": "bossdb://kasthuri2015/ac4/em" } }
local cutout = {}

---@class BossCutoutParams
---@field uri? string  the channel; or `collection`, `experiment` and `channel`; for the tile or chunk processor
---@field resolution? integer  0 unless given
---@field x_offset? integer  0 unless given
---@field y_offset? integer  0 unless given
---@field z_offset? integer  0 unless given
---@field host? string  the Boss of the old channel; that of the job unless given
---@field protocol? "http"|"https"  of `host`; "https" unless given
---@field fill? number  value outside of the old channel, inside the job's extent; without, that is an error
---@field x_tile? integer  of the Python client: the width of a tile, as the job says it
---@field y_tile? integer  of the Python client: the height of a tile, as the job says it
---@field token? string  of the Python client; not used

cutout.params = {
  uri = "string?",
  collection = "string?",
  experiment = "string?",
  channel = "string?",
  resolution = { type = "integer", default = 0 },
  x_offset = { type = "integer", default = 0 },
  y_offset = { type = "integer", default = 0 },
  z_offset = { type = "integer", default = 0 },
  host = "string?",
  protocol = { type = "string", default = "https", one_of = { "http", "https" } },
  fill = "number?",
  -- Words of the Python client.
  x_tile = "integer?",
  y_tile = "integer?",
  token = "string?",
}

---@param params BossCutoutParams
---@param job boss.Job
function cutout.setup(params, job)
  if job.slot == "path_processor" then
    return
  end
  local function name(part)
    return params[part] or error("`uri`, or `collection`, `experiment` and `channel`, are needed to find the data")
  end
  cutout.source = params.uri or "bossdb://" .. name("collection") .. "/" .. name("experiment") .. "/" .. name("channel")
  if params.host then
    cutout.source = cutout.source .. "?host=" .. params.host .. "&protocol=" .. params.protocol
  end
  if params.token then
    log.warn("the `token` of `" .. job.slot .. "` is not used; the one that uploads the job reads the channel too")
  end
  local width, height = params.x_tile or job.task_size.x, params.y_tile or job.task_size.y
  if width ~= job.task_size.x or height ~= job.task_size.y then
    error("`x_tile` and `y_tile` are " .. width .. " and " .. height .. ", unlike the job's tiles; leave them out")
  end
  cutout.level, cutout.fill, cutout.extent = params.resolution, params.fill, job.extent
  cutout.offset = { x = params.x_offset or 0, y = params.y_offset or 0, z = params.z_offset or 0 }
end

--- The plans name the channel themselves.
---@return string
function cutout.path()
  return ""
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
function cutout.tile(at)
  local box, by = at.region, cutout.offset
  local region = { x = moved(box.x, by.x), y = moved(box.y, by.y), z = moved(box.z, by.z) }
  if region.z[1] < 0 then
    return { path = "zeros://uint8", region = box }
  end
  return { path = cutout.source, level = cutout.level, region = region, fill = cutout.fill }
end

--- The part of a chunk's range that lies in the extent.
---@param range boss.Range
---@param extent boss.Range
---@return boss.Range
local function inside(range, extent)
  local first = range[1] > extent[1] and range[1] or extent[1]
  local stop = range[2] < extent[2] and range[2] or extent[2]
  return { first, stop > first and stop or first }
end

---@param at boss.Index
---@return boss.PlanObject
function cutout.chunk(at)
  local box, by, extent = at.region, cutout.offset, cutout.extent
  local x, y, z = inside(box.x, extent.x), inside(box.y, extent.y), inside(box.z, extent.z)
  return boss
    .open(cutout.source, { level = cutout.level, fill = cutout.fill })
    :crop({ x = moved(x, by.x), y = moved(y, by.y), z = moved(z, by.z) })
    :crop({ x = moved(box.x, -x[1]), y = moved(box.y, -y[1]), z = moved(box.z, -z[1]) })
end

return cutout
