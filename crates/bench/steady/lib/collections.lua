-- Small collection classes, as Lua programs bring them along.

local Vector = {}
Vector.__index = Vector

function Vector.new() return setmetatable({ items = {}, first = 1, last = 0 }, Vector) end

function Vector.of(...)
  local v = Vector.new()
  for i = 1, select("#", ...) do v:append((select(i, ...))) end
  return v
end

function Vector:size() return self.last - self.first + 1 end
function Vector:is_empty() return self.last < self.first end

-- The i-th element, counted from 1; nil outside.
function Vector:at(i)
  local slot = self.first + i - 1
  if i < 1 or slot > self.last then return nil end
  return self.items[slot]
end

function Vector:put(i, value)
  local slot = self.first + i - 1
  if slot > self.last then self.last = slot end
  self.items[slot] = value
end

function Vector:append(value)
  local last = self.last + 1
  self.last = last
  self.items[last] = value
end

function Vector:each(visit)
  for i = self.first, self.last do visit(self.items[i]) end
end

function Vector:any(test)
  for i = self.first, self.last do
    if test(self.items[i]) then return true end
  end
  return false
end

function Vector:find(test)
  for i = self.first, self.last do
    local value = self.items[i]
    if test(value) then return value end
  end
  return nil
end

function Vector:remove_first()
  if self:is_empty() then return nil end
  local value = self.items[self.first]
  self.items[self.first] = false
  self.first = self.first + 1
  return value
end

function Vector:remove_last()
  if self:is_empty() then return nil end
  local value = self.items[self.last]
  self.items[self.last] = false
  self.last = self.last - 1
  return value
end

-- Takes out every element that is `value`; true when there was one.
function Vector:remove(value)
  local items, kept = {}, 0
  local found = false
  self:each(function(x)
    if x == value then
      found = true
    else
      kept = kept + 1
      items[kept] = x
    end
  end)
  self.items, self.first, self.last = items, 1, kept
  return found
end

function Vector:clear()
  self.items, self.first, self.last = {}, 1, 0
end

-- A set of few elements, compared by identity.
local Set = {}
Set.__index = Set

function Set.new() return setmetatable({ elements = Vector.new() }, Set) end
function Set:size() return self.elements:size() end
function Set:contains(value) return self.elements:any(function(x) return x == value end) end
function Set:each(visit) self.elements:each(visit) end

function Set:add(value)
  if self:contains(value) then return false end
  self.elements:append(value)
  return true
end

-- A hash table with chained entries; keys have a method `hash`.
local Entry = {}

function Entry.new(hash, key, value, chain)
  return setmetatable({ hash = hash, key = key, value = value, chain = chain }, { __index = Entry })
end

function Entry:matches(hash, key)
  return self.hash == hash and self.key == key
end

local Dictionary = {}
Dictionary.__index = Dictionary

local function empty_buckets(n)
  local buckets = {}
  for i = 1, n do buckets[i] = false end
  return buckets
end

function Dictionary.new(capacity)
  capacity = capacity or 16
  return setmetatable({ buckets = empty_buckets(capacity), capacity = capacity, count = 0 }, Dictionary)
end

function Dictionary:size() return self.count end

function Dictionary:entry(key)
  local hash = key:hash()
  local e = self.buckets[hash % self.capacity + 1]
  while e do
    if e:matches(hash, key) then return e end
    e = e.chain
  end
  return nil
end

function Dictionary:get(key)
  local e = self:entry(key)
  return e and e.value
end

function Dictionary:has(key) return self:entry(key) ~= nil end

function Dictionary:put(key, value)
  local e = self:entry(key)
  if e then
    e.value = value
    return
  end
  if self.count >= self.capacity * 3 / 4 then self:grow() end
  local hash = key:hash()
  local slot = hash % self.capacity + 1
  self.buckets[slot] = Entry.new(hash, key, value, self.buckets[slot])
  self.count = self.count + 1
end

function Dictionary:grow()
  local old = self.buckets
  local capacity = self.capacity * 2
  local buckets = empty_buckets(capacity)
  for i = 1, self.capacity do
    local e = old[i]
    while e do
      local after = e.chain
      local slot = e.hash % capacity + 1
      e.chain = buckets[slot]
      buckets[slot] = e
      e = after
    end
  end
  self.buckets, self.capacity = buckets, capacity
end

function Dictionary:each(visit)
  for i = 1, self.capacity do
    local e = self.buckets[i]
    while e do
      visit(e.key, e.value)
      e = e.chain
    end
  end
end

-- A linear congruential generator of numbers below 65536.
local Random = {}

function Random.new()
  return setmetatable({ seed = 74755 }, { __index = Random })
end

function Random:next()
  self.seed = (self.seed * 1309 + 13849) % 65536
  return self.seed
end

return { Vector = Vector, Set = Set, Dictionary = Dictionary, Random = Random }
