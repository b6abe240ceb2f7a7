--- What is taken from Lua's own libraries, and what stands in its place. Runs first in each state.
---
--- Lua's C functions cannot be stopped while they run. Those here that would run long on a slip in their arguments check
--- them first; those that would run the script's own code out of reach of the clock are written anew.

local raw = ...

local _G, math_type, tointeger = _G, math.type, math.tointeger
local type, next, select, tonumber, error = type, next, select, tonumber, error
local rawget, rawset, rawequal, rawlen = rawget, rawset, rawequal, rawlen
local getmetatable, pcall, setmetatable = getmetatable, pcall, setmetatable
local byte, rep, sub = string.byte, string.rep, string.sub
local concat, insert, move, remove, sort = table.concat, table.insert, table.move, table.remove, table.sort
local date, message_of, nearest, scan, substitute = os.date, raw.message_of, raw.nearest, raw.scan, raw.substitute
local look = raw.look

--- No table that fits into a state has more positions.
local MOST_POSITIONS = 1 << 22

--- Texts from here on are worth a look at the clock.
local LONG = 1 << 20

--- From each locked table to what it stands for.
local behind = {}

---------------------------------------------------------------- errors

local function told(is_fine, problem, ...)
  if is_fine then
    return true, problem, ...
  elseif type(problem) == "userdata" then
    problem = message_of(problem)
  end
  return false, problem
end

--- Errors of the program's own functions become texts, as those of Lua's are.
_G.pcall = function(...)
  return told(pcall(...))
end

local function finish(handler, is_fine, problem, ...)
  if is_fine then
    return true, problem, ...
  end
  return false, handler(problem)
end

--- Lua's own runs the handler before it leaves the function, where a handler that does not end could not be stopped.
function xpcall(called, handler, ...)
  return finish(handler, told(pcall(called, ...)))
end

--- All metatables that are in use.
local metatables = setmetatable({}, { __mode = "k" })

--- Finalizers run where the clock is not looked at. Lua asks for them at this moment only: one that is added to the
--- metatable later is never called. A closer that is added later is.
_G.setmetatable = function(value, metatable)
  if type(metatable) == "table" then
    if rawget(metatable, "__gc") ~= nil then
      error("`__gc` is not available to scripts", 2)
    elseif rawget(metatable, "__close") ~= nil then
      error("`__close` is not available to scripts", 2)
    end
    metatables[metatable] = true
  end
  return setmetatable(value, metatable)
end

local function nothing() end

--- For when the time is up: the error that says so runs the closers of the innermost function where they cannot be
--- stopped.
local function disarm()
  for metatable in next, metatables do
    if rawget(metatable, "__close") ~= nil then
      rawset(metatable, "__close", nothing)
    end
  end
end

---------------------------------------------------------------- texts

function string.rep(text, count, separator)
  -- Lua's own counts to `count` even when there is nothing to repeat.
  if text == "" and (separator == nil or separator == "") and tonumber(count) then
    return ""
  end
  return rep(text, count, separator)
end

for _, name in next, { "lower", "upper", "reverse" } do
  local change = string[name]
  string[name] = function(text)
    if type(text) == "string" and #text > LONG then
      look()
    end
    return change(text)
  end
end

local function text_of(value, name, nth)
  if type(value) == "number" then
    return value .. ""
  elseif type(value) ~= "string" then
    error(("bad argument #%d to '%s' (string expected, got %s)"):format(nth, name, type(value)), 3)
  end
  return value
end

local function start_of(init, length)
  if init > 0 then
    return init - 1
  elseif init == 0 or init < -length then
    return 0
  end
  return length + init
end

local function integer_of(value, name, nth)
  local integer = tointeger(tonumber(value))
  if not integer then
    local problem = tonumber(value) and "number has no integer representation" or "number expected, got " .. type(value)
    error(("bad argument #%d to '%s' (%s)"):format(nth, name, problem), 3)
  end
  return integer
end

