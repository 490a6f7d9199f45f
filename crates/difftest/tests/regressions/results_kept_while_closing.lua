-- Results wait below the registers of their frame while its variables are closed.
local C2 = {}

function C2.new() return setmetatable({1, a}, C2) end


C2.__add = function() return C2.new(1) end

C2.__pow = C2.__add


local o11 = C2.new(1)
  local f12 = function()
    return 1, o11 ^ u1
  end
  do local h13 <close> = closer()
      return f12() end

for i = 1, 4 do pcall(1, 2) end
