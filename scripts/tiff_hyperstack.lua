--- @boss-api 1
--- Time series in ImageJ hyperstacks, several time samples to a file, all sections and channels of a sample in it.
---
---   imaging/
---   ├── scan_0000.tif    time samples 0 to 99 (`time_chunk_size` is 100)
---   └── scan_0001.tif    time samples 100 to 199
---
--- In a file the channel of a page changes fastest, then the section, then the time sample. In `base_filename` the
--- number is that of the file: `<>` as it is, `<p:4>` in four digits, `<o:200>` plus 200, `<o:200p:4>` both.
---
---   "path_processor": {
---     "class": "tiff_hyperstack",
---     "params": {
---       "root_dir": "imaging", "base_filename": "scan_<p:4>", "extension": "tif", "time_chunk_size": 100
---     }
---   },
---   "tile_processor": {
---     "class": "tiff_hyperstack",
---     "params": { "time_chunk_size": 100, "num_z_slices": 12, "num_channels": 2, "channel_index": 0 }
---   }
local stack = {}

---@class TiffHyperstackParams
---@field time_chunk_size integer|string  time samples of a file
---@field root_dir? string  folder of the files; for the path processor
---@field base_filename? string  pattern of the file name, without the extension; for the path processor
---@field extension? string  "tif" unless given
---@field num_z_slices? integer  sections of a time sample; 1 unless given
---@field num_channels? integer  channels of a section; 1 unless given
---@field channel_index? integer  the channel to upload, counted from 0; 0 unless given
---@field fill? number  value where a page is smaller than the job's extent; without, that is an error
---@field filesystem? "local"|"s3"|"s3_copy"  of the Python client: where the files lie
---@field bucket? string  of the Python client: the bucket of the files in S3
---@field temp_dir? string  of the Python client; nothing is copied

stack.params = {
  time_chunk_size = "any?",
  root_dir = "string?",
  base_filename = "string?",
  extension = { type = "string", default = "tif" },
  num_z_slices = { type = "any", default = 1 },
  num_channels = { type = "any", default = 1 },
  channel_index = { type = "any", default = 0 },
  fill = "number?",
  -- Words of the Python client.
  filesystem = { type = "string?", one_of = { "local", "s3", "s3_copy" } },
  bucket = "string?",
  temp_dir = "string?",
}

---@param params TiffHyperstackParams
---@param job boss.Job
function stack.setup(params, job)
  ---@param name string
  ---@param least integer
  ---@return integer
  local function count(name, least)
    local number = math.tointeger(tonumber(params[name]))
    if not number or number < least then
      error("`" .. name .. "` is " .. tostring(params[name]) .. "; it must be an integer of at least " .. least)
    end
    return number
  end
  stack.times = count("time_chunk_size", 1)
  if job.slot == "path_processor" then
    stack.root_dir = params.root_dir or error("`root_dir` is needed to find the files")
    local name = params.base_filename or error("`base_filename` is needed to find the files")
    stack.pattern = name .. "." .. params.extension
    template.expand(stack.pattern, 0, { x = 0, y = 0, z = 0 })
    return
  end
  stack.sections, stack.channels = count("num_z_slices", 1), count("num_channels", 1)
  stack.channel, stack.fill, stack.prefix = count("channel_index", 0), params.fill, ""
  if stack.channel >= stack.channels then
    error("`channel_index` " .. stack.channel .. " counts from 0, so it must be below `num_channels`")
  elseif params.filesystem == "s3" or params.filesystem == "s3_copy" then
    stack.prefix = "s3://" .. (params.bucket or error("`filesystem` is s3, so `bucket` is needed")) .. "/"
  end
end

---@param at boss.Index
---@return string
function stack.path(at)
  return path.join(stack.root_dir, template.expand(stack.pattern, at.t // stack.times, at))
end

---@param at boss.Index
---@return boss.Plan?, string?
function stack.tile(at)
  if at.z >= stack.sections then
    error("there is no section z " .. at.z .. ", `num_z_slices` is " .. stack.sections)
  end
  local file, reason = boss.path()
  if not file then
    return nil, reason
  end
  local page = ((at.t % stack.times) * stack.sections + at.z) * stack.channels + stack.channel
  return { path = stack.prefix .. file, page = page, region = at.region, fill = stack.fill }
end

return stack
