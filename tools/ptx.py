"""Compiles the CUDA kernels by the pinned NVRTC wheel, without a GPU and without CUDA.

    python tools/ptx.py          writes cuda/kernels/*.ptx, which is committed
    python tools/ptx.py --check  says where it differs, or a kernel is over its budget

PTX is what the driver compiles for whichever processor it finds. Machine code for two of them is
made and thrown away: what the assembler says of it is held against cuda/kernels/budgets.json.
"""

import ctypes
import importlib.util
import json
import re
import sys
from pathlib import Path

KERNELS = Path(__file__).resolve().parent.parent / "cuda" / "kernels"
# Of Ampere, and understood by the driver of everything since; and of Hopper alone.
PTX_TARGET = "compute_80"
CODE_TARGETS = ("sm_80", "sm_90a")
HOPPER = "hopper"
PTX_TARGET_HOPPER = "compute_90a"
OPTIONS = ["--std=c++17", "--device-as-default-execution-space", f"--include-path={KERNELS}"]


class CompileError(Exception):
    """What the compiler complains of."""


def nvrtc():
    """The library of the wheel."""
    spec = importlib.util.find_spec("nvidia")
    for folder in spec.submodule_search_locations if spec else []:
        found = Path(folder) / "cuda_nvrtc" / "lib" / "libnvrtc.so.12"
        if found.exists():
            return ctypes.CDLL(str(found))
    raise CompileError("no NVRTC: pip install -r tools/requirements.txt")


def compiled(library, source, target):
    """What the compiler makes of a source, as bytes, and what it says of it."""
    program = ctypes.c_void_p()
    text = source.read_bytes()
    check(library, library.nvrtcCreateProgram(
        ctypes.byref(program), text, source.name.encode(), 0, None, None))
    options = [*OPTIONS, f"--gpu-architecture={target}"]
    if target.startswith("sm_"):
        options.append("--ptxas-options=--verbose")
    given = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
    failed = library.nvrtcCompileProgram(program, len(options), given)
    log = taken(library, program, "ProgramLog").rstrip(b"\0").decode()
    if failed:
        raise CompileError(f"{source.name} for {target}:\n{log}")
    made = taken(library, program, "CUBIN" if target.startswith("sm_") else "PTX")
    library.nvrtcDestroyProgram(ctypes.byref(program))
    return made, log


def taken(library, program, what):
    """One of the things that a program has."""
    size = ctypes.c_size_t()
    check(library, getattr(library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
    buffer = ctypes.create_string_buffer(size.value)
    check(library, getattr(library, f"nvrtcGet{what}")(program, buffer))
    return buffer.raw


def check(library, code):
    if code:
        library.nvrtcGetErrorString.restype = ctypes.c_char_p
        raise CompileError(library.nvrtcGetErrorString(code).decode())


def ptx_target(source):
    """Whom a source's PTX is for."""
    return PTX_TARGET_HOPPER if source.stem == HOPPER else PTX_TARGET


def code_targets(source):
    """Processors that a source's machine code is tried for."""
    return CODE_TARGETS[1:] if source.stem == HOPPER else CODE_TARGETS


def ptx_of(library, source):
    """PTX without the lines that name the compiler's build."""
    made, _ = compiled(library, source, ptx_target(source))
    lines = made.rstrip(b"\0").decode().splitlines()
    lines = [line.rstrip() for line in lines if not line.startswith("//")]
    return "\n".join(lines).strip() + "\n"


def needs_of(log):
    """Registers, bytes of shared memory, of stack and of spills, of each kernel in a log."""
    needs, name = {}, None
    for line in log.splitlines():
        if found := re.search(r"Compiling entry function '(\w+)'", line):
            name = found[1]
            needs[name] = {"registers": 0, "shared": 0, "stack": 0, "spills": 0}
        if name and (found := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, "
                                        r"(\d+) bytes spill loads", line)):
            needs[name]["stack"] = int(found[1])
            needs[name]["spills"] = int(found[2]) + int(found[3])
        if name and (found := re.search(r"Used (\d+) registers", line)):
            needs[name]["registers"] = int(found[1])
            shared = re.search(r"(\d+) bytes smem", line)
            needs[name]["shared"] = int(shared[1]) if shared else 0
    return needs


def over_budget(library, source, budgets):
    """Complaints: what a kernel needs beyond its budget, and kernels that have none."""
    complaints = []
    for target in code_targets(source):
        _, log = compiled(library, source, target)
        needs = needs_of(log)
        complaints += [f"{source.name} for {target}: {line}" for line in log.splitlines()
                       if "Potential Performance Loss" in line]
        if not needs:
            complaints.append(f"{source.name} for {target}: the assembler says nothing")
        for kernel, need in needs.items():
            budget = budgets.get(kernel)
            if budget is None:
                complaints.append(f"{kernel} for {target}: has no budget")
                continue
            for what, many in need.items():
                if many > budget[what]:
                    complaints.append(f"{kernel} for {target}: {many} {what} of {budget[what]}")
    return complaints


def sources():
    return sorted(KERNELS.glob("*.cu"))


def committed(source):
    return source.with_suffix(f".{ptx_target(source)}.ptx")


def complaints():
    """Everything that is not as it was committed, or over budget."""
    library, found = nvrtc(), []
    budgets = json.loads((KERNELS / "budgets.json").read_text())
    for source in sources():
        path = committed(source)
        if not path.exists() or path.read_text() != ptx_of(library, source):
            found.append(f"{path.name} is not what {source.name} compiles to: run tools/ptx.py")
        found += over_budget(library, source, budgets)
    return found


def main():
    if sys.argv[1:] == ["--check"]:
        found = complaints()
        print("\n".join(found) or "as committed, and within budgets")
        sys.exit(bool(found))
    library = nvrtc()
    for source in sources():
        committed(source).write_text(ptx_of(library, source))
        for target in code_targets(source):
            _, log = compiled(library, source, target)
            for kernel, need in needs_of(log).items():
                print(target, kernel, need)


if __name__ == "__main__":
    main()
