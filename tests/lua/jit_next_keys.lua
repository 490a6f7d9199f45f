-- `next` with keys that are not in the table, or not any more, called and in loops: the error and
-- the order must not depend on whether the code around is compiled.

local function try(t, ...)
  local ok, k, v = pcall(next, t, ...)
  return ok, k, v
end

-- A call of known `next` that becomes hot, with a key that fails at the end only.
local function walk(t, first)
  local n, sum = 0, 0
  local k, v = next(t, first)
  while k ~= nil do
    n, sum = n + 1, sum + v
    k, v = next(t, k)
  end
  return n, sum
end

local list, fields, mixed = {10, 20}, {a = 1, b = 2}, {1, 2, x = 3, [2.5] = 4, [true] = 5}
for i = 1, 200 do
  assert(walk(list) == 2 and walk(fields) == 2 and walk(mixed) == 5)
end
print(walk(list), walk(list, 1), walk(list, 2))
print(select("#", next({})), next({}), next({}, nil))

-- Absent keys: behind the end of a full array part, zero, negative, fractions, floats with the
-- value of an integer, strings, booleans, tables.
for _, key in ipairs({3, 4, 5, 9, 0, -1, 1.5, 1 << 40, math.maxinteger, math.mininteger, "a", "1", true, false, {}, print}) do
  print(type(key), math.type(key) and key or type(key), pcall(walk, list, key))
end
print(try(list, 3), try(list, 2.0), try(list, 1.0), try(list, 3.0))
print(try({}, 1), try({}, "x"), try({x = 1}, "y"), try({x = 1}, 1), try({10, 20, 30, nil}, 5))
print(try(fields, "c"), try(fields, 1), try(mixed, 3), try(mixed, 2.25), try(mixed, false))
print(pcall(next, fields, 0/0), pcall(next, list, 0/0))
print(pcall(next), pcall(next, 1), pcall(next, nil, 1))

-- A generic loop that starts at a key.
local function from(t, key)
  local out = {}
  for k, v in next, t, key do out[#out + 1] = tostring(k) .. "=" .. tostring(v) end
  return table.concat(out, " ")
end
for i = 1, 100 do from(list, 1) end
print(from(list), from(list, 1), from(list, 2), pcall(from, list, 3))
print(select(2, pcall(from, list, "key")), select(2, pcall(from, fields, 7)))

-- Fields taken away on the way, with collections meanwhile: the walk goes on behind them.
local function clear(t, collect)
  local n = 0
  for k in pairs(t) do
    t[k] = nil
    n = n + 1
    if collect and n % 16 == 0 then collectgarbage() end
  end
  return n, next(t)
end
for r = 1, 20 do
  local t = {}
  for i = 1, 40 do t[i] = i end
  for i = 1, 20 do t["f" .. i] = i t[i + 0.5] = i t[-i] = i end
  local n, left = clear(t, r % 5 == 0)
  assert(n == 100 and left == nil)
end

-- Popped from the end while it is walked: keys behind the present end are still known.
local function pop(t)
  local seen = 0
  for k, v in pairs(t) do
    seen = seen + 1
    t[#t] = nil
    if seen == 3 then t[k] = nil end
  end
  return seen, #t
end
for r = 1, 50 do
  local t = {1, 2, 3, 4, 5, 6, 7, 8}
  local seen = pop(t)
  assert(seen == 4, seen)
end
local t = {1, 2, 3, 4, x = 5}
t[4] = nil t[3] = nil
print(next(t, 3), next(t, 4), pcall(next, t, 5))

-- `next` with a key that the loop itself makes invalid: not an error as long as the key was there.
local function restart(t)
  local k = next(t)
  t[k] = nil
  return next(t, k)
end
for i = 1, 100 do restart({i, i + 1}) restart({a = 1, b = 2}) end
print(restart({5, 6, 7}))
print(select("#", restart({5})), (restart({5})))
