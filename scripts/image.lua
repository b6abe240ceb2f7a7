--- @boss-api 1
--- A tile out of a 2D image: the part of the image that lies under the tile.
---
--- The image is a whole section, in which the tile's own place is cut out (`region = "task"`), or it is the tile
--- itself (`region = "whole"`). Which file it is, the path processor says.
---
---   sections/s0000.png     the whole section z 0, several tiles wide
---   sections/s0001.png
---
---   "path_processor": { "class": "z_stack", "params": {
---     "root_dir": "sections", "base_filename": "s<p:4>", "extension": "png" } },
---   "tile_processor": { "class": "image", "params": {} }
local image = {}

---@class ImageParams
---@field region? "task"|"whole"|"auto"  "auto" is "whole" where each tile has a file of its own; "task" unless given
---@field page? integer  page of a file with several, counted from 0; 0 unless given
---@field missing? "error"|"fill"  what a file that is not there means; "error" unless given
---@field fill? number  value where the image is smaller than the job's extent; without, that is an error
---@field range? boss.Contrast  values spread over the channel's, such as `[120, 4000]`
---@field encode? "png"|"tiff"  format of the uploaded tile; PNG up to 16 bits, else TIFF, unless given
---@field extension? string  of the Python client: the file's extension, which says how to encode
---@field filesystem? "local"|"s3"|"s3_copy"  of the Python client: where the files lie
---@field bucket? string  of the Python client: the bucket of the files in S3
---@field fail_gracefully? boolean  of the Python client: `missing = "fill"`

image.params = {
  region = { type = "string", default = "task", one_of = { "task", "whole", "auto" } },
  page = { type = "integer", default = 0 },
  missing = { type = "string", default = "error", one_of = { "error", "fill" } },
  fill = "number?",
  range = "table?",
  encode = { type = "string?", one_of = { "png", "tiff" } },
  -- Words of the Python client's ZindexStackTileProcessor.
  extension = "string?",
  filesystem = { type = "string?", one_of = { "local", "s3", "s3_copy" } },
  bucket = "string?",
  fail_gracefully = "boolean?",
}

-- Others are left out: up to 16 bits go as PNG by themselves, and a JPEG that is the tile goes through as it is.
local encodings = { tif = "tiff", tiff = "tiff" }

---@param params ImageParams
function image.setup(params)
  image.region = params.region
  image.page = params.page
  image.fill = params.fill
  image.range = params.range
  image.missing = params.fail_gracefully and "fill" or params.missing
  local extension = params.extension and params.extension:lower()
  image.encode = params.encode or encodings[extension]
  image.is_jpeg = extension == "jpg" or extension == "jpeg"
  -- The path processor then gives keys in the bucket.
  local is_s3 = params.filesystem == "s3" or params.filesystem == "s3_copy"
  local bucket = is_s3 and (params.bucket or error("`filesystem` is s3, so `bucket` is needed"))
  image.prefix = bucket and "s3://" .. bucket .. "/" or ""
end

--- Whether the path processor names another file for a neighbour of the tile, which it may refuse.
---@param at boss.Index
---@param file string
---@return boolean
local function has_own_file(at, file)
  local beside = { x = at.x + (at.x > 0 and -1 or 1), y = at.y + (at.y > 0 and -1 or 1) }
  local is_found, other = pcall(boss.path, beside)
  return is_found and other ~= file
end

---@param at boss.Index
---@return boss.Plan?, string?
function image.tile(at)
  local plan = { page = image.page, missing = image.missing, fill = image.fill, encode = image.encode }
  plan.range = image.range
  plan.region = image.region == "whole" and "whole" or at.region
  if image.prefix == "" and not image.is_jpeg and image.region ~= "auto" then
    return plan
  end
  local file, reason = boss.path()
  if not file then
    return nil, reason
  end
  if image.region == "auto" and has_own_file(at, file) then
    plan.region = "whole"
  end
  plan.path = image.prefix .. file
  if image.is_jpeg and boss.exists(plan.path) and boss.info(plan.path, { page = image.page }).dtype ~= "uint8" then
    error("`" .. plan.path .. "` has more than the 8 bits of a JPEG; set `extension` to `png` or `tif`")
  end
  return plan
end

return image
