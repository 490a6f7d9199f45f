local u1, u2, u3 = 1, 2.5, "s"
G1 = 10
local function xof(v)
  if type(v) == "table" then v = v.x end
  if type(v) == "table" then return 1 end
  return v
end
local C1 = {}
C1.__index = C1
function C1.new(a, b) return setmetatable({x = a, y = b}, C1) end
C1.m1 = function(self, n1)
  return 0
end
C1.m2 = function(self, n2)
  return 0
end
C1.__add = function(a, b) return C1.new(xof(a) + xof(b), 1) end
C1.__sub = C1.__add
C1.__mul = C1.__add
C1.__div = C1.__add
C1.__idiv = C1.__add
C1.__mod = C1.__add
C1.__pow = C1.__add
C1.__band = function(a, b) return xof(a) & 7 end
C1.__bor = C1.__band
C1.__bxor = C1.__band
C1.__shl = C1.__band
C1.__shr = C1.__band
C1.__unm = function(a) return -xof(a) end
C1.__bnot = function(a) return ~xof(a) end
C1.__eq = function(a, b) return xof(a) == xof(b) end
C1.__lt = function(a, b) return xof(a) < xof(b) end
C1.__le = function(a, b) return xof(a) <= xof(b) end
C1.__len = function(a) return xof(a) end
C1.__concat = function(a, b) return str(xof(a)) .. "&" .. str(xof(b)) end
C1.__call = function(self, a) return xof(self), a end
function F1(n3)
  show("p", pcall(function()
    for n4 = 1, (G1 + 0) % 7 do
    end
  end))
  G1 = u2
  return u1, u1
end
function F2(b6)
  for n7 = 1, (u2 % 4) % 7 do
    u1, G1 = (6 + n7), math.floor((1000000000000000.0) / 2)
    if (2 == u1) then
    elseif (b6 or b6) then
    else
      G1 = G1 * (u1 ^ 1e308)
    end
  end
  local f9 = function(n10, n11, ...)
    for n12, n13 in ipairs(({1, 2, 3})) do
      if n12 > 8 then break end
    end
    return 9.223372036854776e18, (select(1, ...))
  end
  if (u3 >= "A-b_C") then
    u3 = clip((string.gsub(u3, "%d", function(c) return c + 1 end)))
    for n15 = 0, -2.0, -0.25 do
    end
    if (u2 >= (-0.0)) then return  end
    if (u1 == 64) then
      u3 = clip(u2)
    else
    end
  elseif (F1(u1) < G1) then
    local o17 = C1.new(C1.new(3, 4):m2(u1), (tonumber("hello world") or 2))
  else
  end
  local c18 = 0
  while c18 < 4 and ((-(u2)) < (6 + (-0.0))) do
    c18 = c18 + 1
    u3 = clip(G1)
    u2 = u2 * (C1.new(3, 4) .. str(u2))
  end
  local c20 = 0
  repeat
    c20 = c20 + 1
    do
      for n22, n23 in ipairs(({1, 2, 3})) do
        if n22 > 8 then break end
        local r25 = {}
      end
      local c26 = 0
      while c26 < 2 and (u1 ~= u1) do
        c26 = c26 + 1
        G1, u1 = F1(u2), (b6 and u1 or u2)
      end
      local n28 = math.max(u2, u1)
    end
  until c20 >= 8 or ((u1 - G1) > (u1 * C1.new(3, 4)))
  for n29 = 3, 2.75, -0.25 do
    u2 = u2 - u2
    if (0 > 9.223372036854776e18) then
    elseif (G1 > u1) then
    end
  end
  return (u1 or G1), u2
end
local function f3(n31, f32)
  n31 = n31 & u1
  G1 = G1 / (G1 // C1.new(3, 4))
  for n33 = -1, 3.5, 0.5 do
    local a35 = {}
    local n36 = table.remove(a35) or 1
    a35[#a35 + 1] = n33
    local n37 = 0
    do
      local fs = {}
      for i = 1, 2 do
        local c = i
        fs[i] = function(q) c = c + q return c + i end
      end
      for j = 1, 2 do for i = 1, 2 do n37 = n37 + fs[i](F1(n36)) end end
    end
  end
  local b38 = (C1.new(3, 4):m1((-1)) ~= G1)
  n31 = n31 * n31
  return f32(n31)
end
for i = 1, 11 do show("f3", i, pcall(f3, i * 3 - 7, function(q) return q + 1 end)) end
for i = 1, 10 do show("f3", i, pcall(f3, math.maxinteger - i, i % 2 == 0 and math.abs or math.floor)) end
show(pcall(function()
  local sum = 0
  for i = 1, 8 do
    local r1, r2 = F1(i)
    show(r1, r2)
    if type(r1) == "number" then sum = sum + r1 end
  end
  return sum
end))
show(pcall(function()
  local sum = 0
  for i = 1, 7 do
    local r1, r2 = F1(i * 0.5)
    show(r1, r2)
    if type(r1) == "number" then sum = sum + r1 end
  end
  return sum
end))
show(pcall(function()
  local sum = 0
  for i = 1, 4 do
    local r1, r2 = F1(i * 3 - 7)
    show(r1, r2)
    if type(r1) == "number" then sum = sum + r1 end
  end
  return sum
end))
show(pcall(function()
  local sum = 0
  for i = 1, 8 do
    local r1, r2 = F1(i * 0.5)
    show(r1, r2)
    if type(r1) == "number" then sum = sum + r1 end
  end
  return sum
end))
for i = 1, 5 do show("f3", i, pcall(f3, i / 0, function(q) return q * 0.5 end)) end
for i = 1, 9 do show("f3", i, pcall(f3, i * 0.5, function() end)) end
for i = 1, 4 do show("f3", i, pcall(f3, i * 0.5, function() end)) end
for i = 1, 5 do show("F1", i, pcall(F1, i)) end
for i = 1, 8 do show("F1", i, pcall(F1, i * 0.5)) end
for i = 1, 3 do show("F1", i, pcall(F1, {})) end
setmetatable(C1, nil)
show("end", u1, u2, u3, G1)
