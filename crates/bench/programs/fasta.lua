-- fasta: writes DNA sequences, repeated and random by cumulative frequencies.
-- Stresses a linear congruential generator in an upvalue, linear search in an array
-- of records, string sub and concatenation, table.concat.
-- quick: 20000
-- full: 3200000

local MODULUS, FACTOR, INCREMENT = 139968, 3877, 29573
local last = 42

local function random(max)
  last = (last * FACTOR + INCREMENT) % MODULUS
  return max * last / MODULUS
end

local LINE = 60

local hash, lines = 0, 0
local function write(line)
  lines = lines + 1
  for i = 1, #line, 7 do hash = (hash * 31 + line:byte(i)) % 1000000007 end
end

local function repeat_fasta(id, text, n)
  write(">" .. id)
  local size = #text
  local wrapped = text .. text:sub(1, LINE)
  local at = 0
  for left = n, 1, -LINE do
    local length = left < LINE and left or LINE
    write(wrapped:sub(at + 1, at + length))
    at = (at + length) % size
  end
end

local function cumulative(frequencies)
  local sum, out = 0.0, {}
  for i, pair in ipairs(frequencies) do
    sum = sum + pair[2]
    out[i] = { letter = pair[1], upto = sum }
  end
  out[#out].upto = 1.0
  return out
end

local function random_fasta(id, frequencies, n)
  write(">" .. id)
  local choices = cumulative(frequencies)
  local function pick()
    local r = random(1.0)
    for i = 1, #choices do
      local choice = choices[i]
      if r < choice.upto then return choice.letter end
    end
    return choices[#choices].letter
  end
  local buffer = {}
  for left = n, 1, -LINE do
    local length = left < LINE and left or LINE
    for i = 1, length do buffer[i] = pick() end
    write(table.concat(buffer, "", 1, length))
  end
end

-- A periodic sequence made from a seed; stands for a natural one.
local function sequence(n)
  local letters, x = {}, 7
  for i = 1, n do
    x = (x * 171 + 11213) % 53125
    letters[i] = ("ACGT"):sub(x % 4 + 1, x % 4 + 1)
  end
  return table.concat(letters)
end

local mixed = {
  { "a", 0.27 }, { "c", 0.12 }, { "g", 0.12 }, { "t", 0.27 },
  { "B", 0.02 }, { "D", 0.02 }, { "H", 0.02 }, { "K", 0.02 }, { "M", 0.02 }, { "N", 0.02 },
  { "R", 0.02 }, { "S", 0.02 }, { "V", 0.02 }, { "W", 0.02 }, { "Y", 0.02 },
}
local plain = { { "a", 0.30 }, { "c", 0.20 }, { "g", 0.20 }, { "t", 0.30 } }

local n = tonumber(arg and arg[1]) or 1000000
repeat_fasta("ONE repeated", sequence(287), n * 2)
random_fasta("TWO mixed", mixed, n * 3)
random_fasta("THREE plain", plain, n * 5)
print(string.format("fasta(%d) = %d %d", n, lines, hash))
