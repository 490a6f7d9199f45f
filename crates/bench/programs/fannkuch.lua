-- fannkuch: most prefix reversals needed over all permutations of 1..n.
-- Stresses integer arrays, swaps by multiple assignment, irregular inner loops.
-- All of it is done three times.
-- quick: 8
-- full: 10

local function fannkuch(n)
  local perm, work, count = {}, {}, {}
  for i = 1, n do perm[i], count[i] = i, i end

  local checksum, most, sign = 0, 0, 1
  while true do
    local first = perm[1]
    if first ~= 1 then
      for i = 1, n do work[i] = perm[i] end
      local flips = 0
      repeat
        local lo, hi = 1, first
        while lo < hi do
          work[lo], work[hi] = work[hi], work[lo]
          lo, hi = lo + 1, hi - 1
        end
        flips = flips + 1
        first = work[1]
      until first == 1
      if flips > most then most = flips end
      checksum = checksum + sign * flips
    end

    -- Next permutation, in the order where neighbours differ in parity.
    if sign == 1 then
      perm[1], perm[2] = perm[2], perm[1]
      sign = -1
    else
      perm[2], perm[3] = perm[3], perm[2]
      sign = 1
      local i = 3
      while count[i] == 1 do
        count[i] = i
        i = i + 1
        if i > n then return checksum, most end
        local head = perm[1]
        for j = 1, i - 1 do perm[j] = perm[j + 1] end
        perm[i] = head
      end
      count[i] = count[i] - 1
    end
  end
end

local n = tonumber(arg and arg[1]) or 10
local checksum, most = fannkuch(n)
for _ = 2, 3 do
  local again, most_again = fannkuch(n)
  assert(again == checksum and most_again == most, "runs differ")
end
print(string.format("fannkuch(%d) = %d %d", n, checksum, most))
