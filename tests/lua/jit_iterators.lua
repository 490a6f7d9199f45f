-- Generic loops in compiled code: pairs, ipairs, next, Lua iterators; tables
-- that change, have holes or metatables, and loops whose iterator changes.

local function repeated(f, ...)
  local r
  for _ = 1, 60 do r = f(...) end
  return r
end

-- sums over arrays, typed and mixed
local function sum(t)
  local s = 0
  for _, v in ipairs(t) do s = s + v end
  return s
end
print(repeated(sum, { 1, 2, 3 }), repeated(sum, { 1.5, 2.5 }), repeated(sum, {}))
print(sum({ 1, 2.5, 3 }), sum({ 1, nil, 3 }))
print(pcall(sum, { 1, "x", 3 }))
print(pcall(sum, nil))
print((select(2, pcall(sum))))

-- only the index
local function count(t)
  local n = 0
  for i in ipairs(t) do n = n + i end
  return n
end
print(repeated(count, { "a", "b", "c" }), repeated(count, {}))

-- holes end the loop, the hash part continues it
local holes = { 1, 2, 3, 4, 5 }
holes[3] = nil
print(repeated(sum, holes))
local late = {}
late[2] = 20
late[3] = 30
print(repeated(sum, late))
late[1] = 10
print(repeated(sum, late))

-- __index continues behind the elements
local proxy = setmetatable({ 1, 2 }, { __index = function(_, i) if i <= 5 then return i * 10 end end })
print(repeated(sum, proxy))
local inherits = setmetatable({ 1 }, { __index = { 100, 200, 300 } })
print(repeated(sum, inherits))

