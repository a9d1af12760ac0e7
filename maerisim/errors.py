"""What can go wrong, as one tree.

    MaerisimError
    ├── DocumentError        a YAML file, or what was made in Python, cannot be used: unknown keys, impossible values
    │                        (all of them at once)
    ├── MappingError         a mapping violates the layer or the hardware (every violated constraint)
    ├── NotSupportedError    a valid request that maerisim does not do (yet)
    ├── DeadlockError        a program that cannot progress, with the components that wait on one another
    ├── ValuesError          simulated outputs differ from NumPy's
    └── WorkersError         the processes or machines that were to run a sweep cannot be used, or are gone

Every message says what was expected, what was found, where, and what to do. The command line prints the message
without a traceback and ends with exit code 2. Nothing else is raised on purpose but KeyboardInterrupt after Ctrl-C.
"""

from __future__ import annotations

from maerisim.text import harmless


class MaerisimError(Exception):
    """Base of every error that maerisim raises on purpose."""


class DocumentError(MaerisimError):
    """A document that cannot be used; ``problems`` holds one line per problem.

    Each is ``file:line: path: message``, or ``Class: path: message`` for what was made in Python.
    """

    def __init__(self, problems: list[str]) -> None:
        self.problems = [harmless(problem) for problem in problems]
        super().__init__("\n".join(self.problems))


class MappingError(MaerisimError):
    """A mapping that the layer or the hardware does not allow; ``violations`` holds one sentence per constraint."""

    def __init__(self, subject: str, violations: list[str]) -> None:
        self.violations = [harmless(violation) for violation in violations]
        super().__init__("\n".join(f"{harmless(subject)}: {violation}" for violation in self.violations))


class NotSupportedError(MaerisimError):
    """A valid request that this version does not do."""


class DeadlockError(MaerisimError):
    """A program that cannot progress: names the components that wait on one another and their state."""


class ValuesError(MaerisimError):
    """Simulated outputs that differ from the reference."""


class WorkersError(MaerisimError):
    """Processes or machines that were to run a sweep and cannot be used, or ended before their work was done."""
