-- Sites with several shapes, stores to and appends at arrays, holes and lengths: what was
-- seen is taken for granted. Then comes what was not.

local function point(x, y) return { x = x, y = y } end
local function named(name, x) return { name = name, x = x } end
local function deep(x) return { a = 1, b = 2, c = 3, d = 4, e = 5, x = x } end

-- Reads of a field of two and three shapes; new shapes, other types, no table.
local function get(o) return o.x end
local function sum(list)
  local s = 0
  for i = 1, #list do
    local o = list[i]
    s = s + o.x
    s = s + get(o)
  end
  return s
end
local list = { point(1, 2), named("n", 3), deep(5) }
for i = 1, 60 do assert(sum(list) == 18) end
print(sum({ point(1.5, 2), named("n", "3"), deep(5) }))
print(sum({ point(1, 2), { x = 7 }, setmetatable({}, { __index = { x = 10 } }) }))
print(pcall(sum, { point(1, 2), {} }))
print(pcall(sum, { point(1, 2), 5 }))
print(pcall(get, nil))
print(sum(list))

-- Writes to a field of several shapes: of other types, by adding it, through `__newindex`.
local function set(o, v) o.x = v return o.x end
for i = 1, 60 do
  for _, o in ipairs(list) do assert(set(o, i) == i) end
end
print(set(point(1, 1), "text"), set(named("n"), 1.5), set(deep(1), nil))
print(set({}, 4), set({ y = 1 }, 5))
local log = {}
local proxy = setmetatable({}, { __newindex = function(_, k, v) log[#log + 1] = k .. v end })
print(set(proxy, 6), log[1])
print(pcall(set, "s", 1))

-- A method found on objects of two classes, with what was known before still good behind it.
local A = {} A.__index = A
function A:size() return self.n end
local B = {} B.__index = B
function B:size() return self.n * 2 end
local function total(a, b)
  local t = 0
  for i = 1, 10 do
    t = t + a:size() + b:size() + a.n
    a.n = a.n + 1
  end
  return t
end
for i = 1, 40 do assert(total(setmetatable({ n = 1 }, A), setmetatable({ n = 2, m = 1 }, B)) == 150) end
print(total(setmetatable({ n = 1 }, B), setmetatable({ n = 2 }, A)))
print(total({ n = 1, size = function(self) return -self.n end }, setmetatable({ n = 2 }, A)))

-- Elements: of mixed kinds, with holes, out of bounds.
local function at(t, i) return t[i] end
local holes = { 1, "two", nil, 4.5, false }
for i = 1, 60 do
  assert(at(holes, 1) == 1 and at(holes, 3) == nil and at(holes, 5) == false)
end
print(at(holes, 2), at(holes, 3), at(holes, 6), at(holes, 0), at(holes, 2.0), at(holes, "k"))
setmetatable(holes, { __index = function(_, k) return "hole " .. k end })
print(at(holes, 2), at(holes, 3), at(holes, 6))
print(at({ 1, nil, 3, k = "hash" }, 2), at({ 10, 20, 30 }, 2))
print(pcall(at, nil, 1))

-- Stores: overwriting, nil, beyond the end, over a hole with `__newindex`.
local function put(t, i, v) t[i] = v return t[i] end
local mixed = { 1, "b", 2.5, true }
for i = 1, 60 do
  assert(put(mixed, 1 + i % 4, i % 2 == 0 and i or "s" .. i))
end
print(put(mixed, 2, nil), put(mixed, 5, "five"), put(mixed, 9, "nine"), put(mixed, 2, "again"), #mixed >= 5)
print(put({ 1, 2, 3 }, 2, 2.5), put({ 1.5 }, 1, 1), put({}, "k", 1), put({}, 1.5, 1))
local guarded = setmetatable({ 1, nil, 3 }, { __newindex = function(t, k, v) rawset(t, k, v * 10) end })
print(put(guarded, 2, 5), put(guarded, 2, 6), put(guarded, 4, 7))
print(pcall(put, 1, 1, 1), pcall(put, {}, nil, 1))

-- Appends: of another kind, of nil, with a metatable, with a hash part.
local function push(t, v) t[#t + 1] = v return #t end
for i = 1, 60 do
  local t = {}
  for k = 1, 12 do assert(push(t, k) == k) end
end
print(push({}, 1.5), push({ 1, 2 }, "three"), push({ 1 }, nil), push({ k = 1, 1 }, 2))
local counted = setmetatable({}, { __len = function() return 4 end, __newindex = function(t, k, v) rawset(t, k, -v) end })
print(push(counted, 5), rawget(counted, 5))
local both = {}
for i = 1, 60 do both[i % 3 + #both // 3] = i end
for i = 1, 80 do
  local t = { 1, 2, 3 }
  for k = 1, 6 do t[k] = k end
  assert(#t == 6 and t[6] == 6)
end

-- Lengths.
local function len(v) return #v end
for i = 1, 60 do assert(len({ 1, 2, i }) == 3) end
print(len({}), len("text"), len({ k = 1 }), len(setmetatable({}, { __len = function() return "many" end })))
print(pcall(len, 5))
