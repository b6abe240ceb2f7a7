---@meta
--- Types of the script API, for lua-language-server. Coordinates are the Boss's: 0-based, ranges half-open.
---
--- A script returns a table of functions. The slot that names it in the job file decides which one is called:
---
---   path_processor    path(at)    which file or URL holds this tile or section
---   tile_processor    tile(at)    what to read for a tile
---   chunk_processor   chunk(at)   what to read for a chunk of a volumetric job
---
--- and `setup(params, job)` before all others, with the slot's `params`. Each worker has a Lua state of its own, so a
--- hook must give the same answer every time. `nil, "reason"` means that there is no data. A script may declare its
--- parameters in a table `params`: names with a type ("any", "boolean", "integer", "number", "string", "table"), with
--- `?` at its end when it may be absent, or `{ type = …, default = …, one_of = { … } }`. They are checked before `setup`,
--- and then their values take the declaration's place.

--- A half-open range `{ start, stop }`.
---@alias boss.Range [integer, integer]

--- A box of voxels. Without `z` it has the task's sections.
---@class boss.Region
---@field x boss.Range
---@field y boss.Range
---@field z? boss.Range

--- What a hook is asked for. Positions are counted in tiles or chunks; `z` of a tile is its section.
---@class boss.Index
---@field x integer
---@field y integer
---@field z integer
---@field t integer  time sample
---@field region boss.Region  its voxels in the channel

--- What to read, and how. `boss.open` gives the same as an object with methods.
---@class boss.Plan
---@field path? string  a path, relative to the job file, or a URL; the path processor's answer unless given
---@field format? string  such as "tiff"; told from the content unless given
---@field page? integer  page of a file with several, counted from 0; with a page the file is a 2D source
---@field axes? string  the stored axes, slowest first, letters `x y z t c`
---@field select? table<string, integer>  fixed positions on axes that are no image axis, such as `{ t = 3 }`
---@field region? boss.Region|"whole"  box in the source's voxels; the task's unless given; "whole": the file is the tile
---@field fill? number  value of voxels that the source does not have
---@field missing? "error"|"fill"  what a source that does not exist means; "error" unless given
---@field scale? number  voxels become v · scale + offset; 1 unless given
---@field offset? number  0 unless given
---@field cast? "exact"|"saturate"|"wrap"  how values come to the channel's voxel type; "exact" unless given
---@field encode? "png"|"tiff"  format of the uploaded tile; PNG up to 16 bits, else TIFF, unless given

--- One plan per section of a chunk.
---@class boss.Stack
---@field z boss.Range
---@field sections boss.Plan[]

--- A plan as an object. Every method gives a new one.
---@class boss.PlanObject
local PlanObject = {}

--- Another box of the source's voxels, or "whole".
---@param region boss.Region|"whole"
---@return boss.PlanObject
function PlanObject:crop(region) end

--- One page of a file with several, counted from 0.
---@param number integer
---@return boss.PlanObject
function PlanObject:page(number) end

--- The stored axes, slowest first.
---@param letters string
---@return boss.PlanObject
function PlanObject:axes(letters) end

--- Fixed positions on axes that are no image axis.
---@param positions table<string, integer>
---@return boss.PlanObject
function PlanObject:select(positions) end

--- Voxels become v · factor + offset.
---@param factor number
---@param offset? number
---@return boss.PlanObject
function PlanObject:scale(factor, offset) end

--- How values come to the channel's voxel type, after v · factor + offset.
---@param kind "exact"|"saturate"|"wrap"
---@param factor? number
---@param offset? number
---@return boss.PlanObject
function PlanObject:cast(kind, factor, offset) end

--- The job, as `setup` gets it.
---@class boss.Job
---@field slot "path_processor"|"tile_processor"|"chunk_processor"  the slot that is set up
---@field kind "tile"|"volumetric"
---@field dir string  folder of the job file
---@field resolution integer
---@field collection string
---@field experiment string
---@field channel string
---@field extent { x: boss.Range, y: boss.Range, z: boss.Range, t: boss.Range }
---@field task_size { x: integer, y: integer, z: integer }  of a tile or chunk
---@field tile_size? { x: integer, y: integer, z: integer }  in a tile job
---@field chunk_size? { x: integer, y: integer, z: integer }  in a volumetric job

--- What a source is.
---@class boss.Info
---@field format string
---@field axes string  the stored axes, slowest first
---@field shape table<string, integer>  length by axis, such as `shape.x`
---@field dtype string  such as "uint16"
---@field pages integer

boss = {}

--- The path processor's answer for any index. What is not given is the current task's; a `z` is a section's number.
---@param index { x?: integer, y?: integer, z?: integer, t?: integer }
---@return string? path
---@return string? reason
function boss.path(index) end

--- A chunk out of one plan per section of the range. When there is none for a section, there is none for the chunk.
---@param range boss.Range
---@param plan_of fun(z: integer): boss.Plan|boss.PlanObject|nil, string?
---@return boss.Stack?
---@return string? reason
function boss.stack(range, plan_of) end

--- A plan as an object.
---@param path string
---@param fields? boss.Plan
---@return boss.PlanObject
function boss.open(path, fields) end

--- What the source at `path` is; an error when it does not exist. Not while the script is loaded: from `setup` on.
---@param path string
---@return boss.Info
function boss.info(path) end

--- Whether there is a source at `path`.
---@param path string
---@return boolean
function boss.exists(path) end

--- The names in a folder, sorted. In the pattern `*` stands for any letters and `?` for one.
---@param dir string
---@param pattern? string
---@return string[]
function boss.list(dir, pattern) end

path = {}

--- Parts with one `/` between. An absolute part discards what is before it.
---@param ... string
---@return string
function path.join(...) end

template = {}

--- Numbers in a name: `<>` is `number`, `<o:N>` with N added, `<p:M>` in M digits, `<o:Np:M>` both; `<x>`, `<y>`, `<z>`,
--- `<t>` are those of `index`.
---@param pattern string
---@param number integer
---@param index? { x?: integer, y?: integer, z?: integer, t?: integer }
---@return string
function template.expand(pattern, number, index) end

log = {}

--- A line in the log.
---@param ... any
function log.info(...) end

--- A warning in the log.
---@param ... any
function log.warn(...) end
