-- operators: complex numbers, fractions and lazy vectors through metamethods.
-- Stresses __add, __sub, __mul, __div, __eq, __lt, __le, __call, __concat, __len,
-- __index and __newindex as functions, short-lived result objects.
-- quick: 2000

local Complex = {}
Complex.__index = Complex
local function complex(re, im) return setmetatable({ re = re, im = im }, Complex) end
local function to_complex(x) if type(x) == "number" then return complex(x, 0.0) end return x end
function Complex.__add(a, b)
  a, b = to_complex(a), to_complex(b)
  return complex(a.re + b.re, a.im + b.im)
end
function Complex.__mul(a, b)
  a, b = to_complex(a), to_complex(b)
  return complex(a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re)
end
function Complex:norm2() return self.re * self.re + self.im * self.im end

local Fraction = {}
Fraction.__index = Fraction
local function gcd(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end
local function fraction(n, d)
  local g = gcd(n < 0 and -n or n, d)
  return setmetatable({ n = math.floor(n / g), d = math.floor(d / g) }, Fraction)
end
function Fraction.__add(a, b) return fraction(a.n * b.d + b.n * a.d, a.d * b.d) end
function Fraction.__sub(a, b) return fraction(a.n * b.d - b.n * a.d, a.d * b.d) end
function Fraction.__div(a, b) return fraction(a.n * b.d, a.d * b.n) end
function Fraction.__eq(a, b) return a.n == b.n and a.d == b.d end
function Fraction.__lt(a, b) return a.n * b.d < b.n * a.d end
function Fraction.__le(a, b) return a.n * b.d <= b.n * a.d end
function Fraction.__concat(a, b)
  local function text(x) return type(x) == "string" and x or string.format("%d/%d", x.n, x.d) end
  return text(a) .. text(b)
end

-- A table whose unset elements are computed when read, and whose writes are counted.
local Lazy = {}
local function lazy(f) return setmetatable({ values = {}, compute = f, writes = 0 }, Lazy) end
function Lazy.__index(t, k)
  local v = t.values[k]
  if v == nil then
    v = t.compute(k)
    t.values[k] = v
  end
  return v
end
function Lazy.__newindex(t, k, v)
  t.writes = t.writes + 1
  t.values[k] = v
end
function Lazy.__call(t, from, to)
  local s = 0
  for i = from, to do s = s + t[i] end
  return s
end

local rounds = tonumber(arg and arg[1]) or 130000
local escaped, compared, total = 0, 0, 0
local largest = fraction(0, 1)
for round = 1, rounds do
  local c, z = complex(round % 100 / 40 - 1.5, round % 70 / 50 - 0.7), complex(0.0, 0.0)
  for _ = 1, 12 do
    z = z * z + c
    if z:norm2() > 4.0 then
      escaped = escaped + 1
      break
    end
  end
  z = 2.0 * z + 1.0

  local f = fraction(0, 1)
  for i = 1, 8 do f = f + fraction(1, i * (i + 1)) end
  if f == fraction(8, 9) then compared = compared + 1 end
  f = f - fraction(round % 7, 9)
  if largest < f then largest = f end
  if f <= fraction(1, 2) then compared = compared + 1 end

  local squares = lazy(function(k) return k * k end)
  squares[3] = round
  squares[round % 20] = 1
  total = (total + squares(1, 20) + squares.writes) % 1000003
end
print("largest " .. largest)
print(string.format("operators(%d) = %d %d %d", rounds, escaped, compared, total))