function string.gmatch(text, pattern, init)
  text, pattern = text_of(text, "gmatch", 1), text_of(pattern, "gmatch", 2)
  local start = start_of(init == nil and 1 or integer_of(init, "gmatch", 3), #text)
  local last
  local function found(first, stop, ...)
    if first then
      start, last = stop, stop
      return ...
    end
  end
  return function()
    return found(scan(text, pattern, start, last, false))
  end
end

--- Start and end of a match, and what stands in its place.
local function replaced(replacement, first, stop, ...)
  if not first then
    return nil
  elseif type(replacement) == "table" then
    return first, stop, replacement[(...)]
  end
  return first, stop, (replacement(...))
end

local function substitute_by(text, pattern, replacement, most)
  local pieces, length, count, start, last = {}, 0, 0, 0, nil
  local is_anchored = byte(pattern) == 94
  local captures = type(replacement) == "table" and 1 or nil
  while not most or count < most do
    local first, stop, value = replaced(replacement, scan(text, pattern, start, last, is_anchored, captures))
    if not first then
      break
    end
    if not value then
      value = sub(text, first + 1, stop)
    elseif type(value) ~= "string" and type(value) ~= "number" then
      error("invalid replacement value (a " .. type(value) .. ")", 3)
    end
    pieces[length + 1], pieces[length + 2] = sub(text, start + 1, first), value
    length, count, start, last = length + 2, count + 1, stop, stop
    if is_anchored then
      break
    end
  end
  pieces[length + 1] = sub(text, start + 1)
  return concat(pieces), count
end

function string.gsub(text, pattern, replacement, most)
  text, pattern = text_of(text, "gsub", 1), text_of(pattern, "gsub", 2)
  local kind = type(replacement)
  if kind == "number" then
    replacement, kind = replacement .. "", "string"
  end
  if kind ~= "string" and kind ~= "table" and kind ~= "function" then
    error("bad argument #3 to 'gsub' (string/function/table expected, got " .. kind .. ")", 2)
  end
  if most ~= nil then
    most = integer_of(most, "gsub", 4)
  end
  if kind == "string" then
    return substitute(text, pattern, replacement, most)
  end
  return substitute_by(text, pattern, replacement, most)
end

--- What is protected behind `""` is the library itself.
getmetatable("").__metatable = false

---------------------------------------------------------------- tables

local function check_positions(name, first, last)
  first, last = tointeger(tonumber(first)), tointeger(tonumber(last))
  if first and last and last >= first then
    local count = last - first
    if count < 0 or count >= MOST_POSITIONS then
      error(("`table.%s` over more than %d positions"):format(name, MOST_POSITIONS), 3)
    end
  end
end

function table.concat(list, separator, first, last)
  if type(list) == "table" then
    last = last or tointeger(#list) or error("object length is not an integer", 2)
    check_positions("concat", first or 1, last)
  end
  return concat(list, separator, first, last)
end

function table.move(from, first, last, to, into)
  check_positions("move", first, last)
  if into == nil then
    return move(from, first, last, to)
  end
  return move(from, first, last, to, into)
end

--- Whether Lua's own function would move values up or down a list whose length may be no true one.
local function is_strange(list)
  return type(list) == "table" and getmetatable(list) ~= nil
end

function table.insert(list, ...)
  if select("#", ...) ~= 2 then
    return insert(list, ...)
  elseif not is_strange(list) then
    check_positions("insert", (...), #list)
    return insert(list, ...)
  end
  local position, value = ...
  position = integer_of(position, "insert", 2)
  for at = #list + 1, position + 1, -1 do
    list[at] = list[at - 1]
  end
  list[position] = value
end

function table.remove(list, ...)
  if select("#", ...) == 0 then
    return remove(list)
  elseif not is_strange(list) then
    check_positions("remove", (...), #list)
    return remove(list, ...)
  end
  local position, count = integer_of((...), "remove", 2), #list
  local removed = list[position]
  for at = position, count - 1 do
    list[at] = list[at + 1]
  end
  list[math.max(position, count)] = nil
  return removed
end

--- With a function in Lua, for comparing long texts takes its time, too.
local function is_less(one, other)
  return one < other
end

function table.sort(list, compare)
  return sort(list, compare == nil and is_less or compare)
end

---------------------------------------------------------------- time and chance

function os.date(format, time)
  if type(format) == "string" and #format > 1000 then
    error("the format of `os.date` is longer than 1000 bytes", 2)
  end
  return date(format, time)
end

--- The same numbers in each run.
math.randomseed(0)

---------------------------------------------------------------- locks

local absent = {}
for name in
  ([[io debug coroutine package dofile loadfile collectgarbage warn string.dump os.clock os.difftime os.execute os.exit
     os.getenv os.remove os.rename os.setlocale os.tmpname]]):gmatch("%S+")
do
  absent[name] = true
end

--- Names of other versions of Lua.
local renamed = { unpack = "table.unpack", loadstring = "load", ["table.getn"] = "#", ["math.pow"] = "^" }

_G.rawget = function(table, key)
  return rawget(behind[table] or table, key)
end

_G.rawset = function(table, key, value)
  if behind[table] then
    error("what the program gives to scripts cannot be changed, nor by `rawset`", 2)
  end
  return rawset(table, key, value)
end

local function next_of(table, key)
  return next(behind[table] or table, key)
end

_G.next = next_of

--- What reading a name gives that is not there: nearly always it is a slip.
local function missing(library, known)
  return function(_, key)
    local name = library and library .. "." .. tostring(key) or tostring(key)
    if absent[name] then
      error("`" .. name .. "` is not available to scripts", 2)
    end
    local near = renamed[name] or nearest(sub(tostring(key), 1, 60), known)
    local hint = near and "; did you mean `" .. near .. "`?" or ""
    if library then
      error(("`%s` has no `%.60s`%s"):format(library, tostring(key), hint), 2)
    end
    error(("`%.60s` is neither a local nor a global%s"):format(name, hint), 2)
  end
end

local function refusal(library)
  return function(_, key)
    local name = sub(tostring(key), 1, 60)
    if library then
      error(("`%s` cannot be changed; write a local function instead of `%s.%s`"):format(library, library, name), 2)
    elseif rawget(behind[_G], key) ~= nil then
      error(("the global `%s` cannot be changed; write `local %s`"):format(name, name), 2)
    end
    error(("`%s` would be a new global; write `local %s`"):format(name, name), 2)
  end
end

--- Makes `front` show what `values` holds, and take nothing.
local function lock(front, values, library)
  behind[front] = values
  setmetatable(values, { __index = missing(library, values), __metatable = false })
  local function each(table)
    return next_of, table, nil
  end
  setmetatable(front, { __index = values, __newindex = refusal(library), __pairs = each, __metatable = false })
end

--- From here on no script changes what another, or the program, relies on.
local function lock_all()
  local globals = {}
  for name, value in next, _G do
    globals[name] = value
  end
  for name, value in next, globals do
    if type(value) == "table" and value ~= _G then
      globals[name] = {}
      lock(globals[name], value, name)
    end
    rawset(_G, name, nil)
  end
  lock(_G, globals)
end

return lock_all, disarm
