--- @boss-api 1
--- A tile out of a 2D image: the part of the image that lies under the tile.
---
--- The image is a whole section, in which the tile's own place is cut out (`region = "task"`), or it is the tile
--- itself (`region = "whole"`). Which file it is, the path processor says.
local image = {}

---@class ImageParams
---@field region? "task"|"whole"  "task" unless given
---@field page? integer  page of a file with several, counted from 0; 0 unless given
---@field missing? "error"|"fill"  what a file that is not there means; "error" unless given
---@field encode? "png"|"tiff"  format of the uploaded tile; PNG up to 16 bits, else TIFF, unless given
image.params = {
  region = { type = "string", default = "task", one_of = { "task", "whole" } },
  page = { type = "integer", default = 0 },
  missing = { type = "string", default = "error", one_of = { "error", "fill" } },
  encode = { type = "string?", one_of = { "png", "tiff" } },
  -- Words of the Python client's ZindexStackTileProcessor.
  extension = "string?",
  filesystem = { type = "string?", one_of = { "local", "s3", "s3_copy" } },
  bucket = "string?",
  fail_gracefully = "boolean?",
}

-- `jpg` is left out: a JPEG that is the tile already goes through as it is, and others would lose by being encoded.
local encodings = { png = "png", tif = "tiff", tiff = "tiff" }

---@param params ImageParams
function image.setup(params)
  image.region = params.region
  image.page = params.page
  image.missing = params.fail_gracefully and "fill" or params.missing
  image.encode = params.encode or encodings[params.extension and params.extension:lower()]
  if params.filesystem == "s3" or params.filesystem == "s3_copy" then
    image.prefix = "s3://" .. (params.bucket or error("`filesystem` is s3, so `bucket` is needed")) .. "/"
  end
end

---@param at boss.Index
---@return boss.Plan?, string?
function image.tile(at)
  local plan = { page = image.page, missing = image.missing, encode = image.encode }
  plan.region = image.region == "whole" and "whole" or at.region
  if image.prefix then
    local key, reason = boss.path({})
    if not key then
      return nil, reason
    end
    plan.path = image.prefix .. key
  end
  return plan
end

return image
