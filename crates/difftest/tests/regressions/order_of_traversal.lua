-- Whether string keys are fields of a shape or in the hash part depends on the shapes that there
-- are, which differ with what is compiled; the order of keys must not.
local function map(n, tag)
  local t = {}
  for i = 1, n do t[tag .. i * 7 % 11] = i end
  return t
end
local function object(a, b)
  local o = {}
  o.first = a
  o.second = nil
  o.third = b
  o.second = a
  return o
end
local function change(t, n)
  for i = 1, n do
    t["x" .. i] = i
    if i % 3 == 0 then t["x" .. i - 1] = nil end
    if i % 5 == 0 then t["x" .. i - 3] = i end
    t[i + 0.5] = i
    t["absent" .. i] = nil
  end
end
for round = 1, 12 do
  for i = 1, 20 do map(1, "sibling" .. i + round * 20) end
  dump(map(10, "k"))
  dump(object(round, "b"))
  local t = object(1, 2)
  change(t, round * 8)
  dump(t)
  local late = setmetatable(object(3, 4), {__index = t})
  change(late, 6)
  show(late.first, late.x90)
  dump(late)
  change(t, 4)
  dump(t)
end