-- elements that change under the loop
local function doubling(t)
  local n = 0
  for i, v in ipairs(t) do
    if i < 20 and v < 100 then t[#t + 1] = v + i end
    n = n + v
  end
  return n
end
for _ = 1, 40 do assert(doubling({ 1, 2 }) == doubling({ 1, 2 })) end
print(doubling({ 1, 2 }))
local function shrinking(t)
  local seen = {}
  for i, v in ipairs(t) do
    seen[#seen + 1] = v
    if i == 2 then t[#t] = nil end
  end
  return table.concat(seen, ",")
end
for _ = 1, 40 do shrinking({ 1, 2, 3, 4 }) end
print(shrinking({ 1, 2, 3, 4 }))

-- pairs over records, arrays and both
local function keys(t)
  local out = {}
  for k, v in pairs(t) do out[#out + 1] = tostring(k) .. "=" .. tostring(v) end
  table.sort(out)
  return table.concat(out, " ")
end
print(repeated(keys, { a = 1, b = 2 }))
print(repeated(keys, { 10, 20, 30 }))
print(repeated(keys, { 10, 20, x = 1, [2.5] = "f", [true] = false, [-1] = 0 }))
print(repeated(keys, {}))

-- assignment and removal while traversing
local function clear(t)
  for k in pairs(t) do t[k] = nil end
  return next(t)
end
local function filled()
  local t = {}
  for i = 1, 10 do t[i] = i; t["k" .. i] = i; t[i + 0.5] = i end
  return t
end
for _ = 1, 40 do clear(filled()) end
print(clear(filled()))
local function change(t)
  local n = 0
  for k, v in pairs(t) do t[k] = v + 1; n = n + v end
  return n
end
local changing = filled()
for _ = 1, 40 do change(changing) end
print(change(changing), changing[1], changing.k10, changing[3.5])

-- next by hand, and as the iterator
local function by_hand(t)
  local n, k, v = 0, next(t)
  while k ~= nil do
    n = n + v
    k, v = next(t, k)
  end
  return n
end
print(repeated(by_hand, { 1, 2, 3, a = 4, b = 5 }), repeated(by_hand, {}))
local function raw(t)
  local n = 0
  for _, v in next, t do n = n + v end
  return n
end
print(repeated(raw, { 5, 6, z = 7 }))
local function is_empty(t) return next(t) == nil end
print(repeated(is_empty, {}), is_empty({ 1 }), is_empty({ a = 1 }))
print(pcall(next, {}, "no such key"))
local function bad_next(t, k) local a = next(t, k) return a end
for _ = 1, 40 do bad_next({ x = 1 }) end
print(pcall(bad_next, { x = 1 }, "y"))
print(pcall(bad_next, 5))

-- __pairs
local view = setmetatable({ 1, 2, 3 }, {
  __pairs = function(t)
    return function(_, k)
      k = (k or 0) + 1
      if k <= 2 then return k, t[k] * 100 end
    end, t, nil
  end,
})
print(keys(view), repeated(keys, view))
print(repeated(keys, { 1, 2 }))

-- iterators in Lua: stateless, closures, with one, two and three variables
local function step(n, i) if i < n then return i + 1, i * i end end
local function squares(n)
  local s = 0
  for i, q in step, n, 0 do s = s + q - i end
  return s
end
print(repeated(squares, 10))
local function range(n)
  local i = 0
  return function()
    i = i + 1
    if i <= n then return i end
  end
end
local function total(n)
  local s = 0
  for i in range(n) do s = s + i end
  return s
end
print(repeated(total, 100))
local function three(n)
  local out = 0
  for a, b, c in function(_, k) if k < n then return k + 1, k, "x" end end, nil, 0 do
    out = out + a * b + #c
  end
  return out
end
print(repeated(three, 5))
-- iterators that give fewer or more values than there are variables
local function few(n)
  local out = {}
  for a, b, c in range(n) do out[#out + 1] = tostring(a) .. tostring(b) .. tostring(c) end
  return table.concat(out, " ")
end
print(repeated(few, 2))
local function many()
  local i, out = 0, 0
  for a in function() i = i + 1; if i < 4 then return i, 1, 2, 3 end end do out = out + a end
  return out
end
print(repeated(many))

-- the iterator changes its kind
local function drain(f, s, c)
  local n = 0
  for k, v in f, s, c do n = n + (tonumber(v) or 1) end
  return n
end
for _ = 1, 40 do drain(next, { 1, 2, 3 }) end
print(drain(next, { 4, 5 }), drain(ipairs({ 1, 2 })), drain(range(3)))
print(drain(setmetatable({}, { __call = function(_, s, c) if not c then return 1, s end end }), 42))
print(pcall(drain, 5))
print(pcall(drain))
for _ = 1, 40 do drain(ipairs({ 1, 2 })) end
print(drain(ipairs({ 9 })), drain(next, { x = 8 }))

-- errors, break and closures inside
local function first_over(t, n)
  for i, v in ipairs(t) do
    if v > n then return i, v end
  end
end
for _ = 1, 60 do first_over({ 1, 2, 3 }, 1) end
print(first_over({ 1, 2, 3 }, 1))
print(first_over({ 1, 2, 3 }, 5))
local function captured(t)
  local fs = {}
  for i, v in ipairs(t) do fs[i] = function() return i * v end end
  local s = 0
  for _, f in ipairs(fs) do s = s + f() end
  return s
end
print(repeated(captured, { 1, 2, 3 }))
local function nested(t)
  local s = 0
  for _, row in ipairs(t) do
    for k, v in pairs(row) do
      if v == 0 then break end
      s = s + v * #tostring(k)
    end
  end
  return s
end
print(repeated(nested, { { 1, 2 }, { a = 3 }, {}, { 4, 0, 5 } }))

-- strings are indexable
local function over_string(s)
  local n = 0
  for _ in ipairs(s) do n = n + 1 end
  return n
end
print(repeated(over_string, "abc"))
-- ipairs of a table with a string key as well
print(repeated(sum, { 1, 2, 3, name = "x" }))

-- many pairs loops at once do not disturb each other
local A, B = {}, {}
for i = 1, 30 do A["a" .. i] = i; B["b" .. i] = i end
local function product()
  local n = 0
  for _, x in pairs(A) do
    for _, y in pairs(B) do n = n + x * y end
  end
  return n
end
print(repeated(product))
