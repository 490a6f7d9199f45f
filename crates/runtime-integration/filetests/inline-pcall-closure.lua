-- test optimize
-- `pcall` of a closure made for it: neither the closure nor the variables that it captures exist.
-- absent: new_closure new_cell call_window call_lua
local function run(x)
  local y = 0
  pcall(function() y = x + 1 end)
  return y
end
for i = 1, 20 do run(i) end
return run
-- expect
-- func "test:4" call params 1 stack 8
-- p0: luafn line 4
-- p1: table _G
-- p2: nativefn pcall
-- p3: proto line 6
-- watch closures of line 4: constant
-- watch captured variables: constant
-- watch shape of _G: constant
-- watch field pcall of _G: constant
-- b0(v0: any):
--   v1: int = guard_tag.int v0 [fs0 type]
--   v12: int = int 1
--   v14: int = int_op.add v1, v12
--   return v14
-- fs0: pc 0 regs r0=v0
-- end
