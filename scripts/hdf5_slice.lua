--- @boss-api 1
--- Sections in HDF5 files that say themselves where they lie: one file per section, an image with offset and extent.
---
---   sections/
---   ├── s0000.h5
---   │   ├── image     data set [y, x]
---   │   ├── offset    [y, x] of the image's first voxel
---   │   └── extent    [y, x], the image's height and width
---   └── s0001.h5
---
--- The origins are added to the offset. Outside of the image the tile is 0.
---
---   "path_processor": {
---     "class": "z_stack",
---     "params": { "root_dir": "sections", "base_filename": "s<p:4>", "extension": "h5" }
---   },
---   "tile_processor": {
---     "class": "hdf5_slice",
---     "params": { "data_name": "image", "offset_name": "offset", "extent_name": "extent" }
---   }
local slice = {}

---@class Hdf5SliceParams
---@field data_name string  data set of the image
---@field offset_name string  data set of its offset
---@field extent_name string  data set of its extent
---@field offset_origin_x? integer  voxels from x 0 of the job to x 0 of the offsets; 0 unless given
---@field offset_origin_y? integer  the same for y; 0 unless given
---@field datatype? "uint8"|"uint16"  of the Python client; the channel's voxel type decides
---@field upload_format? string  of the Python client: the image format of the tiles
---@field filesystem? "local"|"s3"|"s3_copy"  of the Python client: where the files lie
---@field bucket? string  of the Python client: the bucket of the files in S3
---@field temp_dir? string  of the Python client; nothing is copied

slice.params = {
  data_name = "string",
  offset_name = "string",
  extent_name = "string",
  offset_origin_x = { type = "integer", default = 0 },
  offset_origin_y = { type = "integer", default = 0 },
  -- Words of the Python client; the channel's voxel type decides.
  datatype = { type = "string?", one_of = { "uint8", "uint16" } },
  upload_format = "string?",
  filesystem = { type = "string?", one_of = { "local", "s3", "s3_copy" } },
  bucket = "string?",
  temp_dir = "string?",
}

---@param params Hdf5SliceParams
function slice.setup(params)
  slice.given, slice.prefix = params, ""
  slice.encode = params.upload_format and params.upload_format:lower():match("^tiff?$") and "tiff"
  if params.filesystem == "s3" or params.filesystem == "s3_copy" then
    slice.prefix = "s3://" .. (params.bucket or error("`filesystem` is s3, so `bucket` is needed")) .. "/"
  end
end

--- The two integers of a small data set: of y, then of x.
---@param file string
---@param dataset string
---@return integer y
---@return integer x
local function pair(file, dataset)
  local values = boss.scalars(file, dataset)
  local y, x = math.tointeger(values[1]), math.tointeger(values[2])
  if not y or not x or values[3] then
    error("`" .. dataset .. "` of `" .. file .. "` must be two integers, of y and of x")
  end
  return y, x
end

---@param at boss.Index
---@return boss.PlanObject?, string?
function slice.tile(at)
  local file, reason = boss.path()
  if not file then
    return nil, reason
  end
  file = slice.prefix .. file
  local top, left = pair(file, slice.given.offset_name)
  local height, width = pair(file, slice.given.extent_name)
  left, top = left + (slice.given.offset_origin_x or 0), top + (slice.given.offset_origin_y or 0)
  local x, y = at.region.x, at.region.y
  return boss
    .open(file, { dataset = slice.given.data_name, axes = "yx", encode = slice.encode })
    :crop({ x = { 0, width }, y = { 0, height }, z = { 0, 1 } })
    :crop({ x = { x[1] - left, x[2] - left }, y = { y[1] - top, y[2] - top }, z = { 0, 1 } })
    :pad(0)
end

return slice
