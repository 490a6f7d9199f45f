-- test optimize
-- An accumulator that is a new object in each iteration is a parameter for each field.
-- absent: new_table
-- absent in loops: load_slot store_slot guard_shape box
local function run(n)
  local acc = { sum = 0, count = 0 }
  for i = 1, n do acc = { sum = acc.sum + i, count = acc.count + 1 } end
  return acc.sum + acc.count
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:5" call params 1 stack 8 spares
-- p0: shape @shape0 {}
-- p1: shape @shape1 {sum}
-- p2: shape @shape2 {sum, count}
-- watch field sum of {sum}: int
-- watch field count of {sum, count}: int
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v4: int = int 0
--   v9: ptr = literal p2
--   v10: int = int 1
--   v12: bool = int_cmp.le v10, v1
--   branch v12, b4, b3(v4, v4)
-- b2(v14: int, v43: int, v44: int) cold:
--   v20: int = int_op.add v43, v14
--   v28: int = int_op.add v44, v10
--   v46: table = virtual_table v9, v20, v28
--   poll v40 @s0
--   guard_polled [fs1 invalidated]
--   v32: bool = int_cmp.lt v14, v1
--   v33: int = int_op.add v14, v10
--   branch v32, b5(v33, v20, v28), b3(v20, v28)
-- b3(v41: int, v42: int):
--   v39: int = int_op.add v41, v42
--   return v39
-- b4:
--   v40: nil = nil
--   jump b5(v10, v4, v4)
-- b5(v51: int, v53: int, v54: int) loop:
--   v55: bool = int_cmp.le v51, v1
--   branch v55, b6, b2(v51, v53, v54)
-- b6:
--   v56: int = int_op.sub v1, v51
--   v57: int = int 4095
--   v58: bool = int_cmp.ult v56, v57
--   v59: int = select v58, v56, v57
--   v60: int = int_op.add v51, v59
--   jump b7(v51, v53, v54)
-- b7(v61: int, v63: int, v64: int) loop:
--   v65: int = int_op.add v63, v61
--   v66: int = int_op.add v64, v10
--   v67: table = virtual_table v9, v65, v66
--   v70: int = int_op.add v61, v10
--   v71: bool = int_cmp.ne v61, v60
--   branch v71, b7(v70, v65, v66), b8
-- b8:
--   poll v40 @s1
--   guard_polled [fs2 invalidated]
--   v68: bool = int_cmp.lt v61, v1
--   branch v68, b5(v70, v65, v66), b3(v65, v66)
-- fs0: pc 0 regs r0=v0
-- fs1: pc 15 regs r1=v46, r2=v14, r3=v1, r4=v10
-- fs2: pc 15 regs r1=v67, r2=v61, r3=v1, r4=v10
-- s0: pc 15 live r1
-- s1: pc 15 live r1
-- end
