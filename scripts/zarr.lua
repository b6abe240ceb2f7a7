--- @boss-api 1
--- Chunks out of a Zarr array with the axes z, y, x.
---
---   s3://bucket/em.zarr/    `cloud_path`, a group; a local folder will do
---   └── volumes/raw/        `volume_name`, an array [z, y, x]
---
--- Axes of length 1 before z are left out. Parts that the array does not have are its own fill value.
---
---   "path_processor": { "class": "zarr", "params": {} },
---   "chunk_processor": {
---     "class": "zarr",
---     "params": { "cloud_path": "s3://bucket/em.zarr", "volume_name": "volumes/raw" }
---   }
local zarr = {}

---@class ZarrParams
---@field cloud_path? string  folder or URL of the group; for the chunk processor
---@field volume_name? string  the array in the group; for the chunk processor
---@field fill? number  value outside of the array, inside the job's extent; without, that is an error

zarr.params = {
  cloud_path = "string?",
  volume_name = "string?",
  fill = "number?",
}

---@param params ZarrParams
---@param job boss.Job
function zarr.setup(params, job)
  if job.slot == "chunk_processor" then
    zarr.source = params.cloud_path or error("`cloud_path` is needed to find the array")
    zarr.dataset = params.volume_name or error("`volume_name` is needed to find the array")
    zarr.fill = params.fill
  end
end

--- The plans name the array themselves.
---@return string
function zarr.path()
  return ""
end

---@param at boss.Index
---@return boss.Plan
function zarr.chunk(at)
  return { path = zarr.source, format = "zarr", dataset = zarr.dataset, region = at.region, fill = zarr.fill }
end

return zarr
