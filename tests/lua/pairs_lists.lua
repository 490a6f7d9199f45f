-- pairs over lists that change meanwhile, have holes, or are more than lists.

local function keys(t)
  local out = {}
  for k, v in pairs(t) do out[#out + 1] = tostring(k) .. "=" .. tostring(v) end
  table.sort(out)
  return table.concat(out, " ")
end

local function sum(t)
  local s = 0
  for k, v in pairs(t) do s = s + k * v end
  return s
end

for i = 1, 40 do sum({1, 2, i}) end
print("list", sum({1, 2, 3}), sum({}), sum({5}), sum({1.5, 2.5}), sum({1, 2.5, 3}))

local holes = {1, 2, 3, 4, 5, 6}
holes[2], holes[5] = nil, nil
print("holes", sum(holes))
holes[6], holes[1] = nil, nil
print("ends", sum(holes), next(holes))

-- The key 0 and negative ones are behind the elements.
local function count(t) local n = 0 for k in pairs(t) do n = n + 1 if n > 50 then return "endless" end end return n end
for i = 1, 40 do count({1, 2, i}) end
print("zero", count({[0] = 1, 2, 3}), count({[0] = 1}), count({[-1] = 1, [0] = 2, 3}), count({[0] = 1, 2, [5] = 3, x = 1}))
for i = 1, 40 do count({[0] = i, 2, i}) end
print("zero", count({[0] = 1, 2, 3}), sum({[0] = 1, 2, 3}), next({[0] = 5}, nil))

local sparse = {1, 2, 3, [10] = 4, [20.5] = 2, [-1] = 7}
print("sparse", sum(sparse))

for i = 1, 5 do
  print("mixed", keys({1, 2, 3, x = 4}), keys({x = 1, 2}), keys({[1] = "a", [2] = "b", y = false}))
end

-- Assigning to fields that exist, clearing them, in the middle of the traversal.
local function clear(t)
  local n = 0
  for k in pairs(t) do t[k] = nil n = n + k end
  return n, next(t)
end
for i = 1, 30 do clear({1, 2, 3, 4}) end
print("clear", clear({1, 2, 3, 4, 5, 6, 7, 8}))

local function double(t) for k, v in pairs(t) do t[k] = v * 2 end return sum(t) end
for i = 1, 30 do double({1, 2, 3}) end
print("double", double({1, 2, 3, 4}), double({1.5, 2}))

local function drop_behind(t)
  local seen = 0
  for k in pairs(t) do
    seen = seen + 1
    for j = k + 1, #t do t[j] = nil end
  end
  return seen
end
for i = 1, 30 do drop_behind({1, 2, 3}) end
print("drop", drop_behind({1, 2, 3, 4, 5}))

-- next from the middle, from a key that is not there.
local function from(t, k) return next(t, k) end
print("next", from({10, 20, 30}, 1), from({10, 20, 30}, 2), from({10, 20, 30}, 3), from({10, 20}, nil))
print(pcall(from, {10, 20}, "nope"))
print(pcall(function() for k in next, {1, 2}, 7 do print(k) end end))

-- A control value that is a float or something else in the middle of a loop.
local function control(t, k)
  local n = 0
  for i, v in next, t, k do n = n + i * v end
  return n
end
for i = 1, 30 do control({1, 2, 3}, nil) end
print("control", control({1, 2, 3}, nil), control({1, 2, 3}, 1), pcall(control, {1, 2, 3}, 2.0), control({1, 2, 3}, 3))
print(select("#", control({}, nil)))

-- __pairs.
local proxy = setmetatable({}, {__pairs = function(t) return function(_, k) k = (k or 0) + 1 if k < 4 then return k, k * k end end, t, nil end})
print("__pairs", sum(proxy), sum({1, 2}), sum(proxy))
