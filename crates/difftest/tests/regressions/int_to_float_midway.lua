-- A sum that starts with integers, goes on with floats and meets a string at last.
local function add(a, b)
  return a + b
end
for i = 1, 20 do show(pcall(add, i, 1)) end
for i = 1, 20 do show(pcall(add, i, 0.5)) end
for i = 1, 5 do show(pcall(add, i, "2")) end
show(pcall(add, 1, nil))
show(pcall(add, math.maxinteger, 1))
