--- @boss-api 1
--- Labels that belong to a time series: HDF5 files, one per section, the data set with the axes x, y.
---
---   imaging/
---   ├── plane_01.h5      section 0
---   │   └── labels       data set [x, y], the same at all times
---   └── plane_02.h5      section 1
---
--- The path processor is that of the time series.
---
---   "path_processor": {
---     "class": "hdf5_time_series",
---     "params": { "root_dir": "imaging", "base_filename": "plane_<o:1p:2>", "extension": "h5" }
---   },
---   "tile_processor": { "class": "hdf5_labels", "params": { "dataset": "labels" } }
local labels = {}

---@class Hdf5LabelsParams
---@field dataset string  name of the data set, such as "img/labels"
---@field fill? number  value where the data set is smaller than the job's extent; without, that is an error
---@field upload_format? string  of the Python client: the image format of the tiles
---@field filesystem? "local"|"s3"|"s3_copy"  of the Python client: where the files lie
---@field bucket? string  of the Python client: the bucket of the files in S3
---@field temp_dir? string  of the Python client; nothing is copied

labels.params = {
  dataset = "string",
  fill = "number?",
  -- Words of the Python client. PNG would cut labels off at 16 bits; they go as what holds the channel's voxels.
  upload_format = "string?",
  filesystem = { type = "string?", one_of = { "local", "s3", "s3_copy" } },
  bucket = "string?",
  temp_dir = "string?",
}

---@param params Hdf5LabelsParams
function labels.setup(params)
  labels.dataset, labels.fill, labels.prefix = params.dataset, params.fill, ""
  if params.filesystem == "s3" or params.filesystem == "s3_copy" then
    labels.prefix = "s3://" .. (params.bucket or error("`filesystem` is s3, so `bucket` is needed")) .. "/"
  end
end

---@param at boss.Index
---@return boss.Plan?, string?
function labels.tile(at)
  local file, reason = boss.path()
  if not file then
    return nil, reason
  end
  file = labels.prefix .. file
  return { path = file, dataset = labels.dataset, axes = "xy", region = at.region, fill = labels.fill }
end

return labels
