-- test optimize
-- A method of the base class, called on objects of the derived one.
-- absent: call_lua call_window find_field
-- count: guard_shape=1
local Base = {}
Base.__index = Base
function Base:get() return self.x end
local Derived = setmetatable({}, { __index = Base })
Derived.__index = Derived
local function run(o) return (o:get()) end
for i = 1, 20 do run(setmetatable({ x = i }, Derived)) end
return run
-- expect
-- func "test:10" call params 1 stack 5
-- p0: shape @shape0 {x} meta @table0
-- p1: table @table1
-- p2: luafn line 7
-- p3: proto line 7
-- watch metatables: constant
-- watch field get of @table1: constant
-- watch field x of {x}: int
-- b0(v0: any):
--   v1: table = guard_tag.table v0 [fs0 type]
--   v2: ptr = literal p0
--   guard_shape v1, v2 [fs1 shape]
--   v6: int = load_slot.inline.0.2 v1
--   return v6
-- fs0: pc 0 regs r0=v0
-- fs1: pc 0 regs r0=v1
-- end
