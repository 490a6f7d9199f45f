-- deltablue: an incremental solver for one-way constraint hierarchies, on a chain of
-- equalities and on a set of scaled projections; constraint classes three levels deep.
-- quick: 2
-- full: 20

local Benchmark = require("benchmark")
local Vector = require("collections").Vector

local function class(parent)
  local c = {}
  c.__index = c
  if parent then setmetatable(c, { __index = parent }) end
  return c
end

-- Strengths: smaller levels win. ---------------------------------------------

local Strength = class()

function Strength.new(level, name) return setmetatable({ level = level, name = name }, Strength) end
function Strength:is_stronger(other) return self.level < other.level end
function Strength:is_weaker(other) return self.level > other.level end
function Strength:weakest(other) return other:is_weaker(self) and other or self end

local REQUIRED = Strength.new(0, "required")
local PREFERRED = Strength.new(1, "preferred")
local STRONG_DEFAULT = Strength.new(2, "strong default")
local NORMAL = Strength.new(3, "normal")
local WEAKEST = Strength.new(4, "weakest")
local STRONGEST_FIRST = { REQUIRED, PREFERRED, STRONG_DEFAULT, NORMAL, WEAKEST }

-- Variables ------------------------------------------------------------------------

local Variable = class()

function Variable.new(name, value)
  return setmetatable({
    name = name,
    value = value,
    constraints = Vector.new(),
    determined_by = nil,
    mark = 0,
    walk_strength = WEAKEST,
    stay = true,
  }, Variable)
end

function Variable:detach(constraint)
  self.constraints:remove(constraint)
  if self.determined_by == constraint then self.determined_by = nil end
end

-- Constraints: what all of them share ------------------------------------------------

local Constraint = class()

function Constraint:is_input() return false end

function Constraint:add_to(planner)
  self:attach()
  planner:incremental_add(self)
end

function Constraint:destroy(planner)
  if self:is_satisfied() then planner:incremental_remove(self) end
  self:detach()
end

-- Tries to enforce this constraint; returns the one it overrides, if any.
function Constraint:satisfy(planner, mark)
  self:choose_method(mark)
  if not self:is_satisfied() then
    assert(self.strength ~= REQUIRED, "could not satisfy a required constraint")
    return nil
  end
  self:mark_inputs(mark)
  local out = self:output()
  local overridden = out.determined_by
  if overridden then overridden:mark_unsatisfied() end
  out.determined_by = self
  assert(planner:add_propagate(self, mark), "cycle in the constraints")
  out.mark = mark
  return overridden
end

-- Unary constraints ---------------------------------------------------------------------

local Unary = class(Constraint)

function Unary.init(c, variable, strength, planner)
  local self = setmetatable({ strength = strength, out = variable, satisfied = false }, c)
  self:add_to(planner)
  return self
end

function Unary:attach() self.out.constraints:append(self); self.satisfied = false end
function Unary:detach() if self.out then self.out:detach(self) end; self.satisfied = false end
function Unary:is_satisfied() return self.satisfied end
function Unary:mark_unsatisfied() self.satisfied = false end
function Unary:mark_inputs() end
function Unary:inputs_known() return true end
function Unary:output() return self.out end

function Unary:choose_method(mark)
  self.satisfied = self.out.mark ~= mark and self.strength:is_stronger(self.out.walk_strength)
end

function Unary:recalculate()
  local out = self.out
  out.walk_strength = self.strength
  out.stay = not self:is_input()
  if out.stay then self:execute() end
end

local Stay = class(Unary)
function Stay.new(...) return Unary.init(Stay, ...) end
function Stay:execute() end

local Edit = class(Unary)
function Edit.new(...) return Unary.init(Edit, ...) end
function Edit:is_input() return true end
function Edit:execute() end

-- Binary constraints ------------------------------------------------------------------------

local NONE, FORWARD, BACKWARD = 0, 1, -1

local Binary = class(Constraint)

function Binary.init(c, v1, v2, strength)
  return setmetatable({ strength = strength, v1 = v1, v2 = v2, direction = NONE }, c)
