"""Map DNN layers onto a MAERI accelerator, simulate them cycle by cycle, and check the estimate.

    import maerisim

    result = maerisim.validate("maeri-64", "alexnet")
    print(result.total_cycles, result.mean_absolute_error)

What is listed in ``__all__`` is here to stay; :mod:`maerisim.study.api` describes the functions, :mod:`maerisim.errors` what they
raise. It is imported when it is first used, so that ``import maerisim`` itself takes no time.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from maerisim.documents import shipped
    from maerisim.errors import (
        DeadlockError,
        DocumentError,
        MaerisimError,
        MappingError,
        NotSupportedError,
        ValuesError,
        WorkersError,
    )
    from maerisim.hardware.hardware import Hardware
    from maerisim.kernels.compiling.cache import watched as compiling
    from maerisim.laboratory.api import compare_search
    from maerisim.mapping.fused import FusedMapping
    from maerisim.mapping.mapping import Mapping
    from maerisim.study.api import (
        buffer_curve,
        compare,
        estimate,
        front,
        map,
        programs,
        rank,
        report,
        roofline,
        simulate,
        trace,
        validate,
    )
    from maerisim.study.given import save_mappings
    from maerisim.study.warmup import compile_all as warmup
    from maerisim.sweeps.api import sweep
    from maerisim.sweeps.reruns import rerun
    from maerisim.workload.convolutions import Conv1d, Conv2d, Conv3d
    from maerisim.workload.layers import AvgPool2d, Fused, Linear, MatMul, MaxPool2d
    from maerisim.workload.network import Network
    from maerisim.workload.problem import Problem
    from maerisim.workload.recurrent import Gru, Lstm
    from maerisim.workload.transposed import ConvTranspose2d

    __version__: str

__all__ = [
    "AvgPool2d",
    "Conv1d",
    "Conv2d",
    "Conv3d",
    "ConvTranspose2d",
    "DeadlockError",
    "DocumentError",
    "Fused",
    "FusedMapping",
    "Gru",
    "Hardware",
    "Linear",
    "Lstm",
    "MaerisimError",
    "Mapping",
    "MappingError",
    "MatMul",
    "MaxPool2d",
    "Network",
    "NotSupportedError",
    "Problem",
    "ValuesError",
    "WorkersError",
    "__version__",
    "buffer_curve",
    "compare",
    "compare_search",
    "compiling",
    "estimate",
    "front",
    "map",
    "programs",
    "rank",
    "report",
    "rerun",
    "roofline",
    "save_mappings",
    "shipped",
    "simulate",
    "sweep",
    "trace",
    "validate",
    "warmup",
]

_NAMES = {
    "maerisim.documents": "shipped",
    "maerisim.errors": (
        "DeadlockError DocumentError MaerisimError MappingError NotSupportedError ValuesError WorkersError"
    ),
    "maerisim.hardware.hardware": "Hardware",
    "maerisim.laboratory.api": "compare_search",
    "maerisim.mapping.fused": "FusedMapping",
    "maerisim.mapping.mapping": "Mapping",
    "maerisim.study.api": "buffer_curve compare estimate front map programs rank report roofline simulate trace validate",
    "maerisim.study.given": "save_mappings",
    "maerisim.sweeps.api": "sweep",
    "maerisim.sweeps.reruns": "rerun",
    "maerisim.workload.convolutions": "Conv1d Conv2d Conv3d",
    "maerisim.workload.layers": "AvgPool2d Fused Linear MatMul MaxPool2d",
    "maerisim.workload.network": "Network",
    "maerisim.workload.problem": "Problem",
    "maerisim.workload.recurrent": "Gru Lstm",
    "maerisim.workload.transposed": "ConvTranspose2d",
}
_PLACES = {name: (module, name) for module, names in _NAMES.items() for name in names.split()} | {
    "compiling": ("maerisim.kernels.compiling.cache", "watched"),
    "warmup": ("maerisim.study.warmup", "compile_all"),
}
"""Where each name is, and what it is called there."""


if not TYPE_CHECKING:  # which would take any name then

    def __getattr__(name: str) -> object:
        """Import what ``name`` is when it is first used (PEP 562)."""
        if name == "__version__":
            from importlib.metadata import version

            value: object = version("maerisim")
        elif name in _PLACES:
            module, attribute = _PLACES[name]
            value = getattr(import_module(module), attribute)
        else:
            raise AttributeError(f"module 'maerisim' has no attribute {name!r}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return __all__
