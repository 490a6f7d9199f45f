-- test optimize osr=1
-- The types of the variables at the entry are those of the running frame; the entry
-- does not accept others.
-- present: load_reg guard_tag.float
-- absent in loops: guard_tag box
local function run(n)
  local s = n
  for i = 1, 10 do s = s * 1.5 end
  return s
end
for i = 1, 20 do run(i + 0.5) end
return run, 0.5
-- expect
-- func "test:6" osr 5 params 1 stack 6
-- b0:
--   v0: any = load_reg.1
--   v1: any = load_reg.2
--   v2: any = load_reg.3
--   v3: any = load_reg.4
--   v4: float = guard_tag.float v0 [fs0 type]
--   v5: int = guard_tag.int v1 [fs0 type]
--   v6: int = guard_tag.int v2 [fs0 type]
--   v7: int = guard_tag.int v3 [fs0 type]
--   jump b3
-- b1(v8: float, v9: int) cold:
--   v13: float = float_op.mul v8, v12
--   poll @s0
--   guard_polled [fs1 invalidated]
--   v15: bool = int_cmp.lt v9, v6
--   v16: int = int_op.add v9, v14
--   branch v15, b4(v13, v16), b2(v13)
-- b2(v20: float):
--   return v20
-- b3:
--   v12: float = float 1.5
--   v14: int = int 1
--   jump b4(v4, v5)
-- b4(v21: float, v22: int) loop:
--   v23: bool = int_cmp.le v22, v6
--   branch v23, b5, b1(v21, v22)
-- b5:
--   v24: int = int_op.sub v6, v22
--   v25: int = int 4095
--   v26: bool = int_cmp.ult v24, v25
--   v27: int = select v26, v24, v25
--   v28: int = int_op.add v22, v27
--   jump b6(v21, v22)
-- b6(v29: float, v30: int) loop:
--   v31: float = float_op.mul v29, v12
--   v34: int = int_op.add v30, v14
--   v35: bool = int_cmp.ne v30, v28
--   branch v35, b6(v31, v34), b7
-- b7:
--   poll @s1
--   guard_polled [fs2 invalidated]
--   v32: bool = int_cmp.lt v30, v6
--   branch v32, b4(v31, v34), b2(v31)
-- fs0: pc 5 window r1, r2, r3, r4
-- fs1: pc 6 regs r1=v13, r2=v9, r3=v6, r4=v7
-- fs2: pc 6 regs r1=v31, r2=v30, r3=v6, r4=v7
-- s0: pc 6
-- s1: pc 6
-- end
