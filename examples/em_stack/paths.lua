--- @boss-api 1
--- Which file holds which section.
---
--- The two sections of this example are named
---
---   sections/3253_my_stack_section000.png
---   sections/3254_my_stack_section001.png
---
--- so each name carries two numbers: the microscope's, which begins at 3253, and the section's own, which begins at 0.
--- In the Boss the sections are z 0 and z 1. This script turns the one into the other.
---
--- A script is a table of functions. This is the table; it is returned at the end of the file.
local M = {}

-- The parameters that job.json must give under "path_processor". They are checked before anything is uploaded: a
-- missing or misspelt name, or a number in quotes, is reported at once. Afterwards `M.params` holds the values.
M.params = { folder = "string", first_number = "integer" }

-- `path` is called once for every tile, and answers with the file that the tile is in. `at` says which tile it is:
-- `at.x` and `at.y` count tiles from the left and from the top, `at.z` is the section, `at.t` the time sample. All of
-- them begin at 0. Paths are relative to the folder of job.json.
function M.path(at)
  local number = M.params.first_number + at.z
  -- %d is a number as it is, %03d a number in three digits: 3253_my_stack_section000.png
  local name = ("%d_my_stack_section%03d.png"):format(number, at.z)
  return path.join(M.params.folder, name)
end

-- What `path` must answer for some tiles. `boss-ingest test job.json` compares.
M.tests = {
  { at = { z = 0 }, path = "sections/3253_my_stack_section000.png" },
  { at = { z = 1 }, path = "sections/3254_my_stack_section001.png" },
}

-- To try it on a Boss of your own, with no account:
--
--   boss-ingest create job.json --local my-boss
--
-- What is then read from the file, the other script says that job.json names, under "tile_processor": "image" is built
-- in, and cuts the tile out of the section. If a section is lost, return `nil, "section lost"`: the rest is uploaded,
-- and that tile is listed at the end.
return M
