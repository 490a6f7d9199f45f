-- integers: 64-bit integer arithmetic as only Lua 5.4 has it.
-- Stresses //, %, wrapping multiplication, shifts, mixed integer and float compares,
-- integer for loops with negative steps, goto continue.
-- needs: lua5.4
-- quick: 8000

local function xorshift(x)
  x = x ~ (x << 13)
  x = x ~ (x >> 7)
  return x ~ (x << 17)
end

local function power_mod(base, exponent, modulus)
  local result = 1
  base = base % modulus
  while exponent > 0 do
    if exponent & 1 == 1 then result = result * base % modulus end
    base = base * base % modulus
    exponent = exponent // 2
  end
  return result
end

local function is_probable_prime(n)
  if n < 2 then return false end
  for _, p in ipairs({ 2, 3, 5, 7, 11, 13 }) do
    if n % p == 0 then return n == p end
  end
  local d, s = n - 1, 0
  while d % 2 == 0 do d, s = d // 2, s + 1 end
  for _, a in ipairs({ 2, 3, 5, 7 }) do
    local x = power_mod(a, d, n)
    if x == 1 or x == n - 1 then goto continue end
    for _ = 1, s - 1 do
      x = x * x % n
      if x == n - 1 then goto continue end
    end
    do return false end
    ::continue::
  end
  return true
end

local function bit_count(x)
  local n = 0
  while x ~= 0 do
    x = x & (x - 1)
    n = n + 1
  end
  return n
end

local function digits(n, base)
  local sum = 0
  repeat
    sum = sum + n % base
    n = n // base
  until n == 0
  return sum
end

local function collatz(n)
  local steps = 0
  while n ~= 1 do
    if n & 1 == 0 then n = n >> 1 else n = 3 * n + 1 end
    steps = steps + 1
  end
  return steps
end

local n = tonumber(arg and arg[1]) or 500000
local state, bits, hash, primes, sum, longest, below = 88172645463325252, 0, 0, 0, 0, 0, 0
for i = 1, n do
  state = xorshift(state)
  bits = bits + bit_count(state)
  hash = (hash ~ state) * 0x100000001b3
  if is_probable_prime(1000000 + i) then primes = primes + 1 end
  sum = sum + digits(state & 0xFFFFFFFF, 10) + (-i // 7) + (-i % 7)
  local c = collatz(i)
  if c > longest then longest = c end
  if state < 0.25 * i then below = below + 1 end
end
for i = n, 1, -3 do hash = hash + i * i end
print(string.format("integers(%d) = %d %016x %d %d %d %d", n, bits, hash, primes, sum, longest, below))
