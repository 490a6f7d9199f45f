-- Positional parts of table constructors in hot functions: nils, kinds, keys
-- that collide, lists of several batches, open ends.

local function warm(f, ...)
  for _ = 1, 60 do f(...) end
  return f(...)
end
local function show(t, n)
  local out = { "#" .. #t }
  for i = 1, n or #t do out[#out + 1] = tostring(t[i]) end
  return table.concat(out, " ")
end

print(show(warm(function(x) return { x } end, 1)), show(warm(function() return { nil } end), 1))
local function pair(a, b) return { a, b } end
print(show(warm(pair, 1, 2)), show(pair(1.5, 2)), show(pair(nil, 2), 2), show(pair(1, nil), 2), show(pair("a", {}) , 1))
local function triple(a, b, c) return { a, b, c } end
print(show(warm(triple, 1, 2, 3)), show(triple(1, nil, 3), 3), show(triple(nil, nil, 3), 3), show(triple(1, nil, nil), 3))
local function five(a, b, c, d, e) return { a, b, c, d, e } end
print(show(warm(five, 1, 2, 3, 4, 5)), show(five(1, 2, nil, 4, 5), 5), show(five(1, 2, 3, 4, nil), 5), show(five(nil, nil, nil, nil, 5), 5))
local function ints(n) return { n + 0, n + 1, n + 2, n + 3, n + 4, n + 5 } end
print(show(warm(ints, 10)), show(ints(0.5)))
local function floats(x) return { x * 0.5, x * 1.5 } end
print(show(warm(floats, 3)))
local function mixed(n) return { n, n + 0.5, "s", true, n .. "" } end
print(show(warm(mixed, 3)))
local function keyed(a, b) return { x = 1, a, y = 2, b, [1] = "first", [3] = "third" } end
local k = warm(keyed, 10, 20)
print(show(k, 3), k.x, k.y)
local function collides(n) return { [1] = "lost", [2] = "kept", n + 0 } end
local c = warm(collides, 7)
print(c[1], c[2])
local function before(n) return { [2] = "two", n + 1 } end
local b = warm(before, 1)
print(b[1], b[2], #b)
local function open(...) return { ... } end
print(show(warm(open, 1, 2, 3)), show(open()), show(open(nil, 2), 2))
local function openend(a, ...) return { a, "m", ... } end
print(show(warm(openend, 1, 2, 3)), show(openend(1)))
local function results(f) return { f(), f() } end
print(show(warm(results, function() return 1, 2 end)))
local function nested(n) return { { n }, { n, n }, { { n } } } end
local t = warm(nested, 4)
print(t[1][1], #t[2], t[3][1][1])
local function long(n)
  return { n, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26,
    27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52,
    53, 54, 55, 56, n, 58, nil, 60 }
end
local l = warm(long, 1)
local sum = 0
for i = 1, 60 do sum = sum + (l[i] or 1000) end
print(sum, #long(nil) == 60)
local function vectors(n)
  local s = { 0.0, 0.0 }
  for i = 1, n do
    local v = { i * 0.5, -i * 0.25 }
    s = { s[1] + v[1], s[2] + v[2] }
  end
  return s[1], s[2]
end
print(warm(vectors, 100))
