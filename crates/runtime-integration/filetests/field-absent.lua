-- test optimize
-- A field that objects without a metatable do not have is nil.
-- count: guard_shape=1
-- absent: find_field interp_one load_slot has_tag
local function get(o) return o.missing == nil end
for i = 1, 20 do get({ x = i }) end
return get
-- expect
-- func "test:5" call params 1 stack 2
-- p0: shape @shape0 {x}
-- b0(v0: any):
--   v1: table = guard_tag.table v0 [fs0 type]
--   v2: ptr = literal p0
--   guard_shape v1, v2 [fs1 shape]
--   v5: bool = bool true
--   return v5
-- fs0: pc 0 regs r0=v0
-- fs1: pc 0 regs r0=v1
-- end
