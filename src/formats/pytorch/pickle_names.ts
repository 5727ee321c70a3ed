import { printable } from "../text.ts";

/** A name that a pickle imports, such as `collections.OrderedDict`. */
export class Global {
  constructor(readonly module: string, readonly name: string) {}

  /** The name in printable form, because the file chose it. */
  toString(): string {
    return printable(`${this.module}.${this.name}`);
  }
}

/**
 * Whether unpickling runs code, starts programs, opens files or reaches other names through a name. No name is ever
 * looked up here, so reading is safe whatever a file names. But `torch.load` would call it, and no honest checkpoint
 * needs it. The rule:
 *
 * - of Python's built-in names only the types of plain values pass, and no function;
 * - modules with one of these purposes do not pass, nor do those through which published attacks reach them;
 * - a dotted name is a chain of attributes, so no part of it may be such a module or begin with two underscores.
 *
 * Every other name is that of a class or a function that only describes data (`argparse.Namespace`,
 * `numpy.core.multiarray.scalar`, `__main__.Config`): it passes, and is still not called.
 */
export function runsCode({ module, name }: Global): boolean {
  const [top = "", ...inner] = module.split(".");
  const parts = name.split(".");
  if (refusedModules.has(top) || refusedInside.has(module) || refusedNames.has(`${module}.${name}`)) {
    return true;
  }
  if (builtinModules.has(top)) return inner.length > 0 || !plainTypes.has(name);
  const attributes = parts.slice(0, -1);
  if (attributes.some((part) => refusedModules.has(part) || builtinModules.has(part))) return true;
  return parts.length > 1 && parts.some((part) => part.startsWith("__"));
}

/** Names that create a dictionary. */
export const dictionaries: ReadonlySet<string> = new Set(
  ["collections.OrderedDict", "collections.defaultdict", "builtins.dict", "__builtin__.dict"],
);
/** Names that create a list, a tuple or a set. */
export const sequences: ReadonlySet<string> = new Set(
  ["builtins", "__builtin__"].flatMap((module) =>
    ["list", "tuple", "set", "frozenset"].map((name) => `${module}.${name}`)
  ),
);
/** Names that create an object of the class in their first argument. */
export const makers: ReadonlySet<string> = new Set(
  ["copyreg", "copy_reg"].flatMap((module) =>
    ["_reconstructor", "__newobj__", "__newobj_ex__"].map((name) => `${module}.${name}`)
  ),
);

const builtinModules: ReadonlySet<string> = new Set(["builtins", "__builtin__", "__builtins__"]);

const plainTypes: ReadonlySet<string> = new Set(
  ("object bool int long float complex str unicode basestring bytes bytearray list tuple dict set frozenset slice " +
    "range xrange type NoneType Ellipsis NotImplemented").split(" "),
);

const refusedModules: ReadonlySet<string> = new Set(
  [
    // The system and its programs.
    "os posix nt posixpath ntpath subprocess _posixsubprocess popen2 pty platform sys signal multiprocessing",
    "concurrent threading _thread asyncio ctypes _ctypes cffi mmap fcntl winreg _winreg",
    // Files and networks.
    "io _io _pyio codecs shutil tempfile glob fileinput linecache socket _socket ssl socketserver SocketServer http httplib",
    "urllib urllib2 requests aiohttp httpx ftplib smtplib poplib imaplib telnetlib xmlrpc xmlrpclib webbrowser antigravity",
    "sqlite3 dbm shelve zipfile tarfile",
    // Python itself: its compiler, imports, debuggers, other unpicklers.
    "imp importlib _frozen_importlib _frozen_importlib_external zipimport pkgutil pkg_resources runpy code codeop compileall",
    "py_compile marshal pickle _pickle cPickle dill cloudpickle inspect gc atexit sitecustomize usercustomize",
    "bdb pdb cProfile profile trace timeit doctest unittest pydoc lib2to3 idlelib venv ensurepip pip setuptools distutils",
    "IPython jupyter_client",
    // Functions that call their arguments.
    "operator _operator sched",
  ].flatMap((line) => line.split(" ")),
);

/** Modules inside packages that pass. */
const refusedInside: ReadonlySet<string> = new Set([
  "torch.hub",
  "torch.package",
  "torch.utils.cpp_extension",
  "torch.utils.bottleneck.__main__",
  "numpy.testing",
  "numpy.testing._private.utils",
  "numpy.f2py.crackfortran",
]);

/** Names that read other files, in modules that pass. */
const refusedNames: ReadonlySet<string> = new Set([
  "torch.load",
  "torch.serialization.load",
  "torch.jit.load",
  "numpy.load",
  "pandas.read_pickle",
  "pandas.io.pickle.read_pickle",
]);
