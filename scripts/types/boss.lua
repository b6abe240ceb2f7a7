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

--- The voxels of a tile or chunk.
---@class boss.Box: boss.Region
---@field x boss.Range
---@field y boss.Range
---@field z boss.Range

--- What a hook is asked for. Positions are counted in tiles or chunks; `z` of a tile is its section.
---@class boss.Index
---@field x integer  column, from the left
---@field y integer  row, from the top
---@field z integer  section of a tile; layer of a chunk
---@field t integer  time sample
---@field region boss.Box  its voxels in the channel

--- What to read, and how. `boss.open` gives the same as an object with methods. The fields of a table are done in this
--- order, whatever order they are written in; methods are done in the order in which they are called.
---@class boss.Plan
---@field path? string  a path, relative to the job file, or a URL; the path processor's answer unless given
---@field format? string  such as "tiff"; told from the content unless given
---@field page? integer  page of a file with several, counted from 0; with a page the file is a 2D source
---@field dataset? string  the array of a file or folder with several, such as "main/raw"
---@field level? integer  level of detail; 0, the finest, unless given
---@field axes? string  the stored axes, slowest first, letters `x y z t c`; the format's own unless given
---@field select? table<string, integer>  fixed positions on axes, such as `{ t = 3 }`
---@field channel? integer  the channel of a colour image, counted from 0
---@field gray? boolean  red, green and blue weighted to one value
---@field flip? string  axes to mirror, such as "x"
---@field rotate? integer  degrees clockwise: 90, 180 or 270
---@field paste? boss.Paste[]  images laid over this one
---@field region? boss.Region|"whole"  the box to cut; the task's unless given; "whole": the image is the tile
---@field lut? table<integer, integer>  what values become; a value without an entry stays
---@field scale? number  values become v · scale + offset; 1 unless given
---@field offset? number  0 unless given
---@field range? boss.Contrast  `{ lo, hi }`: these values and those between are spread over 0 to the channel's largest integer
---@field fill? number  value of voxels that the plan does not reach; they must exist inside the job's extent unless given
---@field missing? "error"|"fill"  what a source that does not exist means; "error" unless given
---@field cast? "exact"|"saturate"|"wrap"  how values come to the channel's voxel type; "exact" unless given
---@field encode? "png"|"tiff"  format of the uploaded tile; PNG up to 16 bits, else TIFF, unless given

--- Two values, the lower first.
---@alias boss.Contrast [number, number]

--- An image laid over another, its first voxel at x, y, z of the other.
---@class boss.Paste
---@field plan boss.Plan|boss.PlanObject
---@field x? integer  0 unless given
---@field y? integer  0 unless given
---@field z? integer  0 unless given

--- One plan per section of a chunk.
---@class boss.Stack
---@field z boss.Range
---@field sections boss.Plan[]

--- A plan as an object. Every method gives a new one.
---@class boss.PlanObject
local PlanObject = {}

--- Cuts a box, which may reach outside, and starts the image at its first voxel; "whole" cuts nothing: the image is the
--- tile. A plan that cuts nothing is cut to its task's place at the end.
---@param region boss.Region|"whole"
---@return boss.PlanObject
function PlanObject:crop(region) end

--- Voxels that the plan does not reach have this value. Without, those inside the job's extent must exist.
---@param value? number  0 unless given
---@return boss.PlanObject
function PlanObject:pad(value) end

--- Lays another image over this one, its first voxel at `at`. The image grows where the other reaches outside.
---@param plan boss.Plan|boss.PlanObject
---@param at? { x?: integer, y?: integer, z?: integer }
---@return boss.PlanObject
function PlanObject:paste(plan, at) end

--- Mirrors the image on axes such as "x" or "xy".
---@param axes string
---@return boss.PlanObject
function PlanObject:flip(axes) end

--- Turns the image clockwise.
---@param degrees integer  90, 180 or 270
---@return boss.PlanObject
function PlanObject:rotate(degrees) end

--- One channel of a colour image, counted from 0: red, green, blue, alpha.
---@param number integer
---@return boss.PlanObject
function PlanObject:channel(number) end

--- Red, green and blue weighted to one value, as the eye does.
---@return boss.PlanObject
function PlanObject:gray() end

--- Values become what the table says; a value without an entry stays. Before any scale.
---@param values table<integer, integer>
---@return boss.PlanObject
function PlanObject:lut(values) end

--- Values become v · factor + offset, in float64.
---@param factor number
---@param offset? number
---@return boss.PlanObject
function PlanObject:scale(factor, offset) end

