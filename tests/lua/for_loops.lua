-- Numeric for: kinds, overflow rules, bounds that are floats, errors; generic for.
local function count(a, b, c)
  local n, first, last = 0, nil, nil
  for i = a, b, c or 1 do
    n = n + 1
    first, last = first or i, i
    if n > 20 then break end
  end
  return n, first, last
end
local maxi, mini = math.maxinteger, math.mininteger
print(count(1, 3)); print(count(3, 1)); print(count(3, 1, -1)); print(count(1, 0)); print(count(1, 1))
print(count(maxi - 2, maxi)); print(count(mini + 2, mini, -1)); print(count(maxi, maxi, maxi))
print(count(mini, maxi, maxi)); print(count(maxi, mini, mini)); print(count(1, maxi, 1 << 60))
print(count(1, 3.9)); print(count(1, -0.5)); print(count(3, 0.5, -1)); print(count(1, math.huge, 1 << 61))
print(count(1, -math.huge)); print(count(1, 0/0)); print(count(-1, -math.huge, mini // 2))
print(count(1.0, 3)); print(count(0, 1, 0.25)); print(count(1, 0, -0.25)); print(count(0.1, 0.5, 0.1))
print(count(maxi, maxi + 1.0)); print(count(1, 1e308, 1 << 62)); print(count(2^53, 2^53 + 4, 1.0))
print(count(1.5, 1.5)); print(count(math.huge, 1, -1))
print(pcall(count, 1, 10, 0)); print(pcall(count, 1.0, 10, 0)); print(pcall(count, "1", 2))
print(pcall(count, 1, "2")); print(pcall(count, 1, 2, "1")); print(pcall(count, {}, 2)); print(pcall(count, 1, nil))
-- the loop variable is a copy
local seen = {}
for i = 1, 3 do local j = i; i = i * 10; seen[#seen + 1] = j .. ":" .. i end
print(table.concat(seen, " "))
-- the bounds are evaluated once, in order
local order = {}
local function v(x) order[#order + 1] = x return x end
for i = v(1), v(3), v(2) do order[#order + 1] = "i" .. i end
print(table.concat(order, " "))
local limit = 3
local n = 0
for i = 1, limit do limit = 100; n = n + 1 end
assert(n == 3)
-- generic for
local function iter(s, c) if c < s then return c + 1, c * c end end
for i, sq in iter, 4, 0 do io.write(i, "=", sq, " ") end print()
for k, v in next, {10, 20, 30} do io.write(k, "=", v, " ") end print()
for i, v in ipairs {1, 2, nil, 4} do io.write(i, " ") end print()
for w in string.gmatch("one two three", "%a+") do io.write(w, ".") end print()
print(pcall(function() for x in 5 do end end))
print(pcall(function() for x in nil do end end))
local p = setmetatable({}, {__pairs = function(t) return function(_, k) if not k then return 1, 2 end end, t, nil end})
for k, v in pairs(p) do print("pairs", k, v) end
local prox = setmetatable({}, {__index = function(_, i) if i <= 3 then return i * 2 end end})
for i, v in ipairs(prox) do io.write(i, ":", v, " ") end print()
-- nested loops with breaks
local trace = {}
for i = 1, 3 do
  for j = 1, 3 do
    if j == 2 and i == 2 then break end
    trace[#trace + 1] = i * 10 + j
  end
end
print(table.concat(trace, ","))
local k = 0
while true do k = k + 1 if k > 5 then break end end
repeat local z = k; k = k - 1 until z < 3
print(k)
print("OK")
