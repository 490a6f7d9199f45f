-- test optimize
-- A method of a class two levels up, called on the class itself: found through the
-- chain without a lookup.
-- absent: load_slot call_lua find_field guard_shape
-- present: watch int_op.mul
local Base = {} Base.__index = Base
function Base.twice(x) return x * 2 end
local Mid = setmetatable({}, Base) Mid.__index = Mid
local Leaf = setmetatable({}, Mid) Leaf.__index = Leaf
local object = setmetatable({}, Leaf)
local function run(x) return (Leaf.twice(x)) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:11" call params 1 stack 5
-- p0: luafn line 11
-- p1: table Leaf
-- p2: luafn line 7
-- p3: proto line 7
-- watch closures of line 11: constant
-- watch captured variables: constant
-- watch metatables: constant
-- watch shape of Leaf: constant
-- watch shape of a class that is inherited from: constant
-- watch field twice of {__index, twice} singleton: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v5: int = int 2
--   v6: int = int_op.mul v1, v5
--   return v6
-- fs0: pc 0 regs r0=v0
-- end