end

function Binary:attach()
  self.v1.constraints:append(self)
  self.v2.constraints:append(self)
  self.direction = NONE
end

function Binary:detach()
  self.v1:detach(self)
  self.v2:detach(self)
  self.direction = NONE
end

function Binary:is_satisfied() return self.direction ~= NONE end
function Binary:mark_unsatisfied() self.direction = NONE end
function Binary:input() if self.direction == FORWARD then return self.v1 end return self.v2 end
function Binary:output() if self.direction == FORWARD then return self.v2 end return self.v1 end
function Binary:mark_inputs(mark) self:input().mark = mark end

function Binary:inputs_known(mark)
  local i = self:input()
  return i.mark == mark or i.stay or i.determined_by == nil
end

function Binary:choose_method(mark)
  local v1, v2, strength = self.v1, self.v2, self.strength
  if v1.mark == mark then
    self.direction = (v2.mark ~= mark and strength:is_stronger(v2.walk_strength)) and FORWARD or NONE
  elseif v2.mark == mark then
    self.direction = (v1.mark ~= mark and strength:is_stronger(v1.walk_strength)) and BACKWARD or NONE
  elseif v1.walk_strength:is_weaker(v2.walk_strength) then
    self.direction = strength:is_stronger(v1.walk_strength) and BACKWARD or NONE
  else
    self.direction = strength:is_stronger(v2.walk_strength) and FORWARD or NONE
  end
end

function Binary:recalculate()
  local i, out = self:input(), self:output()
  out.walk_strength = self.strength:weakest(i.walk_strength)
  out.stay = i.stay
  if out.stay then self:execute() end
end

local Equality = class(Binary)

function Equality.new(v1, v2, strength, planner)
  local self = Binary.init(Equality, v1, v2, strength)
  self:add_to(planner)
  return self
end

function Equality:execute() self:output().value = self:input().value end

-- destination = source * scale + offset, in both directions.
local Scale = class(Binary)

function Scale.new(source, scale, offset, destination, strength, planner)
  local self = Binary.init(Scale, source, destination, strength)
  self.scale, self.offset = scale, offset
  self:add_to(planner)
  return self
end

function Scale:attach()
  Binary.attach(self)
  self.scale.constraints:append(self)
  self.offset.constraints:append(self)
end

function Scale:detach()
  Binary.detach(self)
  self.scale:detach(self)
  self.offset:detach(self)
end

function Scale:mark_inputs(mark)
  Binary.mark_inputs(self, mark)
  self.scale.mark, self.offset.mark = mark, mark
end

function Scale:execute()
  if self.direction == FORWARD then
    self.v2.value = self.v1.value * self.scale.value + self.offset.value
  else
    self.v1.value = math.floor((self.v2.value - self.offset.value) / self.scale.value)
  end
end

function Scale:recalculate()
  local i, out = self:input(), self:output()
  out.walk_strength = self.strength:weakest(i.walk_strength)
  out.stay = i.stay and self.scale.stay and self.offset.stay
  if out.stay then self:execute() end
end

-- Planner ---------------------------------------------------------------------------------------

local Planner = class()

function Planner.new() return setmetatable({ mark = 0 }, Planner) end

function Planner:new_mark()
  self.mark = self.mark + 1
  return self.mark
end

function Planner:incremental_add(constraint)
  local mark = self:new_mark()
  local overridden = constraint:satisfy(self, mark)
  while overridden do overridden = overridden:satisfy(self, mark) end
end

function Planner:incremental_remove(constraint)
  local out = constraint:output()
  constraint:mark_unsatisfied()
  constraint:detach()
  local unsatisfied = self:remove_propagate_from(out)
  for _, strength in ipairs(STRONGEST_FIRST) do
    unsatisfied:each(function(c)
      if c.strength == strength then self:incremental_add(c) end
    end)
  end
end

function Planner:consuming(variable, list)
  local determining = variable.determined_by
  variable.constraints:each(function(c)
    if c ~= determining and c:is_satisfied() then list:append(c) end
  end)
