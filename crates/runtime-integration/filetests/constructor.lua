-- test optimize
-- A constructor: the fields are stored into the new table as one sequence, with
-- neither a test nor a call of setmetatable.
-- count: new_table=1 store_slot=2 set_shape=1
-- absent: call_window guard_shape interp_one put_field add_slot
local C = {}
C.__index = C
local function new(x, y)
  local self = setmetatable({}, C)
  self.x = x
  self.y = y
  return self
end
for i = 1, 20 do new(i, i) end
return new
-- expect
-- func "test:8" call params 2 stack 6
-- p0: luafn line 8
-- p1: table _G
-- p2: nativefn setmetatable
-- p3: shape @shape0 {}
-- p4: table C
-- p5: shape @shape1 {} meta C
-- p6: shape @shape2 {x} meta C
-- p7: shape @shape3 {x, y} meta C
-- watch closures of line 8: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field setmetatable of _G: constant
-- watch metatables: constant
-- b0(v0: any, v1: any):
--   v2: int = guard_tag.int v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v7: ptr = literal p3
--   v16: ptr = literal p7
--   v18: table = new_table.2.0 v7
--   store_slot.inline.0.2.tag v18, v2
--   store_slot.inline.1.2.tag v18, v3
--   set_shape v18, v16
--   return v18
-- fs0: pc 0 regs r0=v0, r1=v1
-- end
