-- collision: finds aircraft that come too close, frame by frame.
-- Stresses red-black trees with rotations, three-way comparisons through a function
-- value, small vector objects, float geometry, callbacks.
-- quick: 25

local floor, sqrt, sin, cos = math.floor, math.sqrt, math.sin, math.cos

-- Red-black tree with a sentinel leaf -----------------------------------------------

local Tree = {}
Tree.__index = Tree

function Tree.new(compare)
  local leaf = { red = false }
  leaf.left, leaf.right, leaf.parent = leaf, leaf, leaf
  return setmetatable({ root = leaf, leaf = leaf, compare = compare, size = 0 }, Tree)
end

function Tree:rotate(node, near, far)
  local up = node[far]
  local inner = up[near]
  node[far] = inner
  if inner ~= self.leaf then inner.parent = node end
  local parent = node.parent
  up.parent = parent
  if parent == self.leaf then
    self.root = up
  elseif parent.left == node then
    parent.left = up
  else
    parent.right = up
  end
  up[near] = node
  node.parent = up
end

function Tree:find(key)
  local node, leaf, compare = self.root, self.leaf, self.compare
  while node ~= leaf do
    local c = compare(key, node.key)
    if c == 0 then return node end
    if c < 0 then node = node.left else node = node.right end
  end
  return nil
end

function Tree:get(key)
  local node = self:find(key)
  return node and node.value
end

function Tree:put(key, value)
  local leaf, compare = self.leaf, self.compare
  local parent, node, c = leaf, self.root, 0
  while node ~= leaf do
    parent = node
    c = compare(key, node.key)
    if c == 0 then
      local old = node.value
      node.value = value
      return old
    end
    if c < 0 then node = node.left else node = node.right end
  end
  node = { key = key, value = value, left = leaf, right = leaf, parent = parent, red = true }
  if parent == leaf then
    self.root = node
  elseif c < 0 then
    parent.left = node
  else
    parent.right = node
  end
  self.size = self.size + 1
  self:repair_insert(node)
  return nil
end

function Tree:repair_insert(node)
  while node.parent.red do
    local parent = node.parent
    local grand = parent.parent
    local near, far = "left", "right"
    if parent == grand.right then near, far = far, near end
    local uncle = grand[far]
    if uncle.red then
      parent.red, uncle.red, grand.red = false, false, true
      node = grand
    else
      if node == parent[far] then
        node = parent
        self:rotate(node, near, far)
        parent = node.parent
        grand = parent.parent
      end
      parent.red, grand.red = false, true
      self:rotate(grand, far, near)
    end
  end
  self.root.red = false
end

function Tree:replace(old, new)
  local parent = old.parent
  if parent == self.leaf then
    self.root = new
  elseif parent.left == old then
    parent.left = new
  else
    parent.right = new
  end
  new.parent = parent
end

function Tree:remove(key)
  local node = self:find(key)
  if not node then return nil end
  local leaf = self.leaf
  local removed_red, child = node.red, nil
  if node.left == leaf then
    child = node.right
    self:replace(node, child)
  elseif node.right == leaf then
    child = node.left
    self:replace(node, child)
  else
    local next_node = node.right
    while next_node.left ~= leaf do next_node = next_node.left end
    removed_red = next_node.red
    child = next_node.right
    if next_node.parent == node then
      child.parent = next_node
    else
      self:replace(next_node, child)
      next_node.right = node.right
      next_node.right.parent = next_node
    end
    self:replace(node, next_node)
    next_node.left = node.left
    next_node.left.parent = next_node
    next_node.red = node.red
  end
  self.size = self.size - 1
  if not removed_red then self:repair_remove(child) end
  return node.value
end

function Tree:repair_remove(node)
  while node ~= self.root and not node.red do
    local parent = node.parent
    local near, far = "left", "right"
    if node == parent.right then near, far = far, near end
    local sibling = parent[far]
    if sibling.red then
      sibling.red, parent.red = false, true
      self:rotate(parent, near, far)
      sibling = parent[far]
    end
    if not sibling[near].red and not sibling[far].red then
      sibling.red = true
      node = parent
    else
      if not sibling[far].red then
        sibling[near].red, sibling.red = false, true
        self:rotate(sibling, far, near)
        sibling = parent[far]
      end
      sibling.red, parent.red, sibling[far].red = parent.red, false, false
      self:rotate(parent, near, far)
      node = self.root
    end
  end
  node.red = false
end

