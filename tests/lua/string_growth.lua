-- Strings that grow piece by piece: the pieces share buffers, and nothing of
-- that may be seen. Built in locals, fields and upvalues, with numbers, several
-- pieces at once, forks, repetitions and collections in between.

local function digest(s)
  local h = #s
  for i = 1, #s do h = (h * 31 + s:byte(i)) % 1000003 end
  return h
end

local function plain(n)
  local s = ""
  for i = 1, n do s = s .. "x" end
  return s
end
print("plain", #plain(5000), digest(plain(5000)), plain(5000) == ("x"):rep(5000))

local function numbers(n)
  local s = ""
  for i = 1, n do s = s .. i .. "," .. i / 4 .. ";" end
  return s
end
print("numbers", digest(numbers(700)), numbers(300) == numbers(300))

-- The same again finds the strings of the first time, or makes new ones.
for i = 1, 4 do
  local s = numbers(200 + i)
  if i % 2 == 0 then collectgarbage() end
  print("again", i, digest(s), s == numbers(200 + i), s:sub(-9))
end

-- In a field, and through a method.
local Buffer = {}
Buffer.__index = Buffer
function Buffer:add(piece) self.text = self.text .. piece return self end
local b = setmetatable({text = ""}, Buffer)
for i = 1, 1500 do b:add("line "):add(i):add("\n") end
print("field", #b.text, digest(b.text), select(2, b.text:gsub("\n", "")))

-- An upvalue that callbacks append to.
local out = ""
local function emit(piece) out = out .. piece end
for i = 1, 2000 do emit(string.char(97 + i % 26)) end
print("upvalue", #out, digest(out), out:find("xyzab", 700, true))

-- Every string on the way stays what it was: keys of a table.
local seen, s = {}, ("-"):rep(255)
for i = 1, 300 do
  s = s .. string.char(33 + i % 90)
  seen[s] = i
end
local count, sum = 0, 0
for key, i in pairs(seen) do
  count = count + 1
  sum = sum + (digest(key) * i) % 9973
end
print("keys", count, sum, seen[s], seen[s:sub(1, 400)], seen[s .. "!"])

-- Forks: two continuations of each beginning.
local base = ("ab"):rep(200)
local left, right = base, base
for i = 1, 300 do
  left = left .. "L"
  right = right .. "R"
  if i % 50 == 0 then
    local fork = left .. "fork"
    print("fork", i, digest(left), digest(right), digest(fork), fork:sub(-6))
    left = fork
  end
end

-- A string behind itself, an empty piece, a piece as long as the string.
local t = ("0123456789"):rep(30)
for i = 1, 6 do t = t .. t .. "" .. "|" end
print("itself", #t, digest(t))
for i = 1, 10 do t = t .. "" end
print("empty", #t, digest(t))

-- Comparisons, sub, find and rep on the result, and on its beginnings.
local grown = ("q"):rep(300)
local older = {}
for i = 1, 200 do
  older[i] = grown
  grown = grown .. (i % 10)
end
collectgarbage()
for i = 1, 200, 40 do
  local o = older[i]
  print("older", #o, digest(o), o < grown, o == grown:sub(1, #o), grown:find(o, 1, true))
end
print("last", grown:sub(-12), grown:upper():sub(298, 306), #grown:rep(3), ("%s"):format(grown) == grown)

-- Metamethods and errors in the middle of it.
local mt = {__concat = function(a, c) return (type(a) == "string" and a or "T") .. "<" .. (type(c) == "string" and c or "T") .. ">" end}
local m = setmetatable({}, mt)
local text = ("m"):rep(300)
for i = 1, 20 do text = text .. i text = text .. m end
print("meta", #text, digest(text))
print(pcall(function() local x = ("e"):rep(400) for i = 1, 10 do x = x .. i end return x .. nil end))
print(pcall(function() local x = ("e"):rep(400) for i = 1, 10 do x = x .. i end return x .. {} end))

-- Numbers from grown strings.
local digits = ""
for i = 1, 300 do digits = digits .. i % 10 end
print("number", tonumber(digits), digits + 0, #(digits .. 1))

-- Many short-lived ones: buffers go with their strings.
collectgarbage()
local before = collectgarbage("count")
for i = 1, 60 do
  local x = ""
  for j = 1, 400 do x = x .. "some text of a line " .. i end
end
collectgarbage()
print("memory", collectgarbage("count") - before < 1000)
