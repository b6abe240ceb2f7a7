--- @boss-api 1
--- Chunks out of a Neuroglancer precomputed volume, as CloudVolume and Igneous write them.
---
---   gs://bucket/em/                    `cloudpath`
---   ├── info                           what the volume is, and its scales
---   ├── 4_4_40/                        scale 0, the finest
---   │   └── 0-64_0-64_0-16
---   └── 8_8_40/                        scale 1, `mip` 1
---
--- Positions are the volume's own at that scale, its voxel offset included.
---
---   "path_processor": { "class": "precomputed", "params": {} },
---   "chunk_processor": { "class": "precomputed", "params": { "cloudpath": "gs://bucket/em", "mip": 0 } }
local precomputed = {}

---@class PrecomputedParams
---@field cloudpath? string  folder or URL of the volume; for the chunk processor
---@field mip? integer  the scale, 0 is the finest; 0 unless given
---@field fill_missing? boolean  whether chunks that the volume does not have are zeros; false unless given
---@field fill? number  value outside of the volume, inside the job's extent; 0 unless given

local known = {
  cloudpath = "string?",
  mip = { type = "integer", default = 0 },
  fill_missing = { type = "boolean", default = false },
  fill = { type = "number", default = 0 },
}
precomputed.params = known

-- Other arguments of CloudVolume, which change nothing that is read.
local arguments = "agglomerate autocrop background_color bounded cache cache_locking cdn_cache codec_threads compress "
  .. "compress_cache compress_level delete_black_uploads green_threads info lru_bytes lru_encoding max_redirects "
  .. "mesh_dir non_aligned_writes parallel progress provenance secrets skel_dir spatial_index_db use_https"
for name in arguments:gmatch("%S+") do
  known[name] = "any?"
end

---@param params PrecomputedParams
---@param job boss.Job
function precomputed.setup(params, job)
  if job.slot == "path_processor" then
    return
  end
  for name in pairs(params) do
    if not known[name] then
      error("`" .. name .. "` is no argument of CloudVolume, and no parameter of `precomputed`")
    end
  end
  local cloudpath = params.cloudpath or error("`cloudpath` is needed to find the volume")
  precomputed.source = cloudpath:gsub("^precomputed://", "")
  precomputed.level, precomputed.fill = params.mip, params.fill
  precomputed.missing = params.fill_missing and "fill" or "error"
end

--- The plans name the volume themselves.
---@return string
function precomputed.path()
  return ""
end

---@param at boss.Index
---@return boss.Plan
function precomputed.chunk(at)
  return {
    path = precomputed.source,
    format = "precomputed",
    level = precomputed.level,
    region = at.region,
    fill = precomputed.fill,
    missing = precomputed.missing,
  }
end

return precomputed
