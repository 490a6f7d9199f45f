-- Loops that allocate until the collector has done something: compiled code
-- needs none of the objects, but the collection has to come.

local function finalizer(loop)
  local finished = false
  local u = setmetatable({}, {__gc = function () finished = true end})
  local n = 1
  u = nil
  if loop == "tables" then
    repeat u = {} until finished
  elseif loop == "nested" then
    repeat u = {{n}} until finished
  elseif loop == "closures" then
    repeat local i; u = function () return i end until finished
  elseif loop == "counting" then
    repeat n = n + 1; local t = {n} until finished
  elseif loop == "inner" then
    repeat for i = 1, 3 do local t = {i}; n = n + t[1] end until finished
  elseif loop == "strings" then
    repeat n = n + 1; u = tostring(n) .. "x" until finished
  elseif loop == "while" then
    while not finished do
      local t = {x = n}
      if t.x > 0 then n = n + 1 else n = n - 1 end
    end
  end
  return n >= 1
end

for _, loop in ipairs {"tables", "nested", "closures", "counting", "inner", "strings", "while"} do
  for _ = 1, 3 do assert(finalizer(loop)) end
  print(loop)
end

local function weak()
  local values, keys = setmetatable({}, {__mode = "v"}), setmetatable({}, {__mode = "k"})
  values[1] = {}
  keys[{}] = true
  while values[1] do local t = {1} end
  while next(keys) do local t = {1} end
  return next(values)
end
print(weak(), weak())
