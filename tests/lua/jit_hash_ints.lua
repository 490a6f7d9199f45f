-- Integer keys in the hash part: zero-based arrays, constructors that give a key twice, keys far
-- behind the elements that the elements reach later, arrays filled backwards.

local function pairs_of(t)
  local list = {}
  for k, v in pairs(t) do list[#list + 1] = tostring(k) .. "=" .. tostring(v) end
  table.sort(list)
  return table.concat(list, " ")
end

print(pairs_of {[3] = "x", 10, 20, 30}, #{[3] = "x", 10, 20, 30})
print(pairs_of {[2] = "a", [3] = "b", 1}, pairs_of {[1] = "a", nil, "c"})
print(pairs_of {[1] = "a", [2] = "b", [3] = "c", 1, 2, nil})
print(pairs_of {10, [1] = "late"}, pairs_of {[4] = 4, [6] = 6, 1, 2, 3, [5] = 5})

-- Appending behind a key 0, with a string key, and with a key that is in the way.
local function fill(t, n)
  for i = 1, n do t[i] = i * 2 end
  return #t
end
local function append(t, n)
  for i = 1, n do t[#t + 1] = i end
  return #t
end
local function insert(t, n)
  for i = 1, n do table.insert(t, i) end
  return #t
end
for round = 1, 30 do
  for _, f in ipairs {fill, append, insert} do
    local zero, named, far = {[0] = "zero"}, {name = 1, [-1] = 2, [1.5] = 3}, {[20] = "far", [21] = "farther"}
    local r = {f(zero, 30), f(named, 30), fill(far, 19), fill(far, round % 3)}
    if round % 10 == 0 then
      print(table.concat(r, " "), pairs_of(zero), pairs_of(named), pairs_of(far))
    end
  end
end

-- A key that was removed again before the elements reach it.
local function gone(n)
  local t = {[0] = 0}
  t[n] = "here"
  t[n] = nil
  for i = 1, n + 2 do t[i] = i end
  local count = 0
  for _ in pairs(t) do count = count + 1 end
  return count, #t
end
for i = 1, 40 do gone(10) end
print(gone(5), gone(50))

local function backwards(n)
  local t = {[0] = 0}
  for i = n, 1, -1 do t[i] = i end
  for i = n + 1, n + 10 do t[i] = i end
  local count = 0
  for k, v in pairs(t) do count = count + 1 assert(k == v) end
  return count, #t
end
for i = 1, 40 do backwards(i) end
print(backwards(5), backwards(100))

-- A metatable that comes later sees the stores.
local log = 0
local function watched(n)
  local t = {[0] = 0}
  for i = 1, n do
    if i == n - 2 then setmetatable(t, {__newindex = function(t, k, v) log = log + 1 rawset(t, k, v) end}) end
    t[i] = i
  end
  return #t
end
for i = 1, 40 do watched(12) end
print(watched(12), log)

-- Metamethods get a float key as it is.
local function at(t, k) return t[k] end
local function put(t, k, v) t[k] = v end
local kinds = setmetatable({}, {
  __index = function(_, k) return math.type(k) end,
  __newindex = function(t, k, v) rawset(t, v, math.type(k)) end,
})
for i = 1, 40 do at(kinds, i) at(kinds, i + 0.0) put(kinds, i + 0.0, "a") end
print(at(kinds, 3), at(kinds, 3.0), kinds[3.0], kinds[2 ^ 53], kinds.a)

-- Rows of the dynamic programming kind.
local function lcs(a, b)
  local p = {}
  for j = 0, #b do p[j] = 0 end
  for i = 1, #a do
    local q = {[0] = 0}
    for j = 1, #b do
      if a:byte(i) == b:byte(j) then q[j] = p[j - 1] + 1 else q[j] = math.max(p[j], q[j - 1]) end
    end
    p = q
  end
  return p[#b]
end
for i = 1, 20 do lcs("abcdab", "bdcaba") end
print(lcs(("abcde"):rep(12), ("badce"):rep(12)))
