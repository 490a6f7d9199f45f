//! The `package` library and `require`.
//!
//! Modules are Lua files; modules in C are found, so that messages tell what
//! `require` looked for, and refused.

use crate::args::{check_str, opt_str};
use crate::{chunk, register, sys};
use vela_objects::{Args, Gc, LuaResult, NativeFn, NativeResult, Ret, Str, Table, Value, VmState};

const FUNCTIONS: &[(&str, NativeFn)] = &[
    ("package.loadlib", loadlib),
    ("package.searchpath", searchpath),
];

/// Finders of module loaders, in the order in which `require` asks them.
const SEARCHERS: &[(&str, NativeFn)] = &[
    ("package.searcher_preload", search_preload),
    ("package.searcher_Lua", search_lua),
    ("package.searcher_C", search_c),
    ("package.searcher_Croot", search_c_root),
];

const PATH: &str = "/usr/local/share/lua/5.4/?.lua;/usr/local/share/lua/5.4/?/init.lua;\
    /usr/local/lib/lua/5.4/?.lua;/usr/local/lib/lua/5.4/?/init.lua;\
    /usr/share/lua/5.4/?.lua;/usr/share/lua/5.4/?/init.lua;./?.lua;./?/init.lua";
const C_PATH: &str = "/usr/local/lib/lua/5.4/?.so;/usr/local/lib/lua/5.4/loadall.so;./?.so";
const NO_C_MODULES: &str = "C modules are not supported";

/// Key of `package.preload` in the registry.
const PRELOAD: &str = "_PRELOAD";
/// Key in the registry; while it is true, environment variables are ignored.
/// Hosts set it before they open the libraries.
pub const NO_ENVIRONMENT: &str = "LUA_NOENV";

/// Opens the library in `vm`.
pub fn open(vm: &mut VmState) {
    let package = register::library(vm, "package", FUNCTIONS);
    let searchers = vm.table(0, SEARCHERS.len());
    for (i, &(name, f)) in SEARCHERS.iter().enumerate() {
        let f = vm.native_with(name, f, &[Value::table(package)]);
        searchers.set_int(vm, i as i64 + 1, Value::native_fn(f));
    }
    register::set_field(vm, package, "searchers", Value::table(searchers));
    for (field, variable, default) in [("path", "LUA_PATH", PATH), ("cpath", "LUA_CPATH", C_PATH)] {
        let path = initial_path(vm, variable, default);
        let path = vm.str_value(&path);
        register::set_field(vm, package, field, path);
    }
    let config = vm.str_value(b"/\n;\n?\n!\n-\n");
    register::set_field(vm, package, "config", config);
    let loaded = register::loaded(vm);
    register::set_field(vm, package, "loaded", Value::table(loaded));
    let preload = vm.table(0, 0);
    register::set_field(vm, package, "preload", Value::table(preload));
    let registry = vm.registry;
    register::set_field(vm, registry, PRELOAD, Value::table(preload));
    let require = vm.native_with("require", require, &[Value::table(package)]);
    let globals = vm.globals;
    register::set_field(vm, globals, "require", Value::native_fn(require));
}

/// The path from the environment, in which `;;` stands for the default.
fn initial_path(vm: &mut VmState, variable: &str, default: &str) -> Vec<u8> {
    let key = vm.str(NO_ENVIRONMENT.as_bytes());
    let value = if vm.registry.get_str(key).truthy() {
        None
    } else {
        std::env::var_os(format!("{variable}_5_4")).or_else(|| std::env::var_os(variable))
    };
    match value {
        Some(v) => with_default(&sys::os_bytes(v), default.as_bytes()),
        None => default.as_bytes().to_vec(),
    }
}

fn with_default(path: &[u8], default: &[u8]) -> Vec<u8> {
    let Some(at) = path.windows(2).position(|w| w == b";;") else {
        return path.to_vec();
    };
    let parts = [&path[..at], default, &path[at + 2..]];
    let parts: Vec<&[u8]> = parts.into_iter().filter(|p| !p.is_empty()).collect();
    parts.join(&b';')
}

