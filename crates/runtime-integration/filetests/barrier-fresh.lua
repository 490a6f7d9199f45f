-- test optimize
-- A table is stored in a fresh one and both are returned: all stores come before
-- anything can collect or run, so that none needs a barrier.
-- count: new_table=2 store_slot=2
-- absent: poll call_window call_lua interp_one put_field guard_valid
local function run(x) return { next = { x = x } } end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:6" call params 1 stack 3
-- p0: shape @shape0 {}
-- p1: shape @shape1 {x}
-- p2: shape @shape2 {next}
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v2: ptr = literal p0
--   v5: ptr = literal p1
--   v9: ptr = literal p2
--   v11: table = new_table.2.0 v2
--   store_slot.inline.0.2.tag v11, v1
--   set_shape v11, v5
--   v15: table = new_table.2.0 v2
--   store_slot.inline.0.2.tag v15, v11
--   set_shape v15, v9
--   return v15
-- fs0: pc 0 regs r0=v0
-- end
