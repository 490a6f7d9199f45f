-- Loops of compiled code that end when a collection clears a weak value or runs a finalizer.
local A = 0
local x = {[1] = {}}
setmetatable(x, {__mode = 'kv'})
while x[1] do
  local a = A..A..A..A
  A = A+1
end
print("cleared", A > 0)

local function values()
  local cache = setmetatable({ field = {} }, { __mode = "v" })
  cache.field = {} -- no constant
  local i = 0
  while cache.field do i = i + 1; local s = tostring(i) .. "x" end
  return i > 0
end
for _ = 1, 5 do print(values()) end

local function finalized()
  local finish = false
  local u = setmetatable({}, { __gc = function() finish = true end })
  local kept = { 34 }
  local i = 1
  repeat i = i + 1; u = tostring(i) .. tostring(i) until finish
  return kept[1]
end
for _ = 1, 5 do print(finalized()) end
