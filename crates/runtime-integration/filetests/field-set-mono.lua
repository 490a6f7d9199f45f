-- test optimize
-- A store to a field: the cell of the field says that integers are allowed, which the
-- value is tested for.
-- count: guard_shape=1 store_slot=1 guard_tag.int=1
-- absent: put_field interp_one set_shape
local function set(o, v) o.x = v end
for i = 1, 20 do set({ x = i }, i) end
return set
-- expect
-- func "test:6" call params 2 stack 2
-- p0: shape @shape0 {x}
-- b0(v0: any, v1: any):
--   v2: table = guard_tag.table v0 [fs0 type]
--   v3: int = guard_tag.int v1 [fs0 type]
--   v4: ptr = literal p0
--   guard_shape v2, v4 [fs1 shape]
--   store_slot.inline.0.2.tag v2, v3
--   return_none
-- fs0: pc 0 regs r0=v0, r1=v1
-- fs1: pc 0 regs r0=v2, r1=v3
-- end
