-- storage: grows trees of arrays with random sizes and drops them again.
-- Stresses allocation of arrays of many sizes, table growth, garbage collection.
-- quick: 8

local Random = {}
Random.__index = Random

function Random.new() return setmetatable({ seed = 74755 }, Random) end

function Random:next()
  self.seed = (self.seed * 1309 + 13849) % 65536
  return self.seed
end

local Storage = {}
Storage.__index = Storage

function Storage.new() return setmetatable({ count = 0, random = Random.new() }, Storage) end

function Storage:grow(depth)
  self.count = self.count + 1
  if depth == 1 then
    local leaf = {}
    for i = 1, self.random:next() % 10 + 1 do leaf[i] = false end
    return leaf
  end
  local node = {}
  for i = 1, 4 do node[i] = self:grow(depth - 1) end
  return node
end

local function leaf_slots(tree)
  local sum = 0
  for i = 1, #tree do
    local t = tree[i]
    if t then sum = sum + leaf_slots(t) else sum = sum + 1 end
  end
  return sum
end

local rounds = tonumber(arg and arg[1]) or 600
local s, slots = Storage.new(), 0
for _ = 1, rounds do slots = slots + leaf_slots(s:grow(7)) end
print(string.format("storage(%d) = %d %d", rounds, s.count, slots))
