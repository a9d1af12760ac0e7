"""How numba compiles kernels: in one go, their helpers only as far as the kernels need.

numba optimises each function with all that it calls in it, and makes machine code of that, even where nothing but other
compiled functions calls it: what lies five calls deep is optimised and translated five times. A helper stays a *draft*: its
instructions are tidied up, linked into each kernel that needs them, and optimised and translated there, once.
"""

from __future__ import annotations

from typing import Any, ClassVar

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import NativeLowering

from maerisim.kernels.compiling.shortcuts import indices_as_they_are


class _Code(JITCodeLibrary):
    """The code of a kernel."""

    def add_linking_library(self, library: Any) -> None:
        # LLVM leaves out what nothing that was linked before refers to, so the last place in line is the right one.
        if library in self._linking_libraries:
            self._linking_libraries.remove(library)
        super().add_linking_library(library)


class _Draft(JITCodeLibrary):
    """The instructions of a helper; ``libraries``: itself and all that has to be linked with it, in this order."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self.libraries = [self]

    def add_linking_library(self, library: Any) -> None:
        if library in self.libraries:
            self.libraries.remove(library)
        self.libraries.append(library)

    def _optimize_final_module(self) -> None:
        """Leave the instructions as they are."""

    def _finalize_final_module(self) -> None:
        """Make no machine code."""
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _KernelLowering(NativeLowering):
    """Write and compile the code of a kernel."""

    _name = "kernel_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _Code(state.targetctx.codegen(), state.func_id.func_qualname)
        state.library.enable_object_caching()
        with indices_as_they_are():
            super().run_pass(state)
        return True


@register_pass(mutates_CFG=True, analysis_only=False)
class _DraftLowering(NativeLowering):
    """Write a draft."""

    _name = "draft_lowering"

    def run_pass(self, state: Any) -> bool:
        state.library = _Draft(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        with indices_as_they_are():
            super().run_pass(state)
        draft = state["cr"]
        # Under this object numba looks for what to call; some built-in function that is no other draft's.
        key = draft.fndesc.llvm_func_name.join
        state.targetctx.insert_user_function(key, draft.fndesc, state.library.libraries)
        state["cr"] = draft._replace(cfunc=key)
        return True


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