--- Values from lo to hi become 0 to the largest integer of the channel's voxel type, 255 for uint8: (v - lo) · largest /
--- (hi - lo), rounded to the nearest, halves up. Lower ones become 0, higher ones the largest, whatever the cast is. It is
--- the last change of values, and not for channels of floats.
---@param lo number
---@param hi number
---@return boss.PlanObject
function PlanObject:range(lo, hi) end

--- How values come to the channel's voxel type, after v · factor + offset: "exact" refuses what does not fit, "saturate"
--- takes the nearest value, "wrap" the low bits.
---@param kind "exact"|"saturate"|"wrap"
---@param factor? number
---@param offset? number
---@return boss.PlanObject
function PlanObject:cast(kind, factor, offset) end

--- One page of a file with several, counted from 0.
---@param number integer
---@return boss.PlanObject
function PlanObject:page(number) end

--- The array of a file or folder with several.
---@param name string
---@return boss.PlanObject
function PlanObject:dataset(name) end

--- The level of detail; 0 is the finest.
---@param number integer
---@return boss.PlanObject
function PlanObject:level(number) end

--- The stored axes, slowest first.
---@param letters string
---@return boss.PlanObject
function PlanObject:axes(letters) end

--- Fixed positions on axes.
---@param positions table<string, integer>
---@return boss.PlanObject
function PlanObject:select(positions) end

--- The format, where the content does not tell it.
---@param name string
---@return boss.PlanObject
function PlanObject:format(name) end

--- What a source that does not exist means.
---@param rule "error"|"fill"
---@return boss.PlanObject
function PlanObject:missing(rule) end

--- The format of the uploaded tile.
---@param format "png"|"tiff"
---@return boss.PlanObject
function PlanObject:encode(format) end

--- The job, as `setup` gets it.
---@class boss.Job
---@field slot "path_processor"|"tile_processor"|"chunk_processor"  the slot that is set up
---@field kind "tile"|"volumetric"  of the job
---@field dir string  folder of the job file
---@field resolution integer  level of detail; 0 is the finest
---@field collection string
---@field experiment string
---@field channel string
---@field extent { x: boss.Range, y: boss.Range, z: boss.Range, t: boss.Range }  voxels that the job covers
---@field task_size { x: integer, y: integer, z: integer }  of a tile or chunk
---@field tile_size? { x: integer, y: integer, z: integer }  in a tile job
---@field chunk_size? { x: integer, y: integer, z: integer }  in a volumetric job

--- What a source is.
---@class boss.Info
---@field format string
---@field axes string  the stored axes, slowest first
---@field shape table<string, integer>  length by axis, such as `shape.x`
---@field origin { x: integer, y: integer, z: integer }  position of the first voxel; 0 but in volumes with an offset
---@field dtype string  such as "uint16"
---@field pages integer
---@field channels integer  samples of each voxel: 3 or 4 of a colour image, else 1

---@class boss.Functions
boss = {}

--- The path processor's answer for any index. What is not given is the current task's; a `z` is a section's number.
---@param index? { x?: integer, y?: integer, z?: integer, t?: integer }
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
---@param fields? boss.Plan  which part of it: `page`, `dataset`, `level`, `axes`, `select`, `channel`, `gray`
---@return boss.Info
function boss.info(path, fields) end

--- The values of a small source, x fastest: at most 4096.
---@param path string
---@param dataset? string
---@return number[]
function boss.scalars(path, dataset) end

--- The text of a file of at most 4 MiB.
---@param path string
---@return string
function boss.read_text(path) end

--- What a JSON file of at most 4 MiB says, as tables, strings and numbers; null is nil.
---@param path string
---@return any
function boss.read_json(path) end

--- Whether there is a source at `path`.
---@param path string
---@return boolean
function boss.exists(path) end

--- The names in a folder, sorted. In the pattern `*` stands for any letters and `?` for one.
---@param dir string
---@param pattern? string
---@return string[]
function boss.list(dir, pattern) end

---@class boss.PathFunctions
path = {}

--- Parts with one `/` between. An absolute part discards what is before it.
---@param ... string
---@return string
function path.join(...) end

---@class boss.TemplateFunctions
template = {}

--- Numbers in a name: `<>` is `number`, `<o:N>` with N added, `<p:M>` in M digits, `<o:Np:M>` both; `<x>`, `<y>`, `<z>`,
--- `<t>` are those of `index`.
---@param pattern string
---@param number integer
---@param index? { x?: integer, y?: integer, z?: integer, t?: integer }
---@return string
function template.expand(pattern, number, index) end

---@class boss.LogFunctions
log = {}

--- A line in the log.
---@param ... any
function log.info(...) end

--- A warning in the log.
---@param ... any
function log.warn(...) end
