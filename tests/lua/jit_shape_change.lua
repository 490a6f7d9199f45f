-- Objects whose shape changes while hot code reads and writes their fields.
local function get(o) return o.x + o.y end
local function set(o, v) o.x = v return o.x end
local a = {x = 1, y = 2}
local s = 0
for i = 1, 3000 do s = s + get(a) end
print(s)
for i = 1, 3000 do s = s + get({y = i, x = 1}) end
print(s)
for i = 1, 3000 do local o = {x = i} o.y = 1 s = s + get(o) end
print(s)
for i = 1, 3000 do local o = {x = i, y = i, ["k" .. i % 7] = i} s = s + get(o) end
print(s)
print(pcall(get, {x = 1})); print(pcall(get, {})); print(pcall(get, setmetatable({x = 1}, {__index = {y = 5}}))); print(pcall(get, "str")); print(pcall(get, nil))
-- a field that goes nil and comes back
local p = {x = 1, y = 1, z = 1}
local seen = 0
for i = 1, 4000 do
  if i == 2000 then p.x = nil elseif i == 2500 then p.x = 10 elseif i == 3000 then p.x = 2.5 end
  if p.x then seen = seen + p.x end
end
print(seen)
-- fields added late, in a loop
local o = {}
for i = 1, 3000 do o.n = (o.n or 0) + 1 if i == 1500 then o.extra = "e" end if i == 2500 then o.extra = nil end end
print(o.n, o.extra)
-- a value kind per field changes: integer, float, string, table
local q = {v = 0}
local log = {}
for i = 1, 4000 do
  if i == 1000 then q.v = 0.5 elseif i == 2000 then q.v = "7" elseif i == 3000 then q.v = {} end
  local ok, r = pcall(function() return q.v + 1 end)
  if i % 1000 == 999 or i % 1000 == 0 then log[#log + 1] = tostring(ok) .. ":" .. (ok and tostring(r) or "error") end
end
print(table.concat(log, " "))
-- many fields: dictionary mode
local big = {}
for i = 1, 3000 do big["f" .. i] = i end
local t = 0
for i = 1, 3000 do t = t + big["f" .. i] end
print(t, set(big, 5), big.x, set({}, "new"), set(setmetatable({}, {__newindex = function(o, k, v) rawset(o, k, v .. "!") end}), "hooked"))
for i = 1, 3000 do big["f" .. i] = nil end
print(next(big), big.x)
print("OK")
