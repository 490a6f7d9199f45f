-- test optimize
-- An object that a call gets is made before it.
-- count: new_table=1 call_window=1
local function run(x)
  local p = { x = x }
  print(p)
  return p.x
end
print = function() end
for i = 1, 20 do run(i) print = next end
return run
-- expect
-- func "test:4" call params 1 stack 5
-- p0: shape @shape0 {}
-- p1: shape @shape1 {x}
-- p2: luafn line 4
-- p3: table _G
-- watch closures of line 4: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field x of {x}: int
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v2: ptr = literal p0
--   v5: ptr = literal p1
--   v7: table = literal p3
--   v8: any = load_slot.out.10 v7
--   store_reg.2 v8
--   v12: table = new_table.2.0 v2
--   store_slot.inline.0.2.tag v12, v1
--   set_shape v12, v5
--   store_reg.4 v12
--   store_reg.1 v12
--   call_window.2.1.0 @s0
--   guard_valid [fs1 invalidated]
--   guard_shape v12, v5 [fs2 shape]
--   v10: int = load_slot.inline.0.2 v12
--   return v10
-- fs0: pc 0 regs r0=v0
-- fs1: pc 5 regs r1=v12
-- fs2: pc 5 regs r1=v12
-- s0: pc 4 live r1
-- end
