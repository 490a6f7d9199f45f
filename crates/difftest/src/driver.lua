-- Runs many programs in one process. Argument: a file of programs, each preceded by a line with
-- its length in bytes. For each program one record goes to standard output:
--   @@ <index> <status> <bytes> <functions compiled> <side exits>\n<output>\n
-- Every program gets fresh globals of its own. Output is collected in a buffer.

-- Functions compiled and side exits taken so far; absent where there is no compiler.
local jit_stats = rawget(_G, "__vela_jit_stats")

local function stats()
  if jit_stats then return jit_stats() end
  return 0, 0
end

local MAX_LINES = 300

local buffer, lines, hash

-- Past the limit lines only change a checksum, so that nothing goes unnoticed.
local function put(line)
  lines = lines + 1
  if lines <= MAX_LINES then
    buffer[lines] = line
  else
    hash = (hash * 31 + #line) & 0xffffffff
    for i = 1, #line, 3 do hash = (hash * 31 + string.byte(line, i)) & 0xffffffff end
  end
end

-- Text of a value without addresses and without the sign of NaN; floats exact.
local function str(v)
  local t = type(v)
  if t == "number" then
    if v ~= v then return "nan" end
    return tostring(v)
  elseif t == "string" then
    return v
  elseif t == "nil" or t == "boolean" then
    return tostring(v)
  end
  return t
end

local function exact(v)
  if math.type(v) == "float" then
    if v ~= v then return "nan" end
    return string.format("%.17g%s", v, v == math.floor(v) and "f" or "")
  elseif type(v) == "string" then
    -- Whether endless recursion through metamethods ends at the limit of native calls or at
    -- the stack's depends on what is compiled.
    v = string.gsub(v, "C stack overflow", "stack overflow")
    return '"' .. string.gsub(v, "-nan", "nan") .. '"'
  elseif type(v) == "table" and type(rawget(v, "code")) ~= "nil" then
    return "{code=" .. str(v.code) .. "}"
  end
  return str(v)
end

local function show(...)
  local n = select("#", ...)
  local parts = {}
  for i = 1, n do
    parts[i] = exact((select(i, ...)))
  end
  put(table.concat(parts, "\t"))
end

-- Fields sorted; the order of traversal goes to a line of its own, marked with "~": it is
-- compared between modes of one implementation only.
local function dump(t)
  if type(t) ~= "table" then
    put("dump " .. exact(t))
    return
  end
  local list, order = {}, {}
  for k, v in next, t do
    order[#order + 1] = exact(k)
    list[#list + 1] = exact(k) .. "=" .. exact(v)
  end
  table.sort(list)
  put("dump " .. table.concat(list, " "))
  -- Not compared with the reference, so not part of the checksum either.
  if lines < MAX_LINES then put("~ " .. table.concat(order, " ")) end
end

local function clip(v)
  if type(v) == "string" then return string.sub(v, 1, 60) end
  if v ~= v then return 0 end
  return v
end

local function closer(tag)
  return setmetatable({}, {__close = function(_, e) show("close", tag, e) end})
end

local names = {
  "assert", "error", "getmetatable", "ipairs", "load", "next", "pairs", "pcall", "rawequal",
  "rawget", "rawlen", "rawset", "select", "setmetatable", "tonumber", "tostring", "type", "xpcall",
}
local libraries = {"coroutine", "math", "string", "table", "utf8"}

local function environment()
  local env = {show = show, dump = dump, str = str, clip = clip, closer = closer}
  for _, name in ipairs(names) do env[name] = _G[name] end
  for _, name in ipairs(libraries) do
    local copy = {}
    for k, v in pairs(_G[name]) do copy[k] = v end
    env[name] = copy
  end
  env.print = show
  env._G = env
  return env
end

local function run(index, source)
  buffer, lines, hash = {}, 0, 0
  local compiled0, exits0 = stats()
  local status = "ok"
  local chunk, message = load(source, "=p", "t", environment())
  if chunk then
    local result = table.pack(pcall(chunk))
    if not result[1] then status = "error" end
    show(table.unpack(result, 1, result.n))
  else
    status = "syntax"
    put(message)
  end
  local compiled1, exits1 = stats()
  if lines > MAX_LINES then
    buffer[MAX_LINES + 1] = string.format("... %d lines, checksum %08x", lines, hash)
  end
  local text = table.concat(buffer, "\n")
  local compiled, exits = compiled1 - compiled0, exits1 - exits0
  if not jit_stats then compiled, exits = -1, -1 end
  io.write(string.format("@@ %d %s %d %d %d\n", index, status, #text, compiled, exits), text, "\n")
  io.flush()
end

local file = assert(io.open(arg[1], "rb"))
local all = file:read("a")
file:close()
local at, index = 1, 0
while at <= #all do
  local eol = string.find(all, "\n", at, true)
  local size = tonumber(string.sub(all, at, eol - 1))
  run(index, string.sub(all, eol + 1, eol + size))
  at = eol + size + 1
  index = index + 1
  if index % 32 == 0 then collectgarbage() end
end
