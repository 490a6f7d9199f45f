-- test optimize
-- A metatable of each object's own with nothing but __index: object and metatable are
-- made, and the class is part of the shape.
-- count: new_table=2
-- absent: call_window interp_one
local C = {}
function C.get(self) return self.x end
local function new(x) return setmetatable({ x = x }, { __index = C }) end
for i = 1, 20 do new(i) end
return new
-- expect
-- func "test:8" call params 1 stack 6
-- p0: luafn line 8
-- p1: table _G
-- p2: nativefn setmetatable
-- p3: shape @shape0 {}
-- p4: shape @shape1 {x}
-- p5: table C
-- p6: shape @shape2 {__index}
-- p7: shape @shape3 {__index}
-- p8: shape @shape4 {x, (metatable)} class C
-- watch closures of line 8: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field setmetatable of _G: constant
-- watch metatables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v5: ptr = literal p3
--   v10: table = literal p5
--   v17: ptr = literal p7
--   v18: ptr = literal p8
--   v20: table = new_table.2.0 v5
--   store_slot.inline.0.2.tag v20, v10
--   set_shape v20, v17
--   v24: table = new_table.2.0 v5
--   store_slot.inline.0.2.tag v24, v1
--   store_slot.inline.1.2.tag v24, v20
--   set_shape v24, v18
--   return v24
-- fs0: pc 0 regs r0=v0
-- end
