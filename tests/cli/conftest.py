"""The command line as a function: arguments in, exit code and both outputs out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from maerisim.cli import main
from maerisim.study import warmup


@dataclass(frozen=True)
class Finished:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session", autouse=True)
def compiled_kernels() -> None:
    """No command of a test is the first one, which says that it compiles."""
    warmup.ensure(warmup.PARTS)


@pytest.fixture
def maerisim(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Runs ``maerisim ARGUMENTS...`` in this process, through the same entry point as the script."""

    def run(*arguments: object) -> Finished:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        code = ended.value.code
        return Finished(code if isinstance(code, int) else 0, captured.out, captured.err)

    return run
