"""Reading the input documents: YAML with line positions in, frozen model or all problems at once out.

Every problem is one line ``file:line: dotted.path: message`` of a :class:`~maerisim.errors.DocumentError`. Documents
are addressed by path or by the name of a file shipped in ``configs/`` (``maeri-64``, ``alexnet``).
"""

from maerisim.documents.constructing import Constructible
from maerisim.documents.files import is_directory, read_bytes, read_text
from maerisim.documents.loading import load, load_with_source, validate
from maerisim.documents.locating import locate, locate_beside, shipped
from maerisim.documents.models import Complaint, Document, ForeignTags, KeyPath, Kind, Model, complaints_error, dotted
from maerisim.documents.reading import Source, read
from maerisim.documents.schemas import schema
from maerisim.documents.words import described, listed, nearest
from maerisim.documents.writing import key, scalar, write

__all__ = [
    "Complaint",
    "Constructible",
    "Document",
    "ForeignTags",
    "KeyPath",
    "Kind",
    "Model",
    "Source",
    "complaints_error",
    "described",
    "dotted",
    "is_directory",
    "key",
    "listed",
    "load",
    "load_with_source",
    "locate",
    "locate_beside",
    "nearest",
    "read",
    "read_bytes",
    "read_text",
    "scalar",
    "schema",
    "shipped",
    "validate",
    "write",
]