local function walk(node, leaf, visit)
  if node == leaf then return end
  walk(node.left, leaf, visit)
  visit(node.key, node.value)
  walk(node.right, leaf, visit)
end

function Tree:each(visit) walk(self.root, self.leaf, visit) end

-- Vectors -----------------------------------------------------------------------------

local function compare_numbers(a, b)
  if a < b then return -1 elseif a > b then return 1 end
  return 0
end

local function compare_cells(a, b)
  local c = compare_numbers(a.x, b.x)
  if c ~= 0 then return c end
  return compare_numbers(a.y, b.y)
end

local function vector(x, y, z) return { x = x, y = y, z = z } end
local function minus(a, b) return vector(a.x - b.x, a.y - b.y, a.z - b.z) end
local function plus(a, b) return vector(a.x + b.x, a.y + b.y, a.z + b.z) end
local function times(a, s) return vector(a.x * s, a.y * s, a.z * s) end
local function dot(a, b) return a.x * b.x + a.y * b.y + a.z * b.z end

-- Detector ------------------------------------------------------------------------------

local CELL, RADIUS = 2.0, 1.0

local Detector = {}
Detector.__index = Detector

function Detector.new()
  return setmetatable({ last = Tree.new(compare_numbers) }, Detector)
end

-- Pairs each aircraft's position with the one of the frame before; forgets the gone.
function Detector:motions(frame)
  local seen, motions = Tree.new(compare_numbers), {}
  for _, plane in ipairs(frame) do
    local old = self.last:put(plane.sign, plane.at)
    seen:put(plane.sign, true)
    motions[#motions + 1] = { sign = plane.sign, from = old or plane.at, to = plane.at }
  end
  local gone = {}
  self.last:each(function(sign)
    if not seen:get(sign) then gone[#gone + 1] = sign end
  end)
  for _, sign in ipairs(gone) do self.last:remove(sign) end
  return motions
end

local function cell_of(v) return { x = floor(v.x / CELL), y = floor(v.y / CELL) } end

-- Puts a motion into every cell that its bounding box, grown by the radius, touches.
local function rasterize(cells, motion)
  local a, b = motion.from, motion.to
  local low = cell_of({ x = math.min(a.x, b.x) - RADIUS, y = math.min(a.y, b.y) - RADIUS })
  local high = cell_of({ x = math.max(a.x, b.x) + RADIUS, y = math.max(a.y, b.y) + RADIUS })
  for x = low.x, high.x do
    for y = low.y, high.y do
      local cell = { x = x, y = y }
      local list = cells:get(cell)
      if not list then
        list = {}
        cells:put(cell, list)
      end
      list[#list + 1] = motion
    end
  end
end

-- Smallest distance of two points that move during the same unit of time.
local function closest(p, q)
  local offset = minus(p.from, q.from)
  local speed = minus(minus(p.to, p.from), minus(q.to, q.from))
  local s2 = dot(speed, speed)
  local t = 0.0
  if s2 > 0.0 then t = math.max(0.0, math.min(1.0, -dot(offset, speed) / s2)) end
  local gap = plus(offset, times(speed, t))
  return sqrt(dot(gap, gap)), t
end

function Detector:collisions(frame)
  local cells = Tree.new(compare_cells)
  for _, motion in ipairs(self:motions(frame)) do rasterize(cells, motion) end
  local found, nearest = Tree.new(compare_numbers), 1e9
  cells:each(function(_, list)
    for i = 1, #list - 1 do
      for j = i + 1, #list do
        local p, q = list[i], list[j]
        local distance = closest(p, q)
        if distance < RADIUS then
          found:put(p.sign * 10000 + q.sign, distance)
          if distance < nearest then nearest = distance end
        end
      end
    end
  end)
  return found.size, nearest
end

local PLANES = 120
local function simulate(frame, t)
  for i = 1, PLANES do
    if (i + floor(t * 4)) % 37 ~= 0 then
      frame[#frame + 1] = {
        sign = i,
        at = vector(25 * sin(t * (i % 7 + 1) * 0.1 + i), cos(t) * 2 + i % 13 * 3 + sin(i), 10.0 + i % 3),
      }
    end
  end
  return frame
end

local frames = tonumber(arg and arg[1]) or 900
local detector, total, nearest = Detector.new(), 0, 1e9
for f = 0, frames - 1 do
  local count, distance = detector:collisions(simulate({}, f / 10.0))
  total = total + count
  if distance < nearest then nearest = distance end
end
print(string.format("collision(%d) = %d %.9f %d", frames, total, nearest, detector.last.size))
