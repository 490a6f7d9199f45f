-- test optimize
-- {...} in an inlined function: a list of known values. What the table was made with
-- tells its length and elements, so that nobody needs it.
-- absent: new_table load_vararg call_lua call_window interp_one lib guard load_elem
-- present: int_op.add
local function pack(...) local t = { ... } return #t + t[1] + t[2] end
local function run(i) return (pack(i, 2)) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:7" call params 1 stack 10
-- p0: luafn line 7
-- p1: luafn line 6
-- p2: proto line 6
-- p3: shape @shape0 {}
-- watch closures of line 7: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v4: int = int 2
--   v19: int = int_op.add v1, v4
--   v28: int = int_op.add v19, v4
--   return v28
-- fs0: pc 0 regs r0=v0
-- end
