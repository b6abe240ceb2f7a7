--- What is easier said in Lua of the API: index tables, plans as objects, stacks. Runs once per state, before any script.
---
--- Gets the tables that Rust has begun, and the job; gives back what the host calls.

local boss, job = ...

local width, height, depth = job.task_size.x, job.task_size.y, job.task_size.z
local type, pairs, ipairs, error, rawget, tostring = type, pairs, ipairs, error, rawget, tostring
local math_type, concat, sort = math.type, table.concat, table.sort
local raw_setmetatable, raw_pcall = setmetatable, pcall

--- The task that is being planned, and the hook of the path slot.
local task_x, task_y, task_z, task_t = 0, 0, 0, 0
local path_hook

--- The argument of a hook. `z0, z1` is the range of sections, for it is the one that `z` does not always give.
local function index_table(x, y, z, t, z0, z1)
  return {
    x = x,
    y = y,
    z = z,
    t = t,
    region = {
      x = { x * width, (x + 1) * width },
      y = { y * height, (y + 1) * height },
      z = { z0, z1 },
    },
  }
end

local host = {}

--- Calls a hook for one task.
function host.call(hook, x, y, z, t)
  task_x, task_y, task_z, task_t = x, y, z, t
  return hook(index_table(x, y, z, t, z * depth, (z + 1) * depth))
end

--- Calls the path slot's hook for one section of the current task.
function host.section_path(z)
  return path_hook(index_table(task_x, task_y, z, task_t, z, z + 1))
end

function host.set_path_hook(hook)
  path_hook = hook
end

local index_keys = { x = true, y = true, z = true, t = true, region = true }

--- The path slot's answer for any index; what is not given is the current task's. A given `z` is a section's number.
function boss.path(index)
  if type(index) ~= "table" then
    error("`boss.path` takes a table such as `{ z = 7 }`, not " .. type(index), 2)
  end
  for key, value in pairs(index) do
    if not index_keys[key] then
      error("`boss.path` knows no index `" .. tostring(key) .. "`; there are `x`, `y`, `z` and `t`", 2)
    elseif key ~= "region" and math_type(value) ~= "integer" then
      error("`boss.path` takes integers, but `" .. key .. "` is " .. tostring(value), 2)
    end
  end
  local x, y, z, t = index.x or task_x, index.y or task_y, index.z, index.t or task_t
  if z then
    return path_hook(index_table(x, y, z, t, z, z + 1))
  end
  return path_hook(index_table(x, y, task_z, t, task_z * depth, (task_z + 1) * depth))
end

--- One plan per section of the range; a section without a plan is a chunk without one.
function boss.stack(range, plan_of)
  if type(range) ~= "table" or math_type(range[1]) ~= "integer" or math_type(range[2]) ~= "integer" then
    error("`boss.stack` takes a range of sections such as `at.region.z`", 2)
  elseif type(plan_of) ~= "function" then
    error("`boss.stack` takes a function of a section's number", 2)
  end
  local sections = {}
  for z = range[1], range[2] - 1 do
    local plan, reason = plan_of(z)
    if plan == nil then
      return nil, "section z " .. z .. ": " .. tostring(reason or "the script gave no reason")
    elseif type(plan) ~= "table" or plan == sections then
      error("section z " .. z .. " of a stack is a " .. type(plan) .. "; it must be a plan such as `{ path = … }`", 2)
    end
    sections[#sections + 1] = plan
  end
  return { z = { range[1], range[2] }, sections = sections }
end

--- Methods of plans. Each gives a new plan; the old one stays as it is.
local plan_methods = {}

local plan_metatable = {
  __name = "plan",
  __index = function(_, key)
    local method = plan_methods[key]
    if method then
      return method
    end
    local names = {}
    for name in pairs(plan_methods) do
      names[#names + 1] = name
    end
    sort(names)
    error("a plan has no method `" .. tostring(key) .. "`; it has " .. concat(names, ", "), 2)
  end,
}

local function new_plan(old, changes)
  local fields = {}
  for key, value in pairs(old) do
    fields[key] = value
  end
  for key, value in pairs(changes) do
    fields[key] = value
  end
  return raw_setmetatable({ plan = fields }, plan_metatable)
end

function boss.open(path, fields)
  if type(path) ~= "string" then
    error("`boss.open` takes a path, not " .. type(path), 2)
  elseif fields ~= nil and type(fields) ~= "table" then
    error("`boss.open` takes a plan as a table, not " .. type(fields), 2)
  end
  return new_plan(fields or {}, { path = path })
end

function plan_methods:crop(region)
  return new_plan(self.plan, { region = region })
end

function plan_methods:page(number)
  return new_plan(self.plan, { page = number })
end

function plan_methods:axes(letters)
  return new_plan(self.plan, { axes = letters })
end

function plan_methods:select(positions)
  return new_plan(self.plan, { select = positions })
end

function plan_methods:scale(factor, offset)
  return new_plan(self.plan, { scale = factor, offset = offset })
end

function plan_methods:cast(kind, factor, offset)
  return new_plan(self.plan, { cast = kind, scale = factor, offset = offset })
end

host.plan_methods = plan_methods

--- Finalizers and closers may run where no limit on their time holds.
function setmetatable(value, metatable)
  for _, name in ipairs({ "__gc", "__close" }) do
    if type(metatable) == "table" and rawget(metatable, name) ~= nil then
      error("`" .. name .. "` is not available to scripts", 2)
    end
  end
  return raw_setmetatable(value, metatable)
end

local function finish(handler, is_fine, ...)
  if is_fine then
    return true, ...
  end
  return false, handler((...))
end

--- Lua's own runs the handler before it leaves the function, where a handler that does not end could not be stopped.
function xpcall(called, handler, ...)
  return finish(handler, raw_pcall(called, ...))
end

return host
