-- inspect: tables with all kinds of keys, cycles, metatables, and processing.
local inspect = require "inspect"
local t = { 1, 2, "three", { a = 1, ["b c"] = { true, false } }, [10] = 10.5, x = "q'\"\n" }
t.self = t
for i = 1, 200 do inspect(t) end
print(inspect(t))
print(inspect(setmetatable({ 1 }, { __index = { y = 2 } })))
print(inspect({ a = { b = { c = {} } } }, { depth = 2 }))
print(inspect({ 1, 2, 3 }, { newline = "@", indent = "++" }))

-- every kind of key and value, nested to some depth, many times
local function nested(depth, seed)
  local r = { seed, seed / 2, "s" .. seed, depth % 2 == 0, ["key " .. seed] = seed, [seed + 100] = "far", [-1] = 0,
    [1.5] = "float key", [true] = "yes", ["end"] = "word", ["_ok1"] = "name", ["\0\1"] = "\127\27[0m" }
  if depth > 0 then
    r.left, r.right = nested(depth - 1, seed * 2), nested(depth - 1, seed * 2 + 1)
    r.up = r
    r.left.up, r.right.up = r, r
  end
  return r
end
local sums = {}
for seed = 1, 12 do
  local text = inspect(nested(3, seed))
  local sum = 0
  for i = 1, #text do sum = (sum * 31 + text:byte(i)) % 2147483647 end
  sums[seed] = #text .. ":" .. sum
end
print(table.concat(sums, " "))
print(inspect(nested(1, 3)))

-- processing: removal, replacement, paths
local function without_metatables(item, path)
  if path[#path] ~= inspect.METATABLE then return item end
end
local function secret(item, path)
  if path[#path] == "password" then return "***" end
  if type(item) == "table" and item.hidden then return nil end
  return item
end
local users = {}
for i = 1, 40 do
  users[i] = setmetatable({ name = "u" .. i, password = "p" .. i, child = { hidden = i % 3 == 0, n = i } },
    { __name = "User", __tostring = function(u) return u.name end })
end
print(inspect(users[3]))
print(inspect(users[4], { process = without_metatables }))
local text = inspect(users, { process = secret })
print(#text, select(2, text:gsub("%*%*%*", "")), select(2, text:gsub("child", "")))
print(inspect({ print = type(print), 1 / 0, -1 / 0, 2 ^ 53, math.mininteger }))
print(inspect(nil), inspect(12), inspect("it's \"quoted\""), inspect('plain "x"'), inspect(true))
local shared = { 1 }
print(inspect({ shared, shared, { shared } }))
