-- MessagePack: values there and back, sizes of encodings.
local mp = require "MessagePack"
local function hex(s) return (s:gsub(".", function(c) return ("%02x "):format(c:byte()) end)) end
for _, v in ipairs { 0, 127, 128, 255, 256, 65535, 65536, -1, -32, -33, -129, 2 ^ 40 // 1 | 0, 1.5, 1e300, "", "abc",
  ("x"):rep(40), true, false } do
  local packed = mp.pack(v)
  local back = mp.unpack(packed)
  print(#packed, hex(packed:sub(1, 9)), back == v, math.type(back) or type(back))
end
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
