-- test optimize
-- A method of a class two levels up, called on the class itself: found through the
-- chain without a lookup.
-- absent: load_slot call_lua find_field guard_shape
-- present: watch int_op.mul
local Base = {} Base.__index = Base
function Base.twice(x) return x * 2 end
local Mid = setmetatable({}, Base) Mid.__index = Mid
local Leaf = setmetatable({}, Mid) Leaf.__index = Leaf
local function run(x) return (Leaf.twice(x)) end
for i = 1, 20 do run(i) end
return run
