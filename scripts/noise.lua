--- @boss-api 1
--- Noise in place of data, for load tests: nothing compresses it. The same place has the same values each time.
---
---   uint8 voxels are 1 to 253, other types use their full range
---
---   "path_processor": { "class": "noise", "params": {} },
---   "tile_processor": { "class": "noise", "params": { "dtype": "uint8" } }
local noise = {}

---@class NoiseParams
---@field dtype? string  voxel type of the noise, best the channel's; "uint8" unless given
---@field encode? "png"|"tiff"  format of the uploaded tile; PNG up to 16 bits, else TIFF, unless given

noise.params = {
  dtype = { type = "string", default = "uint8" },
  encode = { type = "string?", one_of = { "png", "tiff" } },
}

---@param params NoiseParams
function noise.setup(params)
  noise.source, noise.encode = "noise://" .. params.dtype, params.encode
end

--- The plans name the noise themselves.
---@return string
function noise.path()
  return ""
end

---@param at boss.Index
---@return boss.Plan
function noise.tile(at)
  return { path = noise.source, region = at.region, encode = noise.encode }
end

noise.chunk = noise.tile

return noise
