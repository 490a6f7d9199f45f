-- havlak: finds the nested loops of control flow graphs with the interval algorithm of
-- Tarjan and Havlak; classes for blocks, graphs, loops and union-find nodes.
-- quick: 1
-- full: 3

local Benchmark = require("benchmark")
local collections = require("collections")
local Vector, Set, Dictionary = collections.Vector, collections.Set, collections.Dictionary

-- Control flow graph ---------------------------------------------------------------

local Block = {}
Block.__index = Block

function Block.new(name)
  return setmetatable({ name = name, preds = Vector.new(), succs = Vector.new() }, Block)
end

function Block:hash() return self.name end

local Graph = {}
Graph.__index = Graph

function Graph.new() return setmetatable({ blocks = Vector.new(), start = nil }, Graph) end

function Graph:block()
  local block = Block.new(self.blocks:size() + 1)
  self.blocks:append(block)
  if self.start == nil then self.start = block end
  return block
end

function Graph:edge(from, to)
  from.succs:append(to)
  to.preds:append(from)
end

function Graph:straight(from, n)
  for _ = 1, n do
    local to = self:block()
    self:edge(from, to)
    from = to
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

function Graph:irreducible(from)
  local a, b, out = self:block(), self:block(), self:block()
  self:edge(from, a)
  self:edge(from, b)
  self:edge(a, b)
  self:edge(b, a)
  self:edge(b, out)
  return out
end

-- Loops ------------------------------------------------------------------------------

local Loop = {}

function Loop.new(header, reducible, number)
  local loop = {
    header = header,
    reducible = reducible,
    number = number,
    parent = nil,
    is_root = false,
    level = 0,
    children = Set.new(),
    blocks = Set.new(),
  }
  return setmetatable(loop, { __index = Loop })
end

function Loop:set_parent(parent)
  self.parent = parent
  parent.children:add(self)
end

function Loop:add_block(block) self.blocks:add(block) end

local Structure = {}
Structure.__index = Structure

function Structure.new()
  local self = setmetatable({ loops = Vector.new(), root = Loop.new(nil, true, 0), depths = 0, irreducible = 0 }, Structure)
  self.root.is_root = true
  return self
end

function Structure:new_loop(header, reducible)
  local loop = Loop.new(header, reducible, self.loops:size() + 1)
  self.loops:append(loop)
  return loop
end

function Structure:nest()
  self.loops:each(function(loop)
    if loop.parent == nil then loop:set_parent(self.root) end
  end)
  self:nest_below(self.root, 0)
end

function Structure:nest_below(loop, depth)
  loop.level = depth
  self.depths = self.depths + depth
  if not loop.reducible then self.irreducible = self.irreducible + 1 end
  loop.children:each(function(child) self:nest_below(child, depth + 1) end)
end

-- Union-find ---------------------------------------------------------------------------

local Node = {}
Node.__index = Node

function Node.new(block, number)
  local node = setmetatable({ parent = nil, block = block, number = number, loop = nil }, Node)
  node.parent = node
  return node
end

function Node:find()
  local path = Vector.new()
  local node = self
  while node.parent ~= node do
    if node.parent ~= node.parent.parent then path:append(node) end
    node = node.parent
  end
  path:each(function(n) n.parent = node end)
  return node
end

-- Finder -------------------------------------------------------------------------------

local Finder = {}
Finder.__index = Finder

local NON_HEADER, REDUCIBLE, SELF, IRREDUCIBLE = 1, 2, 3, 4

function Finder.new(graph, structure)
  return setmetatable({
    graph = graph,
    structure = structure,
    numbers = Dictionary.new(64),
    nodes = Vector.new(),
    last = {},
    kinds = {},
    back = {},
    other = {},
  }, Finder)
end

function Finder:visit(block)
  local number = self.nodes:size() + 1
  self.nodes:append(Node.new(block, number))
  self.numbers:put(block, number)
  block.succs:each(function(to)
    if not self.numbers:has(to) then self:visit(to) end
  end)
  self.last[number] = self.nodes:size()
end

function Finder:is_ancestor(w, v) return w <= v and v <= self.last[w] end

function Finder:classify_edges()
  for w = 1, self.nodes:size() do
    self.kinds[w] = NON_HEADER
    local back, other = Vector.new(), Set.new()
    self.nodes:at(w).block.preds:each(function(from)
      local v = self.numbers:get(from)
      if v ~= nil then
        if self:is_ancestor(w, v) then back:append(v) else other:add(v) end
      end
    end)
    self.back[w], self.other[w] = back, other
  end
end

function Finder:collect_body(w, pool)
  self.back[w]:each(function(v)
    if v == w then
      self.kinds[w] = SELF
    else
      local node = self.nodes:at(v):find()
      if not pool:any(function(x) return x == node end) then pool:append(node) end
    end
  end)
end

function Finder:extend_body(w, pool)
  local work = Vector.new()
  pool:each(function(node) work:append(node) end)
  if not work:is_empty() then self.kinds[w] = REDUCIBLE end
  while not work:is_empty() do
    local x = work:remove_first()
    self.other[x.number]:each(function(y)
      local node = self.nodes:at(y):find()
      if not self:is_ancestor(w, node.number) then
        self.kinds[w] = IRREDUCIBLE
        self.other[w]:add(node.number)
      elseif node.number ~= w and not pool:any(function(n) return n == node end) then
        work:append(node)
        pool:append(node)
      end
    end)
  end
end

function Finder:close_loop(w, pool)
  local kind = self.kinds[w]
  if pool:is_empty() and kind ~= SELF then return end
  local head = self.nodes:at(w)
  local loop = self.structure:new_loop(head.block, kind ~= IRREDUCIBLE)
  head.loop = loop
  pool:each(function(node)
    node.parent = head
    if node.loop ~= nil then node.loop:set_parent(loop) else loop:add_block(node.block) end
  end)
end

function Finder:run()
  self:visit(self.graph.start)
  self:classify_edges()
  for w = self.nodes:size(), 1, -1 do
    local pool = Vector.new()
    self:collect_body(w, pool)
    self:extend_body(w, pool)
    self:close_loop(w, pool)
  end
end

-- ------------------------------------------------------------------------------------------

local Havlak = Benchmark:extend("havlak")

function Havlak:build()
  local g = Graph.new()
  local at = g:block()
  for i = 1, 8 do
    at = g:nest(at, 3, 2)
    if i % 3 == 0 then at = g:irreducible(at) end
    at = g:straight(at, 4)
  end
  return g
end

function Havlak:run()
  self.graph = self.graph or self:build()
  local loops, depths, irreducible = 0, 0, 0
  for _ = 1, 10 do
    local structure = Structure.new()
    Finder.new(self.graph, structure):run()
    structure:nest()
    loops = loops + structure.loops:size()
    depths = depths + structure.depths
    irreducible = irreducible + structure.irreducible
  end
  return loops * 1000000 + depths * 100 + irreducible
end

Havlak.expected = 580138020

return Havlak
