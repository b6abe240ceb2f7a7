--- What is easier said in Lua of the API: index tables, plans as objects, stacks. Runs once per state, before any script.
---
--- Gets the tables that Rust has begun, and the job; gives back what the host calls.

local boss, job, rust = ...

local width, height, depth = job.task_size.x, job.task_size.y, job.task_size.z
local type, pairs, error, tostring = type, pairs, error, tostring
local math_type = math.type
local setmetatable = setmetatable

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
  index = index or {}
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

--- Methods of plans. Each gives a new plan; the old one stays as it is. What they are given is checked at once, so that
--- an error names the line that calls them.
local plan_methods = {}
local check_field = rust.check_field

local plan_metatable = {
  __name = "plan",
  __metatable = false,
  __tostring = rust.show_plan,
  __index = function(_, key)
    local method = plan_methods[key]
    if method then
      return method
    end
    rust.no_method(key)
  end,
}

local function copy(old)
  local new = {}
  for key, value in pairs(old) do
    new[key] = value
  end
  return new
end

local function new_plan(fields, steps)
  return setmetatable({ fields = fields, steps = steps }, plan_metatable)
end

--- A plan like this one with another value in a field.
local function with_field(self, key, value)
  check_field(key, value)
  local fields = copy(self.fields)
  fields[key] = value
  return new_plan(fields, self.steps)
end

--- A plan like this one with one step more.
local function with_step(self, key, value, offset)
  check_field(key, value)
  local steps = copy(self.steps)
  steps[#steps + 1] = { key, value, offset }
  return new_plan(self.fields, steps)
end

function boss.open(path, fields)
  check_field("path", path)
  if fields ~= nil and type(fields) ~= "table" then
    error("`boss.open` takes a plan as a table, not " .. type(fields), 2)
  end
  local own = {}
  for key, value in pairs(fields or own) do
    check_field(key, value)
    own[key] = value
  end
  own.path = path
  return new_plan(own, {})
end

for _, key in ipairs({ "format", "page", "dataset", "level", "axes", "select", "channel", "missing", "encode" }) do
  plan_methods[key] = function(self, value)
    return with_field(self, key, value)
  end
end

for _, key in ipairs({ "flip", "rotate", "lut" }) do
  plan_methods[key] = function(self, value)
    return with_step(self, key, value)
  end
end

function plan_methods:gray()
  return with_field(self, "gray", true)
end

function plan_methods:pad(value)
  return with_field(self, "fill", value or 0)
end

function plan_methods:crop(region)
  return with_step(self, "region", region)
end

function plan_methods:scale(factor, offset)
  check_field("offset", offset or 0)
  return with_step(self, "scale", factor, offset)
end

function plan_methods:range(lo, hi)
  return with_step(self, "range", { lo, hi })
end

function plan_methods:cast(kind, factor, offset)
  local plan = with_field(self, "cast", kind)
  if factor or offset then
    return plan:scale(factor or 1, offset)
  end
  return plan
end

function plan_methods:paste(plan, at)
  at = at or {}
  check_field("paste", { plan = plan, x = at.x, y = at.y, z = at.z })
  return with_step(self, "paste", { plan = plan, x = at.x, y = at.y, z = at.z })
end

host.plan_methods = plan_methods

return host
