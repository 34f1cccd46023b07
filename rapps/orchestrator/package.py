"""Package: a trained orchestrator as it is shipped, and as it writes for an operator.

The package is a model as `transformers` reads it, so that a training can go on from its folder, and beside it the
graph of its network, so that onnxruntime can run it without torch (`onnx_lm`). It tells the margin that the model
was trained to plan with.
"""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from oran import model_package
from oran.model_package import Manifest, PackageError
from rapps.orchestrator.decoding import Model, sample
from rapps.orchestrator.grammar import FORM, Script
from rapps.orchestrator.onnx_lm import FILES, INPUTS, OUTPUTS, WEIGHTS, OnnxLm

SHIPPED = Path(__file__).parent / "models" / "ranloop-6g-edge"
"""The package that comes with the rApp."""
KIND = "orchestrator"
MODEL_CARD, DATA_CARD = "README.md", "DATA.md"
TRANSFORMERS = ("generation_config.json", "tokenizer_config.json")
"""What only `transformers` reads."""
MOST_MARGIN = 10.0


@dataclass(frozen=True, slots=True)
class ModelWriter:
    """A model that is held to the grammar and takes the likeliest of its choices (`orchestrator.Writer`)."""

    name: str
    model: Model
    margin: float
    """What its plans are to have to spare by the budget that it is told."""

    def write(self, prompt: str, script: Script) -> str:
        """Choose in a script until it is done, and give the text of the answer."""
        sample(self.model, [prompt], [script], temperature=0.0)
        return script.text


def load(folder: Path | None = None) -> ModelWriter:
    """The model of a package, verified and tried, or the shipped one; PackageError says why not."""
    manifest, files = model_package.load(SHIPPED if folder is None else folder, kind=KIND)
    margin = _checked(manifest)
    return ModelWriter(name_of(manifest), OnnxLm(files), margin)


def name_of(manifest: Manifest) -> str:
    """Name and version, and eight letters that another model or margin would hardly have."""
    told = f"{manifest.files[WEIGHTS]} {manifest.training['margin']}"
    return f"{manifest.name}-{manifest.version}@{sha256(told.encode()).hexdigest()[:8]}"


def _checked(manifest: Manifest) -> float:
    """The margin; PackageError where the package is made for another network or form, or tells no margin."""
    if missing := set(FILES) - manifest.files.keys():
        raise PackageError(f"the package lacks {', '.join(sorted(missing))}")
    if odd := manifest.files.keys() - {*FILES, *TRANSFORMERS, MODEL_CARD, DATA_CARD}:
        raise PackageError(f"{', '.join(sorted(odd))[:200]} is no file of an {KIND}")
    for told, wanted in ((manifest.inputs, INPUTS), (manifest.outputs, OUTPUTS)):
        if dict(told) != dict(wanted):
            raise PackageError(f"the network is said to have {dict(told)!r:.300}; {dict(wanted)} is wanted")
    if (form := manifest.training.get("form")) != FORM:
        raise PackageError(f"the model answers in form {form!r:.40}; form {FORM} is wanted: train it anew")
    margin = manifest.training.get("margin")
    if isinstance(margin, bool) or not isinstance(margin, int | float) or not 0.0 <= margin <= MOST_MARGIN:
        raise PackageError(f"training.margin is {margin!r:.40}; it must be a number in 0..{MOST_MARGIN:g}")
    return float(margin)
