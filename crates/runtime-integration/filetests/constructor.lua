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
--   v5: ptr = literal p3
--   v10: ptr = literal p5
--   v22: table = virtual_table v10
--   v12: int = guard_tag.int v0 [fs0 type]
--   v13: ptr = literal p6
--   v24: table = virtual_table v13, v12
--   v15: int = guard_tag.int v1 [fs1 type]
--   v16: ptr = literal p7
--   v18: table = new_table.2.0 v5
--   store_slot.inline.0.2.tag v18, v12
--   store_slot.inline.1.2.tag v18, v15
--   set_shape v18, v16
--   return v18
-- fs0: pc 4 regs r0=v0, r1=v1, r2=v22
-- fs1: pc 5 regs r1=v1, r2=v24
-- end
