-- collision: detects aircraft that come too close; red-black trees and vector classes.
-- quick: 1
-- full: 1

local Benchmark = require("benchmark")
local Vector = require("collections").Vector

-- Vectors ------------------------------------------------------------------------------

local Vector2 = {}
Vector2.__index = Vector2

function Vector2.new(x, y) return setmetatable({ x = x, y = y }, Vector2) end
function Vector2:plus(other) return Vector2.new(self.x + other.x, self.y + other.y) end

local function compare_numbers(a, b)
  if a == b then return 0 end
  if a < b then return -1 end
  return 1
end

function Vector2:compare(other)
  local c = compare_numbers(self.x, other.x)
  if c ~= 0 then return c end
  return compare_numbers(self.y, other.y)
end

local Vector3 = {}
Vector3.__index = Vector3

function Vector3.new(x, y, z) return setmetatable({ x = x, y = y, z = z }, Vector3) end
function Vector3:plus(o) return Vector3.new(self.x + o.x, self.y + o.y, self.z + o.z) end
function Vector3:minus(o) return Vector3.new(self.x - o.x, self.y - o.y, self.z - o.z) end
function Vector3:dot(o) return self.x * o.x + self.y * o.y + self.z * o.z end
function Vector3:times(s) return Vector3.new(self.x * s, self.y * s, self.z * s) end
function Vector3:squared() return self:dot(self) end
function Vector3:magnitude() return math.sqrt(self:squared()) end

local CallSign = {}
CallSign.__index = CallSign
function CallSign.new(value) return setmetatable({ value = value }, CallSign) end
function CallSign:compare(other) return compare_numbers(self.value, other.value) end

-- Red-black tree; keys have a method `compare`, a missing child is nil ------------------

local RED, BLACK = 1, 2

local Node = {}

function Node.new(key, value)
  local node = { key = key, value = value, left = nil, right = nil, parent = nil, color = RED }
  return setmetatable(node, { __index = Node })
end

local function minimum(node)
  while node.left do node = node.left end
  return node
end

function Node:successor()
  if self.right then return minimum(self.right) end
  local x, y = self, self.parent
  while y and x == y.right do
    x = y
    y = y.parent
  end
  return y
end

local Tree = {}
Tree.__index = Tree

function Tree.new() return setmetatable({ root = nil }, Tree) end

function Tree:find(key)
  local node = self.root
  while node do
    local c = key:compare(node.key)
    if c == 0 then return node end
    if c < 0 then node = node.left else node = node.right end
  end
  return nil
end

function Tree:get(key)
  local node = self:find(key)
  if node == nil then return nil end
  return node.value
end

function Tree:each(visit)
  if self.root == nil then return end
  local node = minimum(self.root)
  while node do
    visit(node.key, node.value)
    node = node:successor()
  end
end

function Tree:rotate_left(x)
  local y = x.right
  x.right = y.left
  if y.left then y.left.parent = x end
  y.parent = x.parent
  if x.parent == nil then
    self.root = y
  elseif x == x.parent.left then
    x.parent.left = y
  else
    x.parent.right = y
  end
  y.left = x
  x.parent = y
  return y
end

function Tree:rotate_right(y)
  local x = y.left
  y.left = x.right
  if x.right then x.right.parent = y end
  x.parent = y.parent
  if y.parent == nil then
    self.root = x
  elseif y == y.parent.left then
    y.parent.left = x
  else
    y.parent.right = x
  end
  x.right = y
  y.parent = x
  return x
end

-- Gives the value that was there before, or nil.
function Tree:put(key, value)
  local parent, node, c = nil, self.root, 0
  while node do
    parent = node
    c = key:compare(node.key)
    if c == 0 then
      local old = node.value
      node.value = value
      return old
    end
    if c < 0 then node = node.left else node = node.right end
  end
  local x = Node.new(key, value)
  x.parent = parent
  if parent == nil then
    self.root = x
  elseif c < 0 then
    parent.left = x
  else
    parent.right = x
  end
  self:repair_insert(x)
  return nil
end

function Tree:repair_insert(x)
  while x ~= self.root and x.parent.color == RED do
    local grand = x.parent.parent
    if x.parent == grand.left then
      local uncle = grand.right
      if uncle and uncle.color == RED then
        x.parent.color = BLACK
        uncle.color = BLACK
        grand.color = RED
        x = grand
      else
        if x == x.parent.right then
          x = x.parent
          self:rotate_left(x)
        end
        x.parent.color = BLACK
        grand.color = RED
        self:rotate_right(grand)
      end
    else
      local uncle = grand.left
      if uncle and uncle.color == RED then
        x.parent.color = BLACK
        uncle.color = BLACK
        grand.color = RED
        x = grand
      else
        if x == x.parent.left then
          x = x.parent
          self:rotate_right(x)
        end
        x.parent.color = BLACK
        grand.color = RED
        self:rotate_left(grand)
      end
    end
  end
  self.root.color = BLACK
end

function Tree:remove(key)
  local z = self:find(key)
  if z == nil then return nil end
  local y = z
  if z.left and z.right then y = z:successor() end
  local x = y.left or y.right
  local parent = y.parent
  if x then x.parent = parent end
  if parent == nil then
    self.root = x
  elseif y == parent.left then
    parent.left = x
  else
    parent.right = x
  end
  if y ~= z then
    if y.color == BLACK then self:repair_remove(x, parent) end
    y.parent = z.parent
    y.color = z.color
    y.left = z.left
    y.right = z.right
    if z.left then z.left.parent = y end
    if z.right then z.right.parent = y end
    if z.parent == nil then
      self.root = y
    elseif z.parent.left == z then
      z.parent.left = y
    else
      z.parent.right = y
    end
  elseif y.color == BLACK then
    self:repair_remove(x, parent)
  end
  return z.value
