-- Elements in a table's own cell, in buffers and beyond: constructors in all
-- forms, arrays that outgrow their room, sites that learn, and collections
-- meanwhile.

local function show(t)
  local out = { "#" .. #t }
  for i = 1, 8 do out[#out + 1] = tostring(t[i]) end
  return table.concat(out, " ")
end

-- Positional items of one kind, of several, with nil inside and at the end.
local function ints(a, b) return { a, b, a + b } end
local function mixed(a, b) return { a, "x", b, true, 1.5 } end
local function pair(a, b) return { a, b } end
local function holes(a, b) return { a, nil, b, nil, a } end
local function tail(a, b) return { a, b, nil } end
local function nils() return { nil, nil } end
local function keyed(a, b) return { a, x = b, b, [10] = a, a } end
local function first(a, b) return { x = a, y = b, a, b } end
local function long(a) return { a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a } end
for i = 1, 300 do
  ints(i, i) mixed(i, i) pair(i, i) holes(i, i) tail(i, i) nils() keyed(i, i) first(i, i) long(i)
end
print(show(ints(1, 2)), show(mixed(1, 2)))
print(show(pair(1, 2)), show(pair("a", 2.5)), show(pair(1, nil)), show(pair(nil, 2)), show(pair()))
print(show(holes(1, 2)), holes(nil, nil)[1], holes(1, nil)[5])
print(show(tail(1, 2)), show(tail(1, nil)), show(tail(nil, nil)), show(nils()))
print(show(keyed(1, 2)), keyed(1, 2).x, keyed(3, 4)[10], show(first(5, 6)), first(5, 6).y)
print(show(long(7)), #long(7), long(8)[20])
print(pcall(ints, 1), pcall(ints, {}, 2))

-- What was made is filled, outgrows its room, is cut and filled again.
local function outgrow(n)
  local t = { n, n }
  for i = 3, n do t[i] = i end
  local grown = #t
  for i = #t, 1, -1 do t[i] = nil end
  local empty = #t
  for i = 1, 4 do t[#t + 1] = i % 2 == 0 and i or tostring(i) end
  return grown, empty, #t, t[1], t[2], t[4]
end
for n = 2, 130 do outgrow(n) end
for _, n in ipairs { 2, 3, 4, 5, 6, 16, 17, 60, 112, 113, 114, 500 } do print(n, outgrow(n)) end

-- A site whose tables get many elements, then few, then fields.
local function fill(n)
  local t = {}
  for i = 1, n do t[i] = false end
  return t
end
local total = 0
for i = 1, 2000 do total = total + #fill(i % 11) end
print(total, #fill(0), #fill(1), #fill(40), fill(3)[3], fill(3)[4])
local named = fill(2)
named.a, named.b, named.c = 1, 2, 3
named[3] = "three"
print(#named, named.a, named.b, named.c, named[1], named[3])

-- Kinds at the first element, and appended to an empty one again.
local function kinds(v, w)
  local t = {}
  t[1] = v
  t[2] = w
  return math.type(t[1]) or type(t[1]), math.type(t[2]) or type(t[2]), #t
end
for i = 1, 300 do kinds(i, i) end
print(kinds(1, 2)) print(kinds(1.5, 2.5)) print(kinds(1, 2.5)) print(kinds("a", {}))
print(kinds(nil, 2)) print(kinds(true, nil))

-- Constructors whose items are calls: recursion, the last one open.
local function tree(depth)
  if depth == 0 then return { nil, nil } end
  return { tree(depth - 1), tree(depth - 1) }
end
local function count(t)
  if not t[1] then return 1 end
  return 1 + count(t[1]) + count(t[2])
end
local kept = {}
for i = 1, 60 do
  local t = tree(i % 9)
  if i % 20 == 0 then kept[#kept + 1] = t end
  if i % 25 == 0 then collectgarbage() end
end
for _, t in ipairs(kept) do print(count(t), #t) end

local mode = 1
local function results(a)
  if mode == 1 then return a elseif mode == 2 then return a, a + 1 elseif mode == 3 then return end
  return nil
end
local function one(a) return a * 2 end
local function none(a) end
local function open(a) return { a, results(a) } end
local function fixed(a) return { a, one(a) } end
local function only(a) return { one(a) } end
local function nothing(a) return { none(a) } end
local function behind(a) return { a, a, a, none(a) } end
local function many(a) return { a, a, a, a, a, one(a) } end
local function maybe(a) return a > 5 and a or nil end
local function ends(a) return { a, maybe(a) } end
for i = 1, 300 do open(i) fixed(i) only(i) nothing(i) behind(i) many(i) ends(i) end
for m = 1, 4 do mode = m print(m, show(open(3))) end
print(show(fixed(4)), show(fixed(1.5)), show(only(5)), show(nothing(1)), show(behind(2)), show(many(3)))
print(show(ends(7)), show(ends(2)))
print(pcall(fixed, {}), pcall(only, nil))
local Twice = setmetatable({}, { __mul = function() return nil end })
print(show(fixed(Twice)):gsub("table: %S+", "T"), #only(Twice))
print(select("#", pcall(function() return { one(1), error("inside", 0) } end)))

-- A call that takes what a call of known length returns, replaced meanwhile.
local function outer(f, a) return { a, f(a) } end
for i = 1, 300 do outer(one, i) end
print(show(outer(results, 1)), show(outer(one, 1)), show(outer(math.sqrt, 16)))

-- Items that yield, and items that collect.
local function item(a) collectgarbage("step") return a end
local function slow(a) return { coroutine.yield(a), item({ a }), coroutine.yield(a + 1) } end
for i = 1, 60 do
  local co = coroutine.wrap(slow)
  local a = co(i)
  local b = co(a * 2)
  local t = co(b * 2)
  if i % 20 == 0 then print(t[1], t[2][1], t[3], #t) end
end

-- Old tables get young elements while a collection goes on.
local old = {}
for i = 1, 200 do old[i] = { i, { i } } end
for round = 1, 30 do
  for i = 1, #old do
    local o = old[i]
    o[2] = { o[2][1] + 1, tostring(i), { round } }
    if i % 50 == 0 then o[#o + 1] = { round } end
  end
  collectgarbage("step", 8)
end
local sum = 0
for i = 1, #old do sum = sum + old[i][2][1] + #old[i] + old[i][2][3][1] end
print(sum, #old[50], old[50][32][1], old[200][2][2])

-- Weak values and keys in tables with room for elements of their own.
local weak = setmetatable({ {}, {}, old[1] }, { __mode = "v" })
collectgarbage()
print(weak[1], weak[2], weak[3] == old[1])

-- Fields out of line beside elements.
local function wide(i)
  local t = { i, i }
  t.a = i t.b = i t.c = i t.d = i t.e = i t.f = i t.g = i t.h = i t.i = i
  t[3] = t.i
  return t
end
local s = 0
for i = 1, 400 do local t = wide(i) s = s + t.a + t.i + #t + t[3] end
print(s)
