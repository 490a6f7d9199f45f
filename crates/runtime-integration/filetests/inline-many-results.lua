-- test optimize
-- Several results of an inlined function are values, also as the last arguments of
-- another call.
-- absent: call_lua call_window call_lua_multi load_reg store_reg
-- present: int_op.floordiv int_op.mod int_op.add
local function divmod(a, b) return a // b, a % b end
local function add(a, b) return a + b end
local function run(x)
  local q, r = divmod(x, 3)
  return q + add(divmod(r, 5))
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:8" call params 1 stack 11
-- p0: luafn line 8
-- p1: luafn line 6
-- p2: proto line 6
-- p3: luafn line 7
-- p4: proto line 7
-- watch closures of line 8: constant
-- watch captured variables: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v4: int = int 3
--   v5: int = int_op.floordiv v1, v4
--   v6: int = int_op.mod v1, v4
--   v13: int = int 5
--   v14: int = int_op.floordiv v6, v13
--   v15: int = int_op.mod v6, v13
--   v18: int = int_op.add v14, v15
--   v20: int = int_op.add v5, v18
--   return v20
-- fs0: pc 0 regs r0=v0
-- end