end

function Planner:add_propagate(constraint, mark)
  local todo = Vector.new()
  todo:append(constraint)
  local c = todo:remove_last()
  while c do
    if c:output().mark == mark then
      self:incremental_remove(constraint)
      return false
    end
    c:recalculate()
    self:consuming(c:output(), todo)
    c = todo:remove_last()
  end
  return true
end

function Planner:remove_propagate_from(out)
  out.determined_by = nil
  out.walk_strength = WEAKEST
  out.stay = true
  local unsatisfied, todo = Vector.new(), Vector.new()
  local variable = out
  while variable do
    variable.constraints:each(function(c)
      if not c:is_satisfied() then unsatisfied:append(c) end
    end)
    local determining = variable.determined_by
    variable.constraints:each(function(c)
      if c ~= determining and c:is_satisfied() then
        c:recalculate()
        todo:append(c:output())
      end
    end)
    variable = todo:remove_first()
  end
  return unsatisfied
end

function Planner:make_plan(sources)
  local mark = self:new_mark()
  local plan, todo = Vector.new(), sources
  local c = todo:remove_last()
  while c do
    local out = c:output()
    if out.mark ~= mark and c:inputs_known(mark) then
      plan:append(c)
      out.mark = mark
      self:consuming(out, todo)
    end
    c = todo:remove_last()
  end
  return plan
end

function Planner:plan_from(constraints)
  local sources = Vector.new()
  constraints:each(function(c)
    if c:is_input() and c:is_satisfied() then sources:append(c) end
  end)
  return self:make_plan(sources)
end

local function execute(plan)
  plan:each(function(c) c:execute() end)
end

local function change(planner, variable, value)
  local edit = Edit.new(variable, PREFERRED, planner)
  local edits = Vector.new()
  edits:append(edit)
  local plan = planner:plan_from(edits)
  for _ = 1, 10 do
    variable.value = value
    execute(plan)
  end
  edit:destroy(planner)
end

-- The two workloads --------------------------------------------------------------------------------

local function chain(n)
  local planner = Planner.new()
  local variables = {}
  for i = 0, n do variables[i] = Variable.new("v" .. i, 0) end
  for i = 0, n - 1 do Equality.new(variables[i], variables[i + 1], REQUIRED, planner) end
  local first, last = variables[0], variables[n]
  Stay.new(last, STRONG_DEFAULT, planner)
  local edit = Edit.new(first, PREFERRED, planner)
  local edits = Vector.new()
  edits:append(edit)
  local plan = planner:plan_from(edits)
  for i = 1, 100 do
    first.value = i
    execute(plan)
    assert(last.value == i, "chain test failed")
  end
  edit:destroy(planner)
  return last.value
end

local function projection(n)
  local planner = Planner.new()
  local scale, offset = Variable.new("scale", 10), Variable.new("offset", 1000)
  local source, destination
  local destinations = Vector.new()
  for i = 0, n - 1 do
    source = Variable.new("source" .. i, i)
    destination = Variable.new("destination" .. i, i)
    destinations:append(destination)
    Stay.new(source, NORMAL, planner)
    Scale.new(source, scale, offset, destination, REQUIRED, planner)
  end
  change(planner, source, 17)
  assert(destination.value == 1170, "projection test 1 failed")
  change(planner, destination, 1050)
  assert(source.value == 5, "projection test 2 failed")
  change(planner, scale, 5)
  local sum = 0
  for i = 1, n - 1 do
    assert(destinations:at(i).value == (i - 1) * 5 + 1000, "projection test 3 failed")
    sum = sum + destinations:at(i).value
  end
  change(planner, offset, 2000)
  for i = 1, n - 1 do
    assert(destinations:at(i).value == (i - 1) * 5 + 2000, "projection test 4 failed")
    sum = sum + destinations:at(i).value
  end
  return sum
end

local DeltaBlue = Benchmark:extend("deltablue")
DeltaBlue.expected = 100345510

function DeltaBlue:run() return chain(100) * 1000000 + projection(100) end

return DeltaBlue
