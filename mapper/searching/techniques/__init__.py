"""The techniques by name. Those of libraries (extra ``search``) are imported when a search with one of them begins."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

from maerisim.errors import NotSupportedError
from mapper.searching.protocol import Maker
from mapper.searching.techniques.annealing import Annealing
from mapper.searching.techniques.cma import CmaEs
from mapper.searching.techniques.draws import Drawn, Pruned
from mapper.searching.techniques.genetic import Genetic, Habits
from mapper.searching.techniques.nevergrad import Nevergrad
from mapper.searching.techniques.rules import Mrna, Rules
from mapper.searching.techniques.standard import StandardGenetic
from mapper.searching.techniques.surrogate import Surrogate
from mapper.searching.techniques.swarm import Swarm

TECHNIQUES: dict[str, Maker] = {
    "random": Drawn,
    "random_pruned": Pruned,
    "rules": Rules,
    "mrna": Mrna,
    "genetic": Genetic,
    "annealing": Annealing,
    "standard_ga": StandardGenetic,
    "cma_es": CmaEs,
    "differential_evolution": partial(Nevergrad, "DE"),
    "particle_swarm": Swarm,
    "one_plus_one": partial(Nevergrad, "OnePlusOne"),
    "tbpsa": partial(Nevergrad, "TBPSA"),
    "portfolio": partial(Nevergrad, "Portfolio"),
    "surrogate": Surrogate,
}
LIBRARIES = {
    "cma_es": "cmaes",
    "surrogate": "sklearn",
    **dict.fromkeys(("differential_evolution", "one_plus_one", "tbpsa", "portfolio"), "nevergrad"),
}
"""What some of them are imported from."""

WITHOUT_CHANCE = ("rules", "mrna")
"""Techniques that draw nothing: every seed is the same search."""

VARIANTS: dict[str, Maker] = {
    "genetic_without_crossover": partial(Genetic, habits=Habits.without_crossover()),
    "genetic_without_mutation": partial(Genetic, habits=Habits.without_mutation()),
}
"""Parts of a technique, for an ablation."""


def technique(name: str) -> Maker:
    """The technique of a name. Raises NotSupportedError with all names when there is none, or without the library that it needs."""
    known = TECHNIQUES | VARIANTS
    if name not in known:
        raise NotSupportedError(f"technique: expected one of {', '.join(TECHNIQUES)}, found '{name}'")
    library = LIBRARIES.get(name)
    if library is not None and find_spec(library) is None:
        msg = f"technique {name} needs {library}, which is not installed (pip install 'maerisim[search]'; --technique chooses others)"
        raise NotSupportedError(msg)
    return known[name]