end

local function is_black(node) return node == nil or node.color == BLACK end

function Tree:repair_remove(x, parent)
  while x ~= self.root and is_black(x) do
    if x == parent.left then
      local w = parent.right
      if w.color == RED then
        w.color = BLACK
        parent.color = RED
        self:rotate_left(parent)
        w = parent.right
      end
      if is_black(w.left) and is_black(w.right) then
        w.color = RED
        x = parent
        parent = x.parent
      else
        if is_black(w.right) then
          w.left.color = BLACK
          w.color = RED
          self:rotate_right(w)
          w = parent.right
        end
        w.color = parent.color
        parent.color = BLACK
        if w.right then w.right.color = BLACK end
        self:rotate_left(parent)
        x = self.root
        parent = nil
      end
    else
      local w = parent.left
      if w.color == RED then
        w.color = BLACK
        parent.color = RED
        self:rotate_right(parent)
        w = parent.left
      end
      if is_black(w.left) and is_black(w.right) then
        w.color = RED
        x = parent
        parent = x.parent
      else
        if is_black(w.left) then
          w.right.color = BLACK
          w.color = RED
          self:rotate_left(w)
          w = parent.left
        end
        w.color = parent.color
        parent.color = BLACK
        if w.left then w.left.color = BLACK end
        self:rotate_right(parent)
        x = self.root
        parent = nil
      end
    end
  end
  if x then x.color = BLACK end
end

-- Aircraft and motions ---------------------------------------------------------------------

local Aircraft = {}
Aircraft.__index = Aircraft
function Aircraft.new(sign, position) return setmetatable({ sign = sign, position = position }, Aircraft) end

local CELL, RADIUS = 2.0, 1.0

local Motion = {}
Motion.__index = Motion
function Motion.new(sign, from, to) return setmetatable({ sign = sign, from = from, to = to }, Motion) end
function Motion:delta() return self.to:minus(self.from) end

-- The place between both where they are closest, if that is nearer than the radius.
function Motion:meets(other)
  local offset = self.from:minus(other.from)
  local speed = self:delta():minus(other:delta())
  local s2 = speed:squared()
  local t = 0.0
  if s2 ~= 0.0 then
    t = 0.0 - offset:dot(speed) / s2
    if t < 0.0 then t = 0.0 elseif t > 1.0 then t = 1.0 end
  end
  local gap = offset:plus(speed:times(t))
  if gap:magnitude() >= RADIUS then return nil end
  local mine = self.from:plus(self:delta():times(t))
  return mine:minus(gap:times(0.5))
end

-- Detector --------------------------------------------------------------------------------

local Detector = {}
Detector.__index = Detector

function Detector.new() return setmetatable({ last = Tree.new() }, Detector) end

function Detector:motions(frame)
  local motions, seen = Vector.new(), Tree.new()
  frame:each(function(craft)
    local old = self.last:put(craft.sign, craft.position)
    seen:put(craft.sign, true)
    motions:append(Motion.new(craft.sign, old or craft.position, craft.position))
  end)
  local gone = Vector.new()
  self.last:each(function(sign)
    if not seen:get(sign) then gone:append(sign) end
  end)
  gone:each(function(sign) self.last:remove(sign) end)
  return motions
end

local function cell_of(x, y)
  return Vector2.new(math.floor(x / CELL), math.floor(y / CELL))
end

function Detector:rasterize(cells, motion)
  local a, b = motion.from, motion.to
  local low = cell_of(math.min(a.x, b.x) - RADIUS, math.min(a.y, b.y) - RADIUS)
  local high = cell_of(math.max(a.x, b.x) + RADIUS, math.max(a.y, b.y) + RADIUS)
  for x = low.x, high.x do
    for y = low.y, high.y do
      local cell = Vector2.new(x, y)
      local list = cells:get(cell)
      if list == nil then
        list = Vector.new()
        cells:put(cell, list)
      end
      list:append(motion)
    end
  end
end

function Detector:collisions(frame)
  local cells = Tree.new()
  self:motions(frame):each(function(motion) self:rasterize(cells, motion) end)
  local found, depth = 0, 0.0
  cells:each(function(_, list)
    for i = 1, list:size() - 1 do
      local p = list:at(i)
      for j = i + 1, list:size() do
        local place = p:meets(list:at(j))
        if place ~= nil then
          found = found + 1
          depth = depth + place.z
        end
      end
    end
  end)
  return found, depth
end

local Simulator = {}
Simulator.__index = Simulator

function Simulator.new(n)
  local signs = Vector.new()
  for i = 1, n do signs:append(CallSign.new(i)) end
  return setmetatable({ signs = signs }, Simulator)
end

function Simulator:frame(t)
  local frame = Vector.new()
  local turn = math.floor(t * 4)
  for i = 1, self.signs:size(), 2 do
    if (i + turn) % 37 > 2 then
      local far = math.cos(t) * 2 + i * 3
      frame:append(Aircraft.new(self.signs:at(i), Vector3.new(t, far, 10.0)))
      frame:append(Aircraft.new(self.signs:at(i + 1), Vector3.new(t, math.sin(t) * 2 + i * 3, 10.0)))
    end
  end
  return frame
end

local Collision = Benchmark:extend("collision")
Collision.expected = 334400

function Collision:run()
  local simulator, detector = Simulator.new(100), Detector.new()
  local total, depth = 0, 0.0
  for i = 0, 49 do
    local found, z = detector:collisions(simulator:frame(i / 10.0))
    total = total + found
    depth = depth + z
  end
  return total * 100 + depth
end

return Collision
