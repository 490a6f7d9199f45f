-- sieve: primes by the sieve of Eratosthenes, repeated.
-- Stresses stores to a large boolean array with variable stride, short loops.
-- quick: 1

local SIZE = 200000

local function sieve(flags, size)
  for i = 2, size do flags[i] = true end
  local count, last = 0, 0
  for i = 2, size do
    if flags[i] then
      count = count + 1
      last = i
      for k = i + i, size, i do flags[k] = false end
    end
  end
  return count, last
end

local rounds = tonumber(arg and arg[1]) or 250
local count, last = 0, 0
for _ = 1, rounds do
  local flags = { false }
  local c, l = sieve(flags, SIZE)
  count, last = count + c, l
end
print(string.format("sieve(%d) = %d %d", rounds, count, last))
