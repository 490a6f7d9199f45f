-- havlak: finds the nested loops of control flow graphs, reducible or not, with the
-- interval algorithm of Tarjan and Havlak.
-- Stresses object graphs, arrays and sets of objects (tables as keys), union-find
-- with path compression, depth-first search.
-- quick: 4

-- Control flow graph -----------------------------------------------------------

local Block = {}
Block.__index = Block

local Graph = {}
Graph.__index = Graph

function Graph.new() return setmetatable({ blocks = {} }, Graph) end

function Graph:block()
  local b = setmetatable({ name = #self.blocks + 1, pred = {}, succ = {} }, Block)
  self.blocks[b.name] = b
  return b
end

function Graph:edge(from, to)
  from.succ[#from.succ + 1] = to
  to.pred[#to.pred + 1] = from
end

-- Shapes that the graph is made of; each takes its entry and returns its exit.

function Graph:straight(from, n)
  for _ = 1, n do
    local next_block = self:block()
    self:edge(from, next_block)
    from = next_block
  end
  return from
end

function Graph:diamond(from)
  local left, right, join = self:block(), self:block(), self:block()
  self:edge(from, left)
  self:edge(from, right)
  self:edge(left, join)
  self:edge(right, join)
  return join
end

function Graph:nest(from, depth, width)
  if depth == 0 then return self:diamond(from) end
  local header = self:straight(from, 1)
  local at = header
  for _ = 1, width do at = self:nest(at, depth - 1, width) end
  local latch = self:straight(at, 1)
  self:edge(latch, header)
  return self:straight(latch, 1)
end

-- A loop with two entries.
function Graph:irreducible(from)
  local a, b, out = self:block(), self:block(), self:block()
  self:edge(from, a)
  self:edge(from, b)
  self:edge(a, b)
  self:edge(b, a)
  self:edge(b, out)
  return out
end

local function build(size)
  local g = Graph.new()
  local at = g:block()
  for i = 1, size do
    at = g:nest(at, 3, 2)
    if i % 3 == 0 then at = g:irreducible(at) end
    at = g:straight(at, 4)
  end
  return g
end

-- Union-find over depth-first numbers --------------------------------------------------

local Set = {}
Set.__index = Set

function Set:find()
  local root = self
  while root.parent ~= root do root = root.parent end
  local node = self
  while node.parent ~= root do
    node.parent, node = root, node.parent
  end
  return root
end

-- Loop finder -----------------------------------------------------------------------------

local Loop = {}
Loop.__index = Loop

function Loop.new(header, reducible)
  return setmetatable({ header = header, reducible = reducible, parent = nil, blocks = 0, depth = nil }, Loop)
end

function Loop:nesting()
  if not self.depth then
    self.depth = self.parent and self.parent:nesting() + 1 or 1
  end
  return self.depth
end

-- Numbers the blocks in preorder without recursing; returns sets, numbers, last descendants.
local function depth_first(graph)
  local number, last, sets = {}, {}, {}
  local root = graph.blocks[1]
  local stack, cursor = { root }, { 0 }
  number[root] = 1
  sets[1] = setmetatable({ index = 1, block = root }, Set)
  local count = 1
  while #stack > 0 do
    local top = #stack
    local block = stack[top]
    cursor[top] = cursor[top] + 1
    local succ = block.succ[cursor[top]]
    if succ == nil then
      last[number[block]] = count
      stack[top], cursor[top] = nil, nil
    elseif not number[succ] then
      count = count + 1
      number[succ] = count
      sets[count] = setmetatable({ index = count, block = succ }, Set)
      stack[top + 1], cursor[top + 1] = succ, 0
    end
  end
  for _, s in ipairs(sets) do s.parent = s end
  return sets, number, last
end

local function find_loops(graph)
  local sets, number, last = depth_first(graph)
  local n = #sets
  local function is_ancestor(w, v) return w <= v and v <= last[w] end

  local back, other = {}, {}
  for w = 1, n do
    local b, o = {}, {}
    for _, p in ipairs(sets[w].block.pred) do
      local v = number[p]
      if v then
        if is_ancestor(w, v) then b[#b + 1] = v else o[#o + 1] = v end
      end
    end
    back[w], other[w] = b, o
  end

  local loops, loop_of = {}, {}
  for w = n, 1, -1 do
    local pool, in_pool, self_loop = {}, {}, false
    for _, v in ipairs(back[w]) do
      if v == w then
        self_loop = true
      else
        local s = sets[v]:find()
        if not in_pool[s] then
          in_pool[s] = true
          pool[#pool + 1] = s
        end
      end
    end

    local reducible = true
    local i = 1
    while i <= #pool do
      local x = pool[i]
      for _, y in ipairs(other[x.index]) do
        local s = sets[y]:find()
        if not is_ancestor(w, s.index) then
          reducible = false
          local list = other[w]
          list[#list + 1] = s.index
        elseif s.index ~= w and not in_pool[s] then
          in_pool[s] = true
          pool[#pool + 1] = s
        end
      end
      i = i + 1
    end

    if #pool > 0 or self_loop then
      local loop = Loop.new(sets[w].block, reducible)
      loops[#loops + 1] = loop
      loop_of[sets[w]] = loop
      for _, s in ipairs(pool) do
        s.parent = sets[w]
        local inner = loop_of[s]
        if inner then inner.parent = loop else loop.blocks = loop.blocks + 1 end
      end
    end
  end
  return loops
end

local rounds = tonumber(arg and arg[1]) or 300
local graph = build(60)
local loops, depth_sum, irreducible, blocks = 0, 0, 0, 0
for _ = 1, rounds do
  for _, loop in ipairs(find_loops(graph)) do
    loops = loops + 1
    depth_sum = depth_sum + loop:nesting()
    blocks = blocks + loop.blocks
    if not loop.reducible then irreducible = irreducible + 1 end
  end
end
print(string.format("havlak(%d) = %d %d %d %d %d", rounds, #graph.blocks, loops, depth_sum, irreducible, blocks))
