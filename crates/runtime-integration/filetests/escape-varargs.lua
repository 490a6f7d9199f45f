-- test optimize
-- Extra arguments of an inlined function are values: select counts and picks them,
-- and what passes them on has a known number of arguments.
-- absent: load_vararg vararg_count call_lua call_window interp_one
-- present: int_op.add
local function add(a, b) return a + b end
local function sum(...)
  local s = 0
  for k = 1, select("#", ...) do s = s + select(k, ...) end
  return s
end
local function first(x, ...) return ... end
local function forward(f, ...) return f(...) end
local function run(i)
  local a, b = first(i, 2, 3)
  return forward(add, i, 2) + forward(sum, i, a, b) + sum() + add(first(1, i, 4))
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:14" call params 1 stack 26
-- p0: luafn line 14
-- p1: luafn line 12
-- p2: proto line 12
-- p3: luafn line 13
-- p4: luafn line 6
-- p5: proto line 13
-- p6: luafn line 7
-- p7: table _G
-- p8: nativefn select
-- p9: str "#"
-- p10: proto line 7
-- p11: proto line 6
-- watch closures of line 14: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field select of _G: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v4: int = int 2
--   v5: int = int 3
--   v13: int = int_op.add v1, v4
--   v18: luafn = literal p6
--   v19: int = int 0
--   v20: int = int 1
--   v22: nativefn = literal p8
--   v37: int = int -1
--   v48: nil = nil
--   jump b10(v19, v20)
-- b10(v27: int, v28: int) loop:
--   v38: int = int_op.add v28, v37
--   v40: bool = int_cmp.eq v38, v19
--   branch v40, b13, b14
-- b11:
--   v58: int = int_op.add v13, v52
--   v97: int = int 4
--   v100: int = int_op.add v1, v97
--   v102: int = int_op.add v58, v100
--   return v102
-- b12(v50: any):
--   v51: int = guard_tag.int v50 [fs1 type for 12]
--   v52: int = int_op.add v27, v51
--   poll v18 @s4
--   guard_polled [fs3 invalidated]
--   v54: bool = int_cmp.lt v28, v5
--   v55: int = int_op.add v28, v20
--   branch v54, b10(v52, v55), b11
-- b13:
--   v41: any = box v1
--   jump b12(v41)
-- b14:
--   v43: bool = int_cmp.eq v38, v20
--   branch v43, b15, b16
-- b15:
--   v44: any = box v4
--   jump b12(v44)
-- b16:
--   v46: bool = int_cmp.eq v38, v4
--   branch v46, b17, b18
-- b17:
--   v47: any = box v5
--   jump b12(v47)
-- b18:
--   v49: any = box v48
--   jump b12(v49)
-- fs0: pc 0 regs r0=v0
-- fs1: pc 11 regs r0=v27, r1=v28, r2=v5, r3=v20, r5=v22, r7=v28 caller fs2 closure v18 proto p5 at 15 varargs 3 tail
-- fs2: pc 15 regs r0=v1, r3=v13, r7=v1, r8=v4, r9=v5, r12=v1, r13=v4, r14=v5
-- fs3: pc 14 regs r0=v52, r1=v28, r2=v5, r3=v20 caller fs2 closure v18 proto p5 at 15 varargs 3 tail
-- s3: pc 15
-- s4: pc 14 caller s3 at 15 tail
-- end
