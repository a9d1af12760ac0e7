"""How numba writes the instructions of kernels and helpers: without what it puts between them for errors and references.

Kernels raise no errors. So a helper returns its result, where a function of numba's returns a status that each caller has
to look at, and the result through memory. With ``NUMBA_BOUNDSCHECK=1`` there are errors, and helpers are such functions.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, cpu
from numba.core.callconv import CPUCallConv
from numba.core.ir import Assign
from numba.core.lowering import Lower

from maerisim.kernels.compiling.shortcuts import replaced

_config: Any = numba.config


class _Builder(ir.IRBuilder):  # type: ignore[misc]
    """Takes what was put into a structure, instead of taking it out again."""

    def extract_value(self, agg: Any, idx: Any, name: str = "") -> Any:
        place, whole = (idx,) if isinstance(idx, int) else tuple(idx), agg
        while isinstance(whole, ir.instructions.InsertValue):
            put = tuple(whole.indices)
            if put == place:
                return whole.operands[1]
            if put[: len(place)] == place[: len(put)]:
                break  # one is a part of the other
            whole = whole.operands[0]
        return super().extract_value(agg, idx, name)


class Writer(Lower):
    """Writes a function.

    A variable lies in memory only if it is assigned more than once, or in one block and used in another that is not sure to come
    later; and what a block has stored or loaded it does not load again. LLVM would find out the same.
    """

    def setup_function(self, fndesc: Any) -> None:
        super().setup_function(fndesc)
        self.builder = _Builder(self.entry_block)

    def _find_singly_assigned_variable(self) -> None:
        """Find the variables that need no memory: those used where they are assigned, and those assigned in the first block."""
        assigned: dict[str, Any] = {}
        needing: set[str] = set()
        for label, block in self.blocks.items():
            for assignment in block.find_insts(Assign):
                name = assignment.target.name
                if name in assigned:
                    needing.add(name)
                assigned[name] = label
        for label, block in self.blocks.items():
            for instruction in block.body:
                for each in instruction.list_vars():
                    if assigned.get(each.name) not in (label, self.firstblk):
                        needing.add(each.name)
        self._singly_assigned_vars = assigned.keys() - needing
        self._blk_local_varmap: dict[str, Any] = {}
        self._values: dict[str, Any] = {}
        self._loaded: dict[str, Any] = {}
        """Values of the other variables in this block."""

    def pre_block(self, block: Any) -> None:
        super().pre_block(block)
        self._loaded = {}

    def lower_inst(self, inst: Any) -> None:
        """Write an instruction; one that assigns without telling a debugger where it is."""
        if isinstance(inst, Assign):
            self.storevar(self.lower_assign(self.typeof(inst.target.name), inst), inst.target.name)
        else:
            super().lower_inst(inst)

    def alloca_lltype(self, name: str, lltype: Any, datamodel: Any = None) -> Any:  # noqa: ARG002
        """Memory for a variable, which no debugger is told of."""
        return cgutils.alloca_once(self.builder, lltype, name=name)

    def storevar(self, value: Any, name: str, argidx: Any = None) -> None:  # noqa: ARG002
        """Store into a variable; what is in it is no object that would have to be released."""
        if name in self._singly_assigned_vars:
            self._values[name] = value
        else:
            self.builder.store(value, self.getvar(name))
            self._loaded[name] = value

    def loadvar(self, name: str) -> Any:
        """The value of a variable."""
        if name in self._singly_assigned_vars:
            return self._values[name]
        if name not in self._loaded:
            self._loaded[name] = self.builder.load(self.getvar(name))
        return self._loaded[name]


class _Results(CPUCallConv):
    """How helpers are called: they return their result, and raise nothing."""

    def get_function_type(self, restype: Any, argtypes: Any) -> Any:
        return ir.FunctionType(self.get_return_type(restype).pointee, self._get_arg_packer(argtypes).argument_types)

    def decorate_function(self, fn: Any, args: Any, fe_argtypes: Any, noalias: bool = False) -> None:  # noqa: ARG002
        self._get_arg_packer(fe_argtypes).assign_names(fn.args, [f"arg.{name}" for name in args])

    def get_arguments(self, func: Any) -> Any:
        return func.args

    def return_value(self, builder: Any, retval: Any) -> None:
        builder.ret(retval)

    def return_user_exc(self, builder: Any, *_what: Any, **_where: Any) -> None:
        builder.unreachable()

    def call_function(self, builder: Any, callee: Any, resty: Any, argtys: Any, args: Any, attrs: Any = None) -> Any:
        raise NotImplementedError(f"kernels call helpers alone, not {callee.name}")


def returning_results() -> Any:
    """While a helper is written inside, it returns its result."""
    return nullcontext() if _config.BOUNDSCHECK else replaced(cpu.CPUContext, "call_conv", property(_Results))


def declare(context: Any, key: object, helper: Any, libraries: Any) -> None:
    """Let functions call a helper, by the object ``key``."""
    if _config.BOUNDSCHECK:
        context.insert_user_function(key, helper, libraries)
    else:
        context._defns[key].append(_call_of(helper, libraries), helper.argtypes)


def _call_of(helper: Any, libraries: Any) -> Callable[..., Any]:
    """What writes a call."""

    def write(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        convention = _Results(context)
        kind = convention.get_function_type(helper.restype, helper.argtypes)
        function = cgutils.get_or_insert_function(builder.module, kind, helper.mangled_name)
        if helper.inline:
            function.attributes.add("alwaysinline")
        passed = convention._get_arg_packer(helper.argtypes).as_arguments(builder, arguments)
        return context.get_returned_value(builder, helper.restype, builder.call(function, passed))

    written: Any = write
    written.libs = tuple(libraries)
    return write