/// The first readable file that `name` gives in the templates of `path`, or
/// the list of those tried.
fn find(name: &[u8], path: &[u8], separator: &[u8], directory: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
    let name = replace(name, separator, directory);
    let path = replace(path, b"?", &name);
    if path.is_empty() {
        return Err(b"no file ''".to_vec());
    }
    let mut tried = Vec::new();
    for file in path.split(|&b| b == b';') {
        if std::fs::File::open(sys::os_string(file)).is_ok() {
            return Ok(file.to_vec());
        }
        if !tried.is_empty() {
            tried.extend_from_slice(b"\n\t");
        }
        tried.extend_from_slice(b"no file '");
        tried.extend_from_slice(file);
        tried.push(b'\'');
    }
    Err(tried)
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    if !from.is_empty() {
        while let Some(at) = rest.windows(from.len()).position(|w| w == from) {
            out.extend_from_slice(&rest[..at]);
            out.extend_from_slice(to);
            rest = &rest[at + from.len()..];
        }
    }
    out.extend_from_slice(rest);
    out
}

fn searchpath(vm: &mut VmState, args: Args) -> NativeResult {
    let name = check_str(vm, args, 0)?.bytes();
    let path = check_str(vm, args, 1)?.bytes();
    let separator = opt_str(vm, args, 2)?.map_or(&b"."[..], Gc::bytes);
    let directory = opt_str(vm, args, 3)?.map_or(&b"/"[..], Gc::bytes);
    match find(name, path, separator, directory) {
        Ok(file) => Ok(Ret::One(vm.str_value(&file))),
        Err(tried) => {
            let tried = vm.str_value(&tried);
            vm.push(Value::NIL)?;
            vm.push(tried)?;
            Ok(Ret::Many(2))
        }
    }
}

fn loadlib(vm: &mut VmState, args: Args) -> NativeResult {
    check_str(vm, args, 0)?;
    check_str(vm, args, 1)?;
    let text = vm.str_value(NO_C_MODULES.as_bytes());
    let kind = vm.str_value(b"absent");
    for v in [Value::NIL, text, kind] {
        vm.push(v)?;
    }
    Ok(Ret::Many(3))
}

/// The `package` table, which searchers and `require` captured.
fn package_of(vm: &VmState) -> Option<Gc<Table>> {
    let f = vm.frame_at(0)?.function().as_native_fn()?;
    f.upval(0).as_table()
}

fn package_field(vm: &mut VmState, field: &str) -> Value {
    let key = vm.str(field.as_bytes());
    package_of(vm).map_or(Value::NIL, |p| p.get_str(key))
}

/// Finds `name` by `package.path` or `package.cpath`.
fn find_by(vm: &mut VmState, name: &[u8], field: &str) -> LuaResult<Result<Vec<u8>, Vec<u8>>> {
    let path = package_field(vm, field);
    match vm.coerce_str(path) {
        Some(path) => Ok(find(name, path.bytes(), b".", b"/")),
        None => Err(vm.error(format!("'package.{field}' must be a string"))),
    }
}

fn load_error(vm: &mut VmState, name: &[u8], file: &[u8], why: &str) -> NativeResult {
    let text = |b| String::from_utf8_lossy(b);
    Err(vm.error(format!(
        "error loading module '{}' from file '{}':\n\t{why}",
        text(name),
        text(file)
    )))
}

fn search_preload(vm: &mut VmState, args: Args) -> NativeResult {
    let name = check_str(vm, args, 0)?;
    let key = vm.str(PRELOAD.as_bytes());
    let preload = vm.registry.get_str(key);
    let loader = vm.index(preload, Value::str(name))?;
    if loader.is_nil() {
        let text = format!("no field package.preload['{}']", name.to_text());
        return Ok(Ret::One(vm.str_value(text.as_bytes())));
    }
    let data = vm.str_value(b":preload:");
    vm.push(loader)?;
    vm.push(data)?;
    Ok(Ret::Many(2))
}

