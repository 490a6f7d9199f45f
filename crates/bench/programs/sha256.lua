-- sha256: SHA-256 digests of a message, with the integer operators of Lua 5.4.
-- Stresses bit operators and shifts on integers masked to 32 bits, array reads with
-- constant strides, string.byte with many results.
-- needs: lua5.4
-- quick: 200

local function primes(n)
  local list, candidate = {}, 2
  while #list < n do
    local is_prime = true
    for _, p in ipairs(list) do
      if p * p > candidate then break end
      if candidate % p == 0 then is_prime = false; break end
    end
    if is_prime then list[#list + 1] = candidate end
    candidate = candidate + 1
  end
  return list
end

-- First 32 bits of the fraction of the k-th root of x, found by bisection in integers.
local function root_bits(x, k)
  local whole = math.floor(x ^ (1 / k) + 1e-9)
  local low, high = 0, 1 << 32
  while high - low > 1 do
    local mid = (low + high) // 2
    local r = whole + mid / 4294967296.0
    local power = k == 2 and r * r or r * r * r
    if power <= x then low = mid else high = mid end
  end
  return low
end

local K, START = {}, {}
for i, p in ipairs(primes(64)) do
  K[i] = root_bits(p, 3)
  if i <= 8 then START[i] = root_bits(p, 2) end
end

local function rotate(x, n) return ((x >> n) | (x << (32 - n))) & 0xFFFFFFFF end

local function compress(state, w, text, at)
  for i = 1, 16 do
    local a, b, c, d = text:byte(at, at + 3)
    w[i] = a << 24 | b << 16 | c << 8 | d
    at = at + 4
  end
  for i = 17, 64 do
    local x, y = w[i - 15], w[i - 2]
    local s0 = rotate(x, 7) ~ rotate(x, 18) ~ (x >> 3)
    local s1 = rotate(y, 17) ~ rotate(y, 19) ~ (y >> 10)
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) & 0xFFFFFFFF
  end
  local a, b, c, d, e, f, g, h = table.unpack(state)
  for i = 1, 64 do
    local s1 = rotate(e, 6) ~ rotate(e, 11) ~ rotate(e, 25)
    local choice = (e & f) ~ (~e & g)
    local t1 = h + s1 + choice + K[i] + w[i]
    local s0 = rotate(a, 2) ~ rotate(a, 13) ~ rotate(a, 22)
    local majority = (a & b) ~ (a & c) ~ (b & c)
    h, g, f = g, f, e
    e = (d + t1) & 0xFFFFFFFF
    d, c, b = c, b, a
    a = (t1 + s0 + majority) & 0xFFFFFFFF
  end
  state[1] = (state[1] + a) & 0xFFFFFFFF
  state[2] = (state[2] + b) & 0xFFFFFFFF
  state[3] = (state[3] + c) & 0xFFFFFFFF
  state[4] = (state[4] + d) & 0xFFFFFFFF
  state[5] = (state[5] + e) & 0xFFFFFFFF
  state[6] = (state[6] + f) & 0xFFFFFFFF
  state[7] = (state[7] + g) & 0xFFFFFFFF
  state[8] = (state[8] + h) & 0xFFFFFFFF
end

local function sha256(message)
  local padded = message .. "\x80" .. ("\0"):rep((55 - #message) % 64) .. string.pack(">I8", #message * 8)
  local state, w = { table.unpack(START) }, {}
  for at = 1, #padded, 64 do compress(state, w, padded, at) end
  local hex = {}
  for i = 1, 8 do hex[i] = string.format("%08x", state[i]) end
  return table.concat(hex)
end

assert(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")

local rounds = tonumber(arg and arg[1]) or 10000
local digest = "start"
for i = 1, rounds do digest = sha256(digest .. ("vela"):rep(100) .. i) end
print(string.format("sha256(%d) = %s", rounds, digest))
