--- @boss-api 1
--- A stack with one image file per section.
---
--- The file name is a pattern with the number of the section: `<>` is z as it is, `<p:4>` z in four digits, `<o:200>` z
--- plus 200, `<o:200p:4>` both. `<x>`, `<y>` and `<z>` are the plain indices of a tile. Sections count from 0, so that
--- `s<o:1p:4>` begins with `s0001`.
---
---   sections/s0001.tif     z 0
---   sections/s0002.tif     z 1
---
---   "path_processor": { "class": "z_stack", "params": { "root_dir": "sections", "base_filename": "s<o:1p:4>" } },
---   "tile_processor": { "class": "image", "params": {} }
local z_stack = {}

---@class ZStackParams
---@field root_dir string  folder of the sections; "" for names that are paths already
---@field base_filename string  pattern of the file name, without the extension
---@field extension? string  "tif" unless given

z_stack.params = {
  root_dir = "string",
  base_filename = "string",
  extension = { type = "string", default = "tif" },
}

---@param params ZStackParams
---@param job boss.Job
function z_stack.setup(params, job)
  z_stack.root_dir = params.root_dir
  z_stack.pattern = params.base_filename .. "." .. params.extension
  z_stack.first, z_stack.stop = job.extent.z[1], job.extent.z[2]
  -- A slip in the pattern should show before the first tile does.
  template.expand(z_stack.pattern, 0, { x = 0, y = 0, z = 0 })
end

---@param at boss.Index
---@return string
function z_stack.path(at)
  if at.t ~= 0 then
    error("a stack of sections has no time sample " .. at.t .. ", only 0")
  elseif at.z < z_stack.first or at.z >= z_stack.stop then
    error("section z " .. at.z .. " is outside of the job's extent")
  end
  return path.join(z_stack.root_dir, template.expand(z_stack.pattern, at.z, at))
end

return z_stack