fn search_lua(vm: &mut VmState, args: Args) -> NativeResult {
    let name = check_str(vm, args, 0)?.bytes();
    let file = match find_by(vm, name, "path")? {
        Ok(file) => file,
        Err(tried) => return Ok(Ret::One(vm.str_value(&tried))),
    };
    let env = Value::table(vm.globals);
    match chunk::load_file(vm, Some(&file), "bt", env) {
        Ok(f) => {
            vm.push(f)?;
            let file = vm.str_value(&file);
            vm.push(file)?;
            Ok(Ret::Many(2))
        }
        Err(why) => load_error(vm, name, &file, &why),
    }
}

fn search_c(vm: &mut VmState, args: Args) -> NativeResult {
    let name = check_str(vm, args, 0)?.bytes();
    match find_by(vm, name, "cpath")? {
        Ok(file) => load_error(vm, name, &file, NO_C_MODULES),
        Err(tried) => Ok(Ret::One(vm.str_value(&tried))),
    }
}

fn search_c_root(vm: &mut VmState, args: Args) -> NativeResult {
    let name = check_str(vm, args, 0)?.bytes();
    let Some(dot) = name.iter().position(|&b| b == b'.') else {
        return Ok(Ret::None);
    };
    match find_by(vm, &name[..dot], "cpath")? {
        Ok(file) => load_error(vm, name, &file, NO_C_MODULES),
        Err(tried) => Ok(Ret::One(vm.str_value(&tried))),
    }
}

fn require(vm: &mut VmState, args: Args) -> NativeResult {
    let name = check_str(vm, args, 0)?;
    let key = Value::str(name);
    let loaded = Value::table(register::loaded(vm));
    let v = vm.index(loaded, key)?;
    if v.truthy() {
        return Ok(Ret::One(v));
    }
    let (loader, data) = find_loader(vm, name)?;
    vm.push(data)?;
    let [v] = vm.call(loader, &[key, data])?;
    if !v.is_nil() {
        vm.set_index(loaded, key, v)?;
    }
    let mut result = vm.index(loaded, key)?;
    if result.is_nil() {
        result = Value::bool(true);
        vm.set_index(loaded, key, result)?;
    }
    vm.pop(1);
    vm.push(result)?;
    vm.push(data)?;
    Ok(Ret::Many(2))
}

/// The loader that the first successful searcher returns, and what it is to
/// be told.
fn find_loader(vm: &mut VmState, name: Gc<Str>) -> LuaResult<(Value, Value)> {
    let Some(searchers) = package_field(vm, "searchers").as_table() else {
        return Err(vm.error("'package.searchers' must be a table"));
    };
    // The list may be replaced while its searchers run.
    vm.push(Value::table(searchers))?;
    let mut tried = Vec::new();
    for i in 1.. {
        let searcher = searchers.get_int(i);
        if searcher.is_nil() {
            break;
        }
        let [loader, data] = vm.call(searcher, &[Value::str(name)])?;
        if loader.is_function() {
            vm.pop(1);
            return Ok((loader, data));
        }
        if let Some(text) = vm.coerce_str(loader) {
            tried.extend_from_slice(b"\n\t");
            tried.extend_from_slice(text.bytes());
        }
    }
    let text = format!(
        "module '{}' not found:{}",
        name.to_text(),
        String::from_utf8_lossy(&tried)
    );
    Err(vm.error(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_tried_in_order() {
        let tried = find(b"a.b", b"?.none;./?/x.none", b".", b"/").unwrap_err();
        assert_eq!(tried, b"no file 'a/b.none'\n\tno file './a/b/x.none'");
        let found = find(b"Cargo", b"no/?.x;./?.toml", b".", b"/");
        assert_eq!(found.expect("tests run in the package"), b"./Cargo.toml");
    }

    #[test]
    fn double_semicolon_is_the_default() {
        assert_eq!(with_default(b"a;;b", b"d"), b"a;d;b");
        assert_eq!(with_default(b";;", b"d"), b"d");
        assert_eq!(with_default(b"a;b", b"d"), b"a;b");
    }
}
