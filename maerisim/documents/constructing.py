"""Documents made in Python: their classes called with keywords, and with the complaints that a file would get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ValidationError

from maerisim.documents.complaints import complaints_of
from maerisim.documents.models import Model, dotted
from maerisim.errors import DocumentError

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


class _Called(ModelMetaclass):
    """Calls a class whose keys may be given in ``positional``, and ``completed`` where they are left out."""

    def __call__(cls, *arguments: Any, **keywords: Any) -> Any:
        made: type[Constructible] = cls  # type: ignore[assignment]
        if len(arguments) > len(made.positional):
            expected = ", ".join(made.positional) or "keywords only"
            raise TypeError(f"{cls.__name__}() takes {expected}, found {len(arguments)} values without a keyword")
        data = made.completed(dict(zip(made.positional, arguments, strict=False)) | keywords)
        try:
            return super().__call__(**data)
        except ValidationError as error:
            found = complaints_of(made, data, error, ())
            lines = [
                f"{cls.__name__}: {dotted(path)}: {text}" if path else f"{cls.__name__}: {text}" for path, text in found
            ]
            raise DocumentError(list(dict.fromkeys(lines))) from None


class Constructible(Model, metaclass=_Called):
    """Base of what may be made in Python. Raises DocumentError with every problem, each at its dotted path.

    Keys that only tell entries of a document apart may be left out there.
    """

    positional: ClassVar[tuple[str, ...]] = ()

    @classmethod
    def completed(cls, data: dict[str, Any]) -> dict[str, Any]:
        """What was given, with what may be left out in Python."""
        return data
