-- sieve: primes below 5000 by the sieve of Eratosthenes.
-- quick: 2
-- full: 400

local Benchmark = require("benchmark")

local Sieve = Benchmark:extend("sieve")
Sieve.expected = 669

function Sieve:sieve(flags, size)
  local primes = 0
  for i = 2, size do
    if flags[i] then
      primes = primes + 1
      local k = i + i
      while k <= size do
        flags[k] = false
        k = k + i
      end
    end
  end
  return primes
end

function Sieve:run()
  local flags = {}
  for i = 1, 5000 do flags[i] = true end
  return self:sieve(flags, 5000)
end

return Sieve
