-- test optimize settled
-- A function that failed too often relies on nothing that may change: it looks at
-- the captured variable, and calls a Lua function through its entry if one is there.
-- absent: watch guard guard_tag guard_shape
-- present: load_cell has_tag.luafn call_lua call_window
local function add(a, b) return a + b end
local function run(a) return (add(a, 1)) end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:7" call params 1 stack 5
-- b0(v0: any):
--   v1: luafn = self_closure
--   v2: cell = upval.0 v1
--   v3: any = load_cell v2
--   v4: int = int 1
--   v5: bool = has_tag.luafn v3
--   branch v5, b3, b4
-- b2(v9: any):
--   return v9
-- b3:
--   v6: luafn = unbox v3
--   v7: any = call_lua.1 v6, v0, v4 @s0
--   jump b2(v7)
-- b4:
--   store_reg.1 v3
--   store_reg.3 v0
--   store_reg.4 v4
--   call_window.1.2.1 @s1
--   v8: any = load_reg.1
--   jump b2(v8)
-- s0: pc 3
-- s1: pc 3
-- end
