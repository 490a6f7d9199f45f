-- test optimize
-- An object in an object: both are values.
-- absent: new_table guard_shape
-- present: int_op.add
local function run(x)
  local line = { from = { x = x, y = 1 }, to = { x = 2, y = x } }
  return line.from.x + line.to.y
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:5" call params 1 stack 4
-- p0: shape @shape0 {}
-- p1: shape @shape1 {x}
-- p2: shape @shape2 {x, y}
-- p3: shape @shape3 {from}
-- p4: shape @shape4 {from, to}
-- watch field from of {from}: table
-- watch field x of {x}: int
-- watch field to of {from, to}: table
-- watch field y of {x, y}: int
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v30: int = int_op.add v1, v1
--   return v30
-- fs0: pc 0 regs r0=v0
-- end
