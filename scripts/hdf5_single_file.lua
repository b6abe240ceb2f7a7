--- @boss-api 1
--- Tiles out of one HDF5 file that holds the whole volume, the data set with the axes z, y, x.
---
---   volume.h5
---   └── main/raw    data set [z, y, x]
---
--- The offsets are added to the channel's positions: with `"offset_x": 5` the channel's x 0 is the file's x 5. Outside
--- of the data set tiles are 0.
---
---   "path_processor": { "class": "hdf5_single_file", "params": { "filename": "volume.h5" } },
---   "tile_processor": { "class": "hdf5_single_file", "params": { "data_name": "main/raw" } }
local single = {}

---@class Hdf5SingleFileParams
---@field filename? string  the file; for the path processor
---@field data_name? string  data set in the file; for the tile processor
---@field offset_x? integer  0 unless given
---@field offset_y? integer  0 unless given
---@field offset_z? integer  0 unless given
---@field datatype? "uint8"|"uint16"|"uint32"  of the Python client; the channel's voxel type decides
---@field upload_format? string  of the Python client: the image format of the tiles
---@field filesystem? "local"|"s3"|"s3_copy"  of the Python client: where the files lie
---@field bucket? string  of the Python client: the bucket of the files in S3
---@field temp_dir? string  of the Python client; nothing is copied

single.params = {
  filename = "string?",
  data_name = "string?",
  offset_x = { type = "integer", default = 0 },
  offset_y = { type = "integer", default = 0 },
  offset_z = { type = "integer", default = 0 },
  -- Words of the Python client; the channel's voxel type decides.
  datatype = { type = "string?", one_of = { "uint8", "uint16", "uint32" } },
  upload_format = "string?",
  filesystem = { type = "string?", one_of = { "local", "s3", "s3_copy" } },
  bucket = "string?",
  temp_dir = "string?",
}

---@param params Hdf5SingleFileParams
---@param job boss.Job
function single.setup(params, job)
  if job.slot == "path_processor" then
    single.filename = params.filename or error("`filename` is needed to find the data")
    return
  end
  single.dataset = params.data_name or error("`data_name` is needed to find the data")
  single.offset = { x = params.offset_x or 0, y = params.offset_y or 0, z = params.offset_z or 0 }
  single.prefix = ""
  single.encode = params.upload_format and params.upload_format:lower():match("^tiff?$") and "tiff"
  if params.filesystem == "s3" or params.filesystem == "s3_copy" then
    single.prefix = "s3://" .. (params.bucket or error("`filesystem` is s3, so `bucket` is needed")) .. "/"
  end
end

---@return string
function single.path()
  return single.filename
end

--- A range moved by so many voxels.
---@param range boss.Range
---@param by integer
---@return boss.Range
local function moved(range, by)
  return { range[1] + by, range[2] + by }
end

---@param at boss.Index
---@return boss.Plan?, string?
function single.tile(at)
  local file, reason = boss.path()
  if not file then
    return nil, reason
  end
  local box, by = at.region, single.offset
  return {
    path = single.prefix .. file,
    dataset = single.dataset,
    axes = "zyx",
    region = { x = moved(box.x, by.x), y = moved(box.y, by.y), z = moved(box.z, by.z) },
    fill = 0,
    encode = single.encode,
  }
end

return single
