-- test optimize
-- A list that replaces another in each iteration is made.
-- present in loops: new_table load_elem
-- absent in loops: call_lua interp_one
local function run(n)
  local p = { 0.0, 1.0 }
  for i = 1, n do p = { p[1] + 0.5, p[2] * 0.5 } end
  return p[1] + p[2]
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:5" call params 1 stack 9 spares
-- p0: shape @shape0 {}
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v2: float = float 0.0
--   v3: float = float 1.0
--   v4: ptr = literal p0
--   v6: table = new_table.0.2 v4, v2, v3
--   v7: int = int 1
--   v9: bool = int_cmp.le v7, v1
--   branch v9, b4, b3(v6)
-- b2(v10: table, v11: int) loop:
--   v16: int = elems_len v10
--   v17: bool = int_cmp.ult v15, v16
--   guard v17 [fs1 elements]
--   v18: int = elems_kind v10
--   v20: bool = int_cmp.eq v18, v19
--   guard v20 [fs1 elements]
--   v21: float = load_elem v10, v15
--   v23: float = float_op.add v21, v22
--   v27: bool = int_cmp.ult v7, v16
--   guard v27 [fs2 elements]
--   v31: float = load_elem v10, v7
--   v33: float = float_op.mul v31, v22
--   v36: table = new_table.0.2 v4, v23, v33
--   poll v36 @s0
--   guard_polled [fs3 invalidated]
--   v38: bool = int_cmp.lt v11, v1
--   v39: int = int_op.add v11, v7
--   branch v38, b2(v36, v39), b3(v36)
-- b3(v41: table):
--   v43: int = int 0
--   v44: int = elems_len v41
--   v45: bool = int_cmp.ult v43, v44
--   guard v45 [fs4 elements]
--   v46: int = elems_kind v41
--   v47: int = int 3
--   v48: bool = int_cmp.eq v46, v47
--   guard v48 [fs4 elements]
--   v49: float = load_elem v41, v43
--   v53: bool = int_cmp.ult v7, v44
--   guard v53 [fs5 elements]
--   v57: float = load_elem v41, v7
--   v58: float = float_op.add v49, v57
--   return v58
-- b4:
--   v15: int = int 0
--   v19: int = int 3
--   v22: float = float 0.5
--   jump b2(v6, v7)
-- fs0: pc 0 regs r0=v0
-- fs1: pc 8 regs r1=v10, r2=v11, r3=v1, r4=v7
-- fs2: pc 10 regs r1=v10, r2=v11, r3=v1, r4=v7, r7=v23
-- fs3: pc 15 regs r1=v36, r2=v11, r3=v1, r4=v7
-- fs4: pc 16 regs r1=v41
-- fs5: pc 17 regs r1=v41, r2=v49
-- s0: pc 15 live r1
-- end
