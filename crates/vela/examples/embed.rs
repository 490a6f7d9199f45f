//! A host with a script: values and functions go in, functions come out, and
//! errors tell where they come from.
//!
//!     cargo run -p vela --example embed

use std::collections::BTreeMap;
use vela::{Error, Function, Result, Table, Value, Vm, VmConfig};

const SCRIPT: &str = r#"
local prices = config.prices

-- Called by the host for every order.
function total(order)
  local sum = 0
  for item, n in pairs(order) do
    sum = sum + n * assert(prices[item], 'no price for ' .. item)
  end
  if sum > config.limit then
    notify('large order', sum)
  end
  return sum, sum > config.limit
end
"#;

fn main() -> Result<()> {
    let mut vm = Vm::new(VmConfig::default())?;
    let vm = &mut vm;

    let config = vm.table();
    config.set(vm, "limit", 100)?;
    config.set(vm, "prices", BTreeMap::from([("tea", 4.5), ("cake", 30.0)]))?;
    let notify = vm.function(|_, (what, sum): (String, f64)| {
        println!("host: {what} ({sum})");
        Ok(())
    });
    let globals = vm.globals();
    globals.set(vm, "config", config)?;
    globals.set(vm, "notify", notify)?;
    vm.chunk(SCRIPT).name("@prices.lua").exec()?;

    let total: Function = globals.get(vm, "total")?;
    for order in [
        BTreeMap::from([("tea", 2)]),
        BTreeMap::from([("tea", 1), ("cake", 4)]),
    ] {
        let (sum, large): (f64, bool) = total.call(vm, order)?;
        println!("total {sum}, large: {large}");
    }

    let wrong = BTreeMap::from([("coffee", 1)]);
    match total.call::<Value>(vm, wrong) {
        Err(e @ Error::Runtime(_)) => println!("error: {}", e.report()),
        other => println!("unexpected: {other:?}"),
    }

    // Errors of the host keep their causes on the way through Lua.
    let read = vm.function(|_, path: String| std::fs::read_to_string(path).map_err(Error::host));
    globals.set(vm, "read", read)?;
    let e = vm.chunk("return read('/no/such/file')").exec().unwrap_err();
    let cause = e.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    println!("error: {e}; cause: {cause:?}");

    let list: Table = vm.chunk("{1, 2, 3}").eval()?;
    println!(
        "sum: {}",
        list.entries::<i64, i64>(vm)?
            .iter()
            .map(|e| e.1)
            .sum::<i64>()
    );
    Ok(())
}
