-- A class gets `__gc` after its constructor became hot: objects made since are
-- finalized, those made before are not.
local C = {}
C.__index = C
local finalized = 0
local function new(i) return setmetatable({ i = i }, C) end
local last
for i = 1, 3000 do last = new(i) end
C.__gc = function() finalized = finalized + 1 end
for i = 1, 3000 do last = new(i) end
last = nil
collectgarbage()
collectgarbage()
print(finalized)
local function weak(t) return setmetatable(t, C) end
for i = 1, 3000 do last = weak({}) end
C.__gc = nil
C.__mode = "k"
local kept
for i = 1, 3000 do kept = weak({}) end
kept[{}] = 1
collectgarbage()
print(next(kept))
