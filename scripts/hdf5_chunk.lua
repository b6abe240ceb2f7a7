--- @boss-api 1
--- A volume cut into HDF5 files that have their ranges in their names, the data set with the axes z, y, x.
---
---   volume/
---   ├── em_0-512_0-512_0-260.h5         x, y, z ranges of tile column 0, row 0, sections 0 to 259
---   ├── em_512-1024_0-512_0-260.h5      tile column 1
---   └── em_0-512_0-512_260-520.h5       sections 260 to 519
---
--- A plane of a file is a tile: `x_chunk_size` and `y_chunk_size` are the job's tile size. With `use_python_convention`
--- ranges stop behind the last voxel, without it at it (`0-511`). The offsets are added to the numbers in the names.
---
---   "path_processor": {
---     "class": "hdf5_chunk",
---     "params": {
---       "root_dir": "volume", "prefix": "em", "extension": "h5", "use_python_convention": true,
---       "x_chunk_size": 512, "y_chunk_size": 512, "z_chunk_size": 260
---     }
---   },
---   "tile_processor": { "class": "hdf5_chunk", "params": { "data_name": "main", "z_chunk_size": 260 } }
local chunk = {}

---@class Hdf5ChunkParams
---@field z_chunk_size integer  sections of a file
---@field x_chunk_size? integer  width of a file's planes; for the path processor
---@field y_chunk_size? integer  height of a file's planes; for the path processor
---@field root_dir? string  folder of the files; for the path processor
---@field prefix? string  what the names begin with, before `_`; for the path processor
---@field extension? string  "h5" unless given
---@field x_offset? integer  0 unless given
---@field y_offset? integer  0 unless given
---@field z_offset? integer  0 unless given
---@field use_python_convention? boolean  whether ranges stop behind their last voxel; true unless given
---@field data_name? string  data set in the files; for the tile processor
---@field missing? "error"|"fill"  what a file that is not there means; "error" unless given
---@field datatype? "uint8"|"uint16"|"uint32"  of the Python client; the channel's voxel type decides
---@field upload_format? string  of the Python client: the image format of the tiles
---@field filesystem? "local"|"s3"|"s3_copy"  of the Python client: where the files lie
---@field bucket? string  of the Python client: the bucket of the files in S3
---@field temp_dir? string  of the Python client; nothing is copied

chunk.params = {
  z_chunk_size = "integer",
  x_chunk_size = "integer?",
  y_chunk_size = "integer?",
  root_dir = "string?",
  prefix = "string?",
  extension = { type = "string", default = "h5" },
  x_offset = { type = "integer", default = 0 },
  y_offset = { type = "integer", default = 0 },
  z_offset = { type = "integer", default = 0 },
  use_python_convention = { type = "boolean", default = true },
  data_name = "string?",
  missing = { type = "string", default = "error", one_of = { "error", "fill" } },
  -- Words of the Python client; the channel's voxel type decides.
  datatype = { type = "string?", one_of = { "uint8", "uint16", "uint32" } },
  upload_format = "string?",
  filesystem = { type = "string?", one_of = { "local", "s3", "s3_copy" } },
  bucket = "string?",
  temp_dir = "string?",
}

---@param params Hdf5ChunkParams
---@param job boss.Job
function chunk.setup(params, job)
  chunk.given, chunk.prefix = params, ""
  local is_path = job.slot == "path_processor"
  local needed = is_path and { "root_dir", "prefix", "x_chunk_size", "y_chunk_size" } or { "data_name" }
  chunk.root_dir = params.root_dir or ""
  for _, name in ipairs(needed) do
    if not params[name] then
      error("`" .. name .. "` is needed to find the data")
    end
  end
  if params.z_chunk_size < 1 then
    error("`z_chunk_size` is " .. params.z_chunk_size .. "; it must be at least 1")
  end
  chunk.encode = params.upload_format and params.upload_format:lower():match("^tiff?$") and "tiff"
  if params.filesystem == "s3" or params.filesystem == "s3_copy" then
    chunk.prefix = "s3://" .. (params.bucket or error("`filesystem` is s3, so `bucket` is needed")) .. "/"
  end
end

---@param at boss.Index
---@return string
function chunk.path(at)
  local given = chunk.given
  local function range(index, size, offset)
    local start = index * size + offset
    return ("%d-%d"):format(start, start + size - (given.use_python_convention and 0 or 1))
  end
  local name = table.concat({
    given.prefix,
    range(at.x, given.x_chunk_size, given.x_offset),
    range(at.y, given.y_chunk_size, given.y_offset),
    range(at.z // given.z_chunk_size, given.z_chunk_size, given.z_offset),
  }, "_")
  return path.join(chunk.root_dir, name .. "." .. given.extension)
end

---@param at boss.Index
---@return boss.Plan?, string?
function chunk.tile(at)
  local file, reason = boss.path()
  if not file then
    return nil, reason
  end
  return {
    path = chunk.prefix .. file,
    dataset = chunk.given.data_name,
    axes = "zyx",
    select = { z = at.z % chunk.given.z_chunk_size },
    region = "whole",
    missing = chunk.given.missing,
    encode = chunk.encode,
  }
end

return chunk
