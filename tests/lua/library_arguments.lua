-- Every library function with arguments of every type, two and three at a time: results, and which
-- wrong argument is reported first and how. A line per function with a checksum; `show` set to a
-- function's name prints its calls.
local show = nil

local skipped = {}
for name in ([[dofile loadfile require print load collectgarbage warn
  math.random math.randomseed coroutine.yield coroutine.running string.dump
  os.exit os.execute os.remove os.rename os.tmpname os.clock os.time os.date os.getenv os.setlocale
  debug.debug debug.sethook debug.setmetatable debug.traceback debug.getinfo debug.getregistry
  debug.getlocal debug.setlocal]])
  :gmatch("%S+") do
  skipped[name] = true
end

local names = {}
for name, f in pairs(_G) do
  if type(f) == "function" and not name:find("^__") then names[#names + 1] = name end
end
for _, library in ipairs{"math", "string", "table", "utf8", "os", "coroutine", "debug"} do
  for name, f in pairs(_G[library]) do
    if type(f) == "function" then names[#names + 1] = library .. "." .. name end
  end
end
table.sort(names)

local function values()
  return {n = 11, nil, "x", {}, 2, -1, 1.5, true, "3", rawlen, 0, math.mininteger}
end

local function text(v)
  if type(v) == "string" then return (v:gsub("0x%x+", "?"):gsub("-nan", "nan")) end
  if v ~= v then return "nan" end
  if type(v) == "number" or type(v) == "boolean" or v == nil then return tostring(v) end
  return type(v)
end

local sum, calls
local function record(name, ...)
  local parts = {}
  for i = 1, math.min(select("#", ...), 8) do parts[i] = text((select(i, ...))) end
  local line = table.concat(parts, " ")
  if name == show then print(calls, line) end
  calls = calls + 1
  for i = 1, #line do sum = (sum * 31 + line:byte(i)) & 0xffffffff end
end

for _, name in ipairs(names) do
  if not skipped[name] then
    sum, calls = 0, 0
    local function caller(parameters)
      local source = "return function(%s) return %s(%s) end"
      return load(source:format(parameters, name, parameters), "=call")()
    end
    local none, one, two, three = caller(""), caller("a"), caller("a, b"), caller("a, b, c")
    record(name, pcall(none))
    for i = 1, 11 do
      record(name, pcall(one, values()[i]))
      for j = 1, 11 do
        local v = values()
        record(name, pcall(two, v[i], v[j]))
        if name:find("^[stu]") then
          for k = 1, 6 do
            v = values()
            record(name, pcall(three, v[i], v[j], v[k]))
          end
        end
      end
    end
    print(name, calls, ("%08x"):format(sum))
  end
end
