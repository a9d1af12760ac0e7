"""How numba compiles kernels: in one go, their helpers only as far as the kernels need.

numba optimises each function with all that it calls in it, and makes machine code of that, even where nothing but other
compiled functions calls it: what lies five calls deep is optimised and translated five times. A helper stays a *draft*: its
instructions are linked into each kernel that needs them, and optimised and translated there, once.
"""

from __future__ import annotations

import os
from typing import Any, ClassVar

import numba
from llvmlite import binding
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering

from maerisim.kernels.compiling.writing import Writer, declare, returning_results

_config: Any = numba.config
_LEVEL = 1
"""LLVM's optimisation level, unless ``NUMBA_OPT`` says another: kernels are as fast as at 2 and 3, and compiling takes a tenth less.
Loops are not unrolled: that doubles the code of kernels, and makes none faster.
"""
_SMALL = 40
"""Helpers that LLVM counts as no larger are copied into their callers: kernels are as fast as with its own 225, and compiling takes a
twentieth less.
"""


class _Draft(JITCodeLibrary):
    """The instructions of a helper; ``libraries``: itself and all that has to be linked with it, in this order."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self.libraries = [self]

    def add_linking_library(self, library: Any) -> None:
        # LLVM leaves out what nothing that was linked before refers to, so the last place in line is the right one.
        if library in self.libraries:
            self.libraries.remove(library)
        self.libraries.append(library)

    def _optimize_functions(self, _module: Any) -> None:
        """Leave the instructions as they are."""

    def _optimize_final_module(self) -> None:
        """Leave the instructions as they are."""

    def _finalize_final_module(self) -> None:
        """Make no machine code."""
        self._finalized = True


class _Code(_Draft):
    """The machine code of a kernel, as the bytes of an object file: ``content``."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self._level = int(_config.OPT) if "NUMBA_OPT" in os.environ else _LEVEL

    def finalize(self) -> None:
        self._linking_libraries = self.libraries[1:]
        super().finalize()

    def _optimize_final_module(self) -> None:
        tuning = binding.create_pipeline_tuning_options(speed_level=self._level)
        tuning.loop_unrolling = tuning.loop_interleaving = tuning.loop_vectorization = tuning.slp_vectorization = False
        tuning.inlining_threshold = _SMALL
        builder = binding.create_pass_builder(self._codegen._tm, tuning)
        builder.getModulePassManager().run(self._final_module, builder)

    def _finalize_final_module(self) -> None:
        codegen: Any = self._codegen
        options = {"opt": self._level}
        codegen._customize_tm_options(options)
        target = binding.Target.from_triple(binding.get_process_triple())
        self.content = bytes(target.create_target_machine(**options).emit_object(self._final_module))
        super()._finalize_final_module()


@register_pass(mutates_CFG=True, analysis_only=False)
class _KernelLowering(NativeLowering):
    """Write and compile a kernel."""

    _name = "kernel_lowering"
    lowering_class = Writer
    library: ClassVar[type[_Draft]] = _Code

    def run_pass(self, state: Any) -> bool:
        state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        lowered = state["cr"]
        # What numba takes for the function, and finds it by: some built-in function that is no other's.
        state["cr"] = lowered._replace(cfunc=lowered.fndesc.llvm_func_name.join)
        self.finish(state)
        return True

    def finish(self, state: Any) -> None:
        """Make machine code."""
        state.library.finalize()


@register_pass(mutates_CFG=True, analysis_only=False)
class _DraftLowering(_KernelLowering):
    """Write a draft."""

    _name = "draft_lowering"
    library = _Draft

    def run_pass(self, state: Any) -> bool:
        with returning_results():
            return super().run_pass(state)

    def finish(self, state: Any) -> None:
        """Let others call it."""
        declare(state.targetctx, state["cr"].cfunc, state["cr"].fndesc, state.library.libraries)


_LEFT_OUT = frozenset(
    {
        "DeadBranchPrune",
        "DumpParforDiagnostics",
        "FindLiterallyCalls",
        "GenericRewrites",
        "InlineClosureLikes",
        "InlineInlinables",
        "InlineOverloads",
        "IRLegalization",
        "LiteralPropagationSubPipelinePass",
        "LiteralUnroll",
        "MakeFunctionToJitFunction",
        "NopythonRewrites",
        "RewriteDynamicRaises",
        "WithLifting",
    }
)
"""Passes for what no kernel has: closures, context managers, whole-array arithmetic, exceptions, parts of tuples by number, branches
that depend on types. Each looks at every instruction, all together for a tenth of the time.
"""


class Passes(PassManager):
    """Passes that run on a stack with room for calls hundreds deep, as those of numba's compiler are.

    CPython keeps frames in chunks of 16 KB: it asks the operating system for the next one when a call does not
    fit, and returns it after the call. Where a loop happens to make its calls at the end of a chunk, that takes longer than all
    else. A chunk is as large as the frame that begins it claims to be, so one large frame makes room for all others.
    """

    def run(self, state: Any) -> None:
        super().run(state)

    run.__code__ = run.__code__.replace(co_stacksize=1 << 16)

    def _runPass(self, _index: int, each: Any, state: Any) -> None:
        """Run a pass; numba's takes its time, tells listeners of it and looks at every instruction afterwards."""
        each.analysis = self._analysis
        each.run_initialization(state)
        each.run_pass(state)
        each.run_finalizer(state)


class KernelCompiler(CompilerBase):
    """numba's compiler for kernels; the argument ``pipeline_class`` of its decorators."""

    lowering: ClassVar[type[NativeLowering]] = _KernelLowering

    def define_pipelines(self) -> list[Any]:
        """numba's passes but for those that kernels do not need and the one that writes the code."""
        passes = Passes(self.lowering.name())
        for each, purpose in DefaultPassBuilder.define_nopython_pipeline(self.state).passes:
            if each.__name__ not in _LEFT_OUT:
                passes.add_pass(self.lowering if each is NativeLowering else each, purpose)
        passes.finalize()
        return [passes]


class DraftCompiler(KernelCompiler):
    """The same for helpers."""

    lowering = _DraftLowering
