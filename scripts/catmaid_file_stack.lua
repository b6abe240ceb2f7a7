--- @boss-api 1
--- Tiles in the folders of a CATMAID image stack, one file per tile.
---
---   layout        file                                CATMAID's tile source type
---   "file"        root/z/row_column_zoom.png          1
---   "zoom_level"  root/zoom/z/row_column.png          4
---   "directory"   root/zoom/z/row/column.png          5
---
--- The zoom level is the job's `resolution`. The files are as large as the job's tiles.
---
---   "path_processor": { "class": "catmaid_file_stack", "params": { "root_dir": "root", "filetype": "png" } },
---   "tile_processor": { "class": "catmaid_file_stack", "params": { "filetype": "png", "missing": "fill" } }
local catmaid = {}

---@class CatmaidFileStackParams
---@field root_dir? string  folder of the stack; for the path processor
---@field filetype string  extension of the files, such as "png"
---@field layout? "file"|"zoom_level"|"directory"  "file" unless given; for the path processor
---@field missing? "error"|"fill"  CATMAID leaves out empty tiles: "fill" uploads zeros for them

catmaid.params = {
  root_dir = "string?",
  filetype = "string",
  layout = { type = "string", default = "file", one_of = { "file", "zoom_level", "directory" } },
  missing = { type = "string", default = "error", one_of = { "error", "fill" } },
}

local names = {
  file = function(at, zoom)
    return ("%d/%d_%d_%d"):format(at.z, at.y, at.x, zoom)
  end,
  zoom_level = function(at, zoom)
    return ("%d/%d/%d_%d"):format(zoom, at.z, at.y, at.x)
  end,
  directory = function(at, zoom)
    return ("%d/%d/%d/%d"):format(zoom, at.z, at.y, at.x)
  end,
}

-- Others are left out: up to 16 bits go as PNG by themselves, and a JPEG that is the tile goes through as it is.
local encodings = { tif = "tiff", tiff = "tiff" }

---@param params CatmaidFileStackParams
---@param job boss.Job
function catmaid.setup(params, job)
  catmaid.missing = params.missing
  catmaid.encode = encodings[params.filetype:lower()]
  catmaid.zoom = job.resolution
  if job.slot == "path_processor" then
    catmaid.root = params.root_dir or error("`root_dir` is needed to find the files")
    catmaid.name = names[params.layout]
    catmaid.extension = "." .. params.filetype
    local size = job.tile_size or error("files of tiles serve tile jobs only")
    catmaid.columns = (job.extent.x[2] + size.x - 1) // size.x
    catmaid.rows = (job.extent.y[2] + size.y - 1) // size.y
    catmaid.first, catmaid.stop = job.extent.z[1], job.extent.z[2]
  end
end

local function check(at)
  if at.t ~= 0 then
    error("a CATMAID stack has no time sample " .. at.t .. ", only 0")
  elseif at.z < catmaid.first or at.z >= catmaid.stop then
    error("section z " .. at.z .. " is outside of the job's extent")
  elseif at.x < 0 or at.x >= catmaid.columns or at.y < 0 or at.y >= catmaid.rows then
    error("tile x " .. at.x .. ", y " .. at.y .. " is outside of the job's extent")
  end
end

---@param at boss.Index
---@return string
function catmaid.path(at)
  check(at)
  return path.join(catmaid.root, catmaid.name(at, catmaid.zoom) .. catmaid.extension)
end

---@return boss.Plan
function catmaid.tile()
  return { region = "whole", page = 0, missing = catmaid.missing, encode = catmaid.encode }
end

return catmaid
