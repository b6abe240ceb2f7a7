--- @boss-api 1
--- A chunk of a volumetric job out of 2D images, one per section.
---
--- The path processor says which file holds a section. Sections outside of the job's extent are not asked for: they
--- stay 0.
---
---   sections/s0000.png     the section z 0, at least as large as the job's extent
---   sections/s0001.png
---
---   "path_processor": { "class": "z_stack", "params": {
---     "root_dir": "sections", "base_filename": "s<p:4>", "extension": "png" } },
---   "chunk_processor": { "class": "sections", "params": {} }
local sections = {}

---@class SectionsParams
---@field page? integer  page of a file with several, counted from 0; 0 unless given
---@field missing? "error"|"fill"  what a file that is not there means; "error" unless given
---@field range? boss.Contrast  values spread over the channel's, such as `[120, 4000]`

sections.params = {
  page = { type = "integer", default = 0 },
  missing = { type = "string", default = "error", one_of = { "error", "fill" } },
  range = "table?",
}

---@param params SectionsParams
---@param job boss.Job
function sections.setup(params, job)
  sections.page = params.page
  sections.missing = params.missing
  sections.range = params.range
  sections.extent = job.extent.z
end

---@param at boss.Index
---@return boss.Stack?, string?
function sections.chunk(at)
  local first = math.max(at.region.z[1], sections.extent[1])
  local stop = math.min(at.region.z[2], sections.extent[2])
  return boss.stack({ first, stop }, function(z)
    local file, reason = boss.path({ z = z })
    if not file then
      return nil, reason
    end
    return {
      path = file,
      region = at.region,
      page = sections.page,
      missing = sections.missing,
      range = sections.range,
    }
  end)
end

return sections
