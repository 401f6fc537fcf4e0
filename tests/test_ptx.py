"""The CUDA kernels' PTX is what the pinned compiler makes of them, and they keep to their budgets."""

import importlib.util
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the compiler's wheel is Linux's")

ROOT = Path(__file__).resolve().parent.parent
SPEC = importlib.util.spec_from_file_location("ptx", ROOT / "tools" / "ptx.py")
ptx = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(ptx)


@pytest.fixture(scope="module")
def library():
    return ptx.nvrtc()


def test_kernels_are_as_committed_and_within_their_budgets():
    assert ptx.complaints() == []


def test_ptx_is_read_by_drivers_since_cuda_12_5():
    for source in ptx.sources():
        text = ptx.committed(source).read_text()
        target = ptx.ptx_target(source).replace("compute", "sm")
        assert text.startswith(f".version 8.5\n.target {target}\n"), source.name


def test_every_budget_is_of_a_kernel():
    made = "".join(ptx.committed(source).read_text() for source in ptx.sources())
    budgets = ptx.json.loads((ptx.KERNELS / "budgets.json").read_text())
    assert budgets
    for kernel in budgets:
        assert f".entry {kernel}(" in made


def test_what_is_over_budget_is_told(library):
    source = ptx.KERNELS / "kmeans.cu"
    budgets = ptx.json.loads((ptx.KERNELS / "budgets.json").read_text())
    budgets["kmeans_assign"]["registers"] = 20
    del budgets["kmeans_mirror"]
    found = "\n".join(ptx.over_budget(library, source, budgets))
    for target in ptx.CODE_TARGETS:
        assert f"kmeans_mirror for {target}: has no budget" in found
        assert f"kmeans_assign for {target}: " in found


def test_products_that_wait_for_each_other_are_told(library, tmp_path):
    # Sums that are touched while products are under way.
    header = (ptx.KERNELS / "hopper.cuh").read_text().replace("#pragma once", "")
    touched = header.replace("before = stage;\n", "before = stage;\n sums[0][0] += 1.0f;\n")
    kernels = (ptx.KERNELS / "hopper.cu").read_text().replace('#include "hopper.cuh"', "")
    source = tmp_path / "hopper.cu"
    budgets = ptx.json.loads((ptx.KERNELS / "budgets.json").read_text())
    source.write_text(header + kernels)
    assert ptx.over_budget(library, source, budgets) == []
    source.write_text(touched + kernels)
    assert "are serialized" in "\n".join(ptx.over_budget(library, source, budgets))


def test_a_kernel_that_does_not_compile_is_told_with_its_line(library, tmp_path):
    source = tmp_path / "broken.cu"
    source.write_text('extern "C" __global__ void broken() {\n    nothing;\n}\n')
    with pytest.raises(ptx.CompileError, match=r"broken\.cu\(2\)"):
        ptx.compiled(library, source, ptx.PTX_TARGET)
