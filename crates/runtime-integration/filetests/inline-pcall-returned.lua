-- test optimize
-- Results of a `pcall` that is returned: as many as the function has, and one.
-- absent: call_window call_lua
local function both(x) return x, x + 1 end
local function run(x)
  return pcall(both, x)
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:5" call params 1 stack 8
-- p0: luafn line 5
-- p1: table _G
-- p2: nativefn pcall
-- p3: luafn line 4
-- p4: proto line 4
-- watch closures of line 5: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field pcall of _G: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v7: int = int 1
--   v8: int = int_op.add v1, v7
--   v9: bool = bool true
--   store_reg.1 v9
--   store_reg.2 v1
--   store_reg.3 v8
--   return_window.1.3
-- fs0: pc 0 regs r0=v0
-- end
