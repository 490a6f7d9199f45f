-- test optimize
-- A method call: one compare of the object's shape stands for the class, the
-- method and the layout.
-- absent: call_lua call_window find_field
-- count: guard_shape=1 load_slot=1
local C = {}
C.__index = C
function C:get(i) return self.x + i end
local function run(o, i) return (o:get(i)) end
for i = 1, 20 do run(setmetatable({ x = i }, C), i) end
return run
-- expect
-- func "test:9" call params 2 stack 7
-- p0: shape @shape0 {x} meta @table0
-- p1: table @table0
-- p2: luafn line 8
-- p3: proto line 8
-- watch metatables: constant
-- watch field get of @table0: constant
-- watch field x of {x}: int
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: ptr = literal p0
--   guard_shape v2, v4 [fs1 shape]
--   v8: int = load_slot.inline.0.2 v2
--   v9: int = int_op.add v8, v3
--   return v9
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
