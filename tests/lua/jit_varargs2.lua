-- Extra arguments in compiled code: in a known number, through select, and
-- with select replaced or misused.

local function warm(f, ...)
  for _ = 1, 60 do f(...) end
  return f(...)
end

local function first(...) local a = ... return a end
local function firsts(...) local a, b, c = ... return a, b, c end
local function after(x, ...) local a, b = ... return x, b, a end
print(warm(first, 1, 2), first(), first(nil, 3), first("s"))
print(warm(firsts, 1, 2, 3))
print(firsts(1))
print(firsts())
print(firsts(nil, nil, "c", "d"))
print(warm(after, 0, 1, 2))
print(after(0, 1))
print(after())
local function nine(...) local a, b, c, d, e, f, g, h, i = ... return i, a end
print(warm(nine, 1, 2, 3, 4, 5, 6, 7, 8, 9))
print(nine(1))

local function count(...) return (select("#", ...)) end
print(warm(count, 1, nil, nil), count(), count(nil), count(1, 2, 3, 4))
local function nth(n, ...) return (select(n, ...)) end
print(warm(nth, 2, "a", "b", "c"), nth(3, "a", "b"), nth(1))
print(nth(-1, "a", "b", "z"), nth("2", "a", "b"), nth(2.0, "x", "y"))
print(pcall(nth, 0, "a"))
print(pcall(nth, -5, "a"))
print(pcall(nth, "x", "a"))
print(pcall(nth, 1.5, "a"))
local function two(n, ...) local a, b = select(n, ...) return a, b end
print(warm(two, 1, "x", "y"))
print(two(2, "x", "y"))
print(two(9, "x", "y"))
local function sum(...)
  local s = 0
  for i = 1, select("#", ...) do s = s + select(i, ...) end
  return s
end
print(warm(sum, 1, 2, 3, 4), sum(), sum(0.5, 1), pcall(sum, 1, {}))
local function alternate(...)
  local out = {}
  for i = select("#", ...), 1, -1 do
    local v = select(i, ...)
    out[#out + 1] = tostring(v)
  end
  return table.concat(out, " ")
end
print(warm(alternate, 1, "two", nil, false, 4.5))

-- a long loop in the main chunk, whose varargs are the script's arguments
local n = 0
for i = 1, 200 do n = n + select("#", ...) + i end
print(n)

-- select replaced
local original = select
print(warm(count, 5, 6))
select = function(...) return "mine", ... end
print(count(5, 6), (nth(1, "q")))
select = original
print(count(5, 6), nth(1, "q"))

-- varargs that are objects survive collections
local function hold(...)
  local kept = {}
  for i = 1, select("#", ...) do
    local v = select(i, ...)
    for _ = 1, 20 do kept[#kept % 5 + 1] = { v[1] } end
  end
  local a, b = ...
  return a[1] + b[1] + select("#", ...)
end
print(warm(hold, { 1 }, { 2 }, { 3 }))
collectgarbage()
print(hold({ 10 }, { 20 }))

-- inside coroutines of calls: recursion with a changing count
local function shift(n, ...)
  if n == 0 then return select("#", ...), ... end
  return shift(n - 1, n, ...)
end
print(warm(shift, 5))
local function outer(...)
  local function inner(...) local a, b = ... return b, a, (select("#", ...)) end
  return inner(...)
end
print(warm(outer, 1, 2, 3))
print(outer(1))
