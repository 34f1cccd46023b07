"""Schema: what a slicing model is given and what it must give, in the words that its manifest repeats.

A package that was made for other inputs than this xApp computes (another order of features, other levels) differs
in these texts and is refused. Training copies them into the manifest, so a change here makes old packages unfit.
"""

from collections.abc import Mapping

from oran.model_package import Manifest, PackageError
from xapps.slicing.prompt import PRESSURE, QOS
from xapps.slicing.state import FEATURES

KIND = "slicing-actor"
ACTOR, WORDS, CRITIC, TOKENIZER, REFERENCE = (
    *("actor.onnx", "words.onnx", "critic.onnx"),
    *("tokenizer.json", "reference.json"),
)
"""The files of a package; all but the first are optional."""
MOST_CELLS = 10_000
FILES = (ACTOR, WORDS, CRITIC, TOKENIZER, REFERENCE)

INPUTS: Mapping[str, str] = {
    "state": f"float32 [n, slices, {len(FEATURES)}]: {', '.join(FEATURES)}",
    "levels": f"int64 [n, slices, 2]: QoS {', '.join(QOS)}; pressure {', '.join(PRESSURE)}",
    "words": "float32 [n, width]: the operator's words, as words.onnx embeds them",
    "tokens": "int64 [n, length]: the prompt, by tokenizer.json",
    "mask": "int64 [n, length]: 1 where there is a token",
}
"""What an actor may be given; it takes at least the state, the levels or the tokens."""
OUTPUTS: Mapping[str, str] = {"share": "float32 [n, slices]: share of the cell, sums to 1"}


def check(manifest: Manifest) -> None:
    """Refuse a package that is made for other inputs or outputs than these; PackageError says which."""
    told = dict(manifest.inputs)
    if not {"state", "levels", "tokens"} & told.keys():
        raise PackageError("the model is given nothing of the cell: it must take state, levels or tokens")
    for name, text in told.items():
        if name not in INPUTS:
            raise PackageError(f"input {name!r:.60} is none of {', '.join(INPUTS)}")
        if text != INPUTS[name]:
            raise PackageError(f"input {name} is {text!r:.400}; this xApp computes {INPUTS[name]!r}")
    if dict(manifest.outputs) != OUTPUTS:
        raise PackageError(f"the outputs are {dict(manifest.outputs)!r:.200}; {dict(OUTPUTS)} is wanted")
    if ("tokens" in told) != ("mask" in told):
        raise PackageError("tokens and mask go together")
    wanted = {ACTOR}
    if "words" in told:
        wanted |= {WORDS, TOKENIZER}
    if "tokens" in told:
        wanted |= {TOKENIZER}
    if missing := wanted - manifest.files.keys():
        raise PackageError(f"the package lacks {', '.join(sorted(missing))}")
    if odd := manifest.files.keys() - set(FILES):
        raise PackageError(f"{', '.join(sorted(odd))[:200]} is no file of a {KIND}")
    _check_training(manifest)


def _check_training(manifest: Manifest) -> None:
    """A manifest tells the cells trained on and the twin's version; with a critic, the discount factor too."""
    cells, gamma = manifest.training.get("cells"), manifest.training.get("gamma")
    if type(cells) is not int or not 1 <= cells <= MOST_CELLS:
        raise PackageError(f"training.cells is {cells!r:.40}; it must be the number of cells trained on")
    if not manifest.twin_version:
        raise PackageError("twin_version is empty; it must name the twin that the model was trained on")
    if CRITIC in manifest.files and not (isinstance(gamma, float | int) and 0.0 <= gamma < 1.0):
        raise PackageError(f"training.gamma is {gamma!r:.40}; a critic needs its discount factor, 0 <= gamma < 1")
