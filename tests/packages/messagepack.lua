-- MessagePack: values there and back, sizes of encodings, modes, errors.
local mp = require "MessagePack"
local function hex(s) return (s:gsub(".", function(c) return ("%02x "):format(c:byte()) end)) end
for _, v in ipairs { 0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, -1, -32, -33, -128, -129, -32768, -32769,
  -2147483648, -2147483649, math.maxinteger, math.mininteger, 2 ^ 40 // 1 | 0, 1.5, -0.1, 1e300, 1 / 0, -1 / 0, "", "abc",
  ("x"):rep(31), ("x"):rep(32), ("x"):rep(40), ("x"):rep(256), ("x"):rep(65536), true, false } do
  local packed = mp.pack(v)
  local back = mp.unpack(packed)
  print(#packed, hex(packed:sub(1, 9)), back == v, math.type(back) or type(back))
end
local nan = mp.unpack(mp.pack(0 / 0))
print(nan ~= nan, mp.unpack(mp.pack(nil)))
local t = {}
for i = 1, 500 do t[i] = { id = i, half = i / 2, name = "n" .. i } end
for _ = 1, 20 do
  local back = mp.unpack(mp.pack(t))
  for i = 1, #t do assert(back[i].id == i and back[i].half == i / 2 and back[i].name == "n" .. i) end
end
print(#mp.pack({ 1, 2, 3 }), #mp.pack({ a = 1 }))
print(pcall(mp.unpack, "\xc1"))
print(pcall(mp.unpack, "\x92\x01"))
for i, v in mp.unpacker(mp.pack(1) .. mp.pack("two") .. mp.pack({ 3 })) do print(i, type(v)) end

-- random values, each compared after the way there and back
local seed = 42
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n
end
local function value(depth)
  local kind = random(depth > 0 and 8 or 6)
  if kind == 0 then return random(2) == 0 end
  if kind == 1 then return (random(2) * 2 - 1) * (1 << random(62)) + random(100) end
  if kind == 2 then return random(32768) / (1 + random(64)) end
  if kind == 3 then return ("s"):rep(random(70)) end
  if kind == 4 then return "k" .. random(1000) end
  if kind == 5 then return random(300) end
  local r = {}
  if kind == 6 then
    for i = 1, random(20) do r[i] = value(depth - 1) end
  else
    for _ = 1, 1 + random(10) do r["f" .. random(100)] = value(depth - 1) end
  end
  return r
end
local function same(a, b)
  if type(a) ~= "table" or type(b) ~= "table" then return a == b and math.type(a) == math.type(b) end
  for k, v in pairs(a) do if not same(v, b[k]) then return false end end
  for k in pairs(b) do if a[k] == nil then return false end end
  return true
end
local bytes = 0
for i = 1, 300 do
  local v = value(4)
  local packed = mp.pack(v)
  assert(same(v, mp.unpack(packed)), i)
  bytes = bytes + #packed
end
print(bytes)

-- modes
mp.set_array "without_hole"
print(hex(mp.pack({ 1, 2, 3 })), #mp.pack({ 1, nil, 3 }))
mp.set_array "with_hole"
print(hex(mp.pack({ 1, nil, 3 })))
mp.set_array "always_as_map"
print(hex(mp.pack({ 7 })))
mp.set_array "without_hole"
mp.set_number "float"
print(hex(mp.pack(1.5)), pcall(mp.set_number, "no such"))
mp.set_number "double"
mp.set_string "binary"
print(hex(mp.pack("ab")))
mp.set_string "string_compat"
print(hex(mp.pack(("y"):rep(33)):sub(1, 4)))
print(pcall(mp.pack, print))
-- a stream in pieces
local data, at = {}, 0
for i = 1, 60 do data[i] = mp.pack { i, tostring(i) } end
data = table.concat(data)
local function piece()
  if at >= #data then return nil end
  local n = 1 + random(7)
  local s = data:sub(at + 1, at + n)
  at = at + n
  return s
end
local sum = 0
for _, v in mp.unpacker(piece) do sum = sum + v[1] * #v[2] end
print(sum)
