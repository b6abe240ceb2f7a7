--- @boss-api 1
--- Time series in multi-page TIFF files, one file per section, one page per time sample.
---
---   calcium/
---   ├── top.tif       section 0: page 0 is time sample 0, page 1 is time sample 1, …
---   └── bottom.tif    section 1
---
--- The tile is cut out of its page.
---
---   "path_processor": {
---     "class": "tiff_single_time",
---     "params": { "z_0": "calcium/top.tif", "z_1": "calcium/bottom.tif" }
---   },
---   "tile_processor": { "class": "tiff_single_time", "params": {} }
local series = {}

---@class TiffSingleTimeParams
---@field z_0? string  the file of section 0, `z_1` that of section 1, and so on; for the path processor
---@field fill? number  value where a page is smaller than the job's extent; without, that is an error
---@field datatype? "uint8"|"uint16"  word of the Python client; the channel's voxel type decides

---@param params TiffSingleTimeParams
---@param job boss.Job
function series.setup(params, job)
  for name in pairs(params) do
    if name ~= "datatype" and name ~= "fill" and not name:match("^z_%d+$") then
      log.warn("`" .. name .. "` is not known; there are `z_0`, `z_1` and so on, and `fill`")
    end
  end
  ---@type string?
  local datatype = params.datatype
  if datatype and datatype ~= "uint8" and datatype ~= "uint16" then
    error("`datatype` is `" .. tostring(datatype) .. "`; it must be `uint8` or `uint16`")
  end
  local size = job.tile_size or error("pages are read by tile jobs only")
  series.files, series.fill, series.extent = params, params.fill, job.extent
  series.columns = (job.extent.x[2] + size.x - 1) // size.x
  series.rows = (job.extent.y[2] + size.y - 1) // size.y
end

local function check(at)
  local z, t = series.extent.z, series.extent.t
  if at.z < z[1] or at.z >= z[2] then
    error("section z " .. at.z .. " is outside of the job's extent")
  elseif at.t < t[1] or at.t >= t[2] then
    error("time sample t " .. at.t .. " is outside of the job's extent")
  elseif at.x < 0 or at.x >= series.columns or at.y < 0 or at.y >= series.rows then
    error("tile x " .. at.x .. ", y " .. at.y .. " is outside of the job's extent")
  end
end

---@param at boss.Index
---@return string
function series.path(at)
  check(at)
  return series.files["z_" .. at.z] or error("there is no parameter `z_" .. at.z .. "`, the file of section " .. at.z)
end

---@param at boss.Index
---@return boss.Plan
function series.tile(at)
  return { page = at.t, region = at.region, fill = series.fill }
end

return series
