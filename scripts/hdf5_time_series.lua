--- @boss-api 1
--- Time series in HDF5 files, one file per section, its data set with the axes t, x, y, c.
---
---   imaging/
---   ├── plane_01.h5      section 0
---   │   └── aligned      data set [t, x, y, c]
---   └── plane_02.h5      section 1
---
--- Values are multiplied by `scale_factor` and lose what is behind the point; those that the channel's voxel type
--- cannot hold become the nearest that it can. In `base_filename` the number is z: `<>` as it is, `<p:4>` in four
--- digits, `<o:1>` plus 1, `<o:1p:4>` both.
---
---   "path_processor": {
---     "class": "hdf5_time_series",
---     "params": { "root_dir": "imaging", "base_filename": "plane_<o:1p:2>", "extension": "h5" }
---   },
---   "tile_processor": {
---     "class": "hdf5_time_series",
---     "params": { "dataset": "aligned", "channel_index": 0, "scale_factor": 1.0 }
---   }
local series = {}

---@class Hdf5TimeSeriesParams
---@field root_dir? string  folder of the files; for the path processor
---@field base_filename? string  pattern of the file name, without the extension; for the path processor
---@field extension? string  "h5" unless given
---@field dataset? string  name of the data set, such as "img/raw"; for the tile processor
---@field channel_index? integer|string  the channel to upload, counted from 0; 0 unless given
---@field scale_factor? number  1 unless given
---@field fill? number  value where the data set is smaller than the job's extent; without, that is an error
---@field upload_format? string  of the Python client: the image format of the tiles
---@field filesystem? "local"|"s3"|"s3_copy"  of the Python client: where the files lie
---@field bucket? string  of the Python client: the bucket of the files in S3
---@field temp_dir? string  of the Python client; nothing is copied

series.params = {
  root_dir = "string?",
  base_filename = "string?",
  extension = { type = "string", default = "h5" },
  dataset = "string?",
  channel_index = { type = "any", default = 0 },
  scale_factor = { type = "number", default = 1 },
  fill = "number?",
  -- Words of the Python client.
  upload_format = "string?",
  filesystem = { type = "string?", one_of = { "local", "s3", "s3_copy" } },
  bucket = "string?",
  temp_dir = "string?",
}

---@param params Hdf5TimeSeriesParams
---@param job boss.Job
function series.setup(params, job)
  if job.slot == "path_processor" then
    series.root_dir = params.root_dir or error("`root_dir` is needed to find the files")
    local name = params.base_filename or error("`base_filename` is needed to find the files")
    series.pattern = name .. "." .. params.extension
    series.first, series.stop = job.extent.z[1], job.extent.z[2]
    template.expand(series.pattern, 0, { x = 0, y = 0, z = 0 })
    return
  end
  series.dataset = params.dataset or error("`dataset` is needed to find the data")
  series.channel = math.tointeger(tonumber(params.channel_index))
    or error("`channel_index` is " .. tostring(params.channel_index) .. "; it must be an integer")
  series.scale, series.fill, series.prefix = params.scale_factor, params.fill, ""
  series.encode = params.upload_format and params.upload_format:lower():match("^tiff?$") and "tiff"
  if params.filesystem == "s3" or params.filesystem == "s3_copy" then
    series.prefix = "s3://" .. (params.bucket or error("`filesystem` is s3, so `bucket` is needed")) .. "/"
  end
end

---@param at boss.Index
---@return string
function series.path(at)
  if at.z < series.first or at.z >= series.stop then
    error("section z " .. at.z .. " is outside of the job's extent")
  end
  return path.join(series.root_dir, template.expand(series.pattern, at.z, at))
end

---@param at boss.Index
---@return boss.Plan?, string?
function series.tile(at)
  local file, reason = boss.path()
  if not file then
    return nil, reason
  end
  return {
    path = series.prefix .. file,
    dataset = series.dataset,
    axes = "txyc",
    select = { t = at.t, c = series.channel },
    region = at.region,
    -- `saturate` rounds to the nearest integer, halves upwards: 0.5 less cuts the fraction off instead.
    scale = series.scale,
    offset = -0.5,
    cast = "saturate",
    fill = series.fill,
    encode = series.encode,
  }
end

return series
