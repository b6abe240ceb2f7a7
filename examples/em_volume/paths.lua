--- @boss-api 1
--- Which file holds which section, and what a chunk is made of.
---
--- The sections are those of the example em_stack:
---
---   ../em_stack/sections/3253_my_stack_section000.png
---   ../em_stack/sections/3254_my_stack_section001.png
---
--- A volumetric job uploads chunks: boxes of voxels that become whole cuboids. Here a chunk is made of 2D
--- images. The built-in script "sections" does the same; this one shows how.
local M = {}

-- The parameters that job.json must give, in both places that name this script.
M.params = { folder = "string", first_number = "integer" }

-- `setup` is called once, before any other function, with the parameters and with what job.json says of the job.
---@param job boss.Job
function M.setup(params, job)
  M.params = params
  M.sections = job.extent.z
end

-- The file of one section. Named in "path_processor".
function M.path(at)
  local name = ("%d_my_stack_section%03d.png"):format(M.params.first_number + at.z, at.z)
  return path.join(M.params.folder, name)
end

-- What one chunk is made of. Named in "chunk_processor". `at.region` is the box of voxels that the chunk covers, such as
-- { x = { 0, 512 }, y = { 0, 512 }, z = { 0, 16 } }; a range ends before its second number.
---@param at boss.Index
function M.chunk(at)
  -- A chunk is 16 sections deep, the job has two: only those that exist are asked for. The rest of the chunk is 0.
  local z = { math.max(at.region.z[1], M.sections[1]), math.min(at.region.z[2], M.sections[2]) }
  -- `boss.stack` asks for one plan for each section. A plan says what to read: which file, and which part of it.
  -- `boss.path` is the answer of `path` above. No voxel comes into this script; the program reads them, many at once.
  return boss.stack(z, function(section)
    return { path = boss.path({ z = section }), region = at.region }
  end)
end

-- What `chunk` must answer for the first chunk: two sections, each with its file. `boss-ingest test job.json` compares.
M.tests = {
  {
    at = { z = 0 },
    plan = {
      z = { 0, 2 },
      sections = {
        { path = "../em_stack/sections/3253_my_stack_section000.png" },
        { path = "../em_stack/sections/3254_my_stack_section001.png" },
      },
    },
  },
}

return M
