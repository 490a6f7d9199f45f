-- test optimize
-- A field of objects of one shape: one compare of the shape, and a load whose type
-- a watched cell proves.
-- count: guard_tag=1 guard_shape=1 load_slot=1
-- present: watch
-- absent: find_field interp_one
local function get(o) return o.x end
for i = 1, 20 do get({ x = i, y = 0 }) end
return get
-- expect
-- func "test:7" call params 1 stack 2
-- p0: shape @shape0 {x, y}
-- watch field x of {x}: int
-- b0(v0: any):
--   v1: table = guard_tag.table v0 [fs0 type]
--   v2: ptr = literal p0
--   guard_shape v1, v2 [fs1 shape]
--   v3: int = load_slot.inline.0.2 v1
--   return v3
-- fs0: pc 0 regs r0=v0
-- fs1: pc 0 regs r0=v1
-- end
