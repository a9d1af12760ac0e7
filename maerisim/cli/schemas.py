"""What ``maerisim schema`` calls the documents."""

from __future__ import annotations

from maerisim.documents import Document, Kind
from maerisim.hardware.hardware import Hardware
from maerisim.mapping.constraints import Constraints
from maerisim.mapping.document import MappingFile
from maerisim.sweeps.document import Sweep
from maerisim.workload.network import Network

DOCUMENTS: dict[Kind, type[Document]] = {
    "hardware": Hardware,
    "network": Network,
    "mapping": MappingFile,
    "sweep": Sweep,
    "constraints": Constraints,
}
