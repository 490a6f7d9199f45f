-- test optimize
-- Vectors as lists that inlined functions return: as long as nothing stores to elements
-- in between, their contents are known, and they are not made.
-- absent: new_table call_lua elems_len elems_kind load_elem
-- present: float_op.add float_op.mul
local function add(a, b) return { a[1] + b[1], a[2] + b[2] } end
local function dot(a, b) return a[1] * b[1] + a[2] * b[2] end
local function run(x, y)
  local p, q = { x, y }, { y, 0.5 }
  return (dot(add(p, q), q))
end
for i = 1, 20 do run(i + 0.5, i + 0.25) end
return run
-- expect
-- func "test:8" call params 2 stack 14
-- p0: shape @shape0 {}
-- p1: luafn line 8
-- p2: luafn line 7
-- p3: luafn line 6
-- p4: proto line 6
-- p5: proto line 7
-- watch closures of line 8: constant
-- watch captured variables: constant
-- b0(v0: any, v1: any):
--   v2: float = guard_tag.float v0 [fs0 type]
--   v3: float = guard_tag.float v1 [fs0 type]
--   v7: float = float 0.5
--   v31: float = float_op.add v2, v3
--   v48: float = float_op.add v3, v7
--   v69: float = float_op.mul v31, v3
--   v86: float = float_op.mul v48, v7
--   v87: float = float_op.add v69, v86
--   return v87
-- fs0: pc 0 regs r0=v0, r1=v1
-- end
