-- test optimize
-- An object that gets out of sight on a path that is hardly ever taken is made there.
-- absent in hot code: call_window
-- absent in inner loops: new_table
-- present: new_table
local sink
local function run(n)
  local s = 0
  for i = 1, n do
    local p = { x = i, y = i + 1 }
    if i == -1 then sink = p end
    s = s + p.x + p.y
  end
  return s
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:7" call params 1 stack 9
-- p0: shape @shape0 {}
-- p1: shape @shape1 {x}
-- p2: shape @shape2 {x, y}
-- p3: luafn line 7
-- watch closures of line 7: constant
-- watch field x of {x}: int
-- watch field y of {x, y}: int
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v2: int = int 0
--   v3: int = int 1
--   v5: bool = int_cmp.le v3, v1
--   branch v5, b6, b3(v2)
-- b2(v6: int, v7: int) cold:
--   v16: int = int_op.add v7, v3
--   v20: bool = int_cmp.eq v7, v19
--   branch v20, b4, b5
-- b3(v38: int):
--   return v38
-- b4 cold:
--   v22: cell = upval.0 v21
--   v40: table = new_table.2.0 v11
--   store_slot.inline.0.2.tag v40, v7
--   store_slot.inline.1.2.tag v40, v16
--   set_shape v40, v18
--   store_cell v22, v40
--   jump b5
-- b5 cold:
--   v30: int = int_op.add v6, v7
--   v33: int = int_op.add v30, v16
--   poll @s0
--   guard_valid [fs1 invalidated]
--   v35: bool = int_cmp.lt v7, v1
--   branch v35, b7(v33, v16), b3(v33)
-- b6:
--   v11: ptr = literal p0
--   v18: ptr = literal p2
--   v19: int = int -1
--   v21: luafn = literal p3
--   jump b7(v2, v3)
-- b7(v46: int, v47: int) loop:
--   v49: bool = int_cmp.le v47, v1
--   branch v49, b8, b2(v46, v47)
-- b8:
--   v50: int = int_op.sub v1, v47
--   v51: int = int 4095
--   v52: bool = int_cmp.ult v50, v51
--   v53: int = select v52, v50, v51
--   v54: int = int_op.add v47, v53
--   jump b9(v46, v47)
-- b9(v55: int, v56: int) loop:
--   v58: int = int_op.add v56, v3
--   v59: bool = int_cmp.eq v56, v19
--   branch v59, b2(v55, v56), b10
-- b10:
--   v60: int = int_op.add v55, v56
--   v61: int = int_op.add v60, v58
--   v63: bool = int_cmp.ne v56, v54
--   branch v63, b9(v61, v58), b11
-- b11:
--   poll @s1
--   guard_valid [fs2 invalidated]
--   v62: bool = int_cmp.lt v56, v1
--   branch v62, b7(v61, v58), b3(v61)
-- fs0: pc 0 regs r0=v0
-- fs1: pc 16 regs r1=v33, r2=v7, r3=v1, r4=v3
-- fs2: pc 16 regs r1=v61, r2=v56, r3=v1, r4=v3
-- s0: pc 16
-- s1: pc 16
-- end
