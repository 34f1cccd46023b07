"""Outside: entries that answer in free text, by the texts that name them.

free:FOLDER             a model without a mask, of a folder or a hub
taught:FOLDER           the same, trained on bare tasks though its tokenizer does not show it
endpoint:URL#MODEL      a model behind an OpenAI-compatible server
schema:URL#MODEL        the same, held to the JSON schema of an answer by the server
"""

from collections.abc import Callable

from training.orchestrator.errors import OrchestratorError
from training.orchestrator.evaluation import Entry


class OutsideError(OrchestratorError):
    """An entry that cannot be made of its text; says how to write it."""


def _local(kind: str, rest: str) -> Entry:
    # torch and transformers are loaded for models alone.
    import torch

    from rapps.orchestrator.budget import USUAL_MARGIN
    from rapps.orchestrator.grammar import ANSWER, REFLECT, THINK
    from training.orchestrator.free_entry import FreeEntry
    from training.orchestrator.lm import Held, Lm
    from training.orchestrator.unmasked import Unmasked

    if not rest:
        raise OutsideError(f"{kind}: names no folder or hub id; write {kind}:FOLDER")
    on_gpu = torch.cuda.is_available()
    lm = Lm.load(rest, Held(dtype="bfloat16" if on_gpu else "float32"))
    if on_gpu:
        lm.network.to("cuda")
    # Whose marks are tokens of their own has a tokenizer that was made for these answers.
    made_here = all(len(lm.encode(mark)) == 1 for mark in (*THINK, *REFLECT, *ANSWER))
    speaker = Unmasked(lm, kind == "taught" or made_here, USUAL_MARGIN)
    return FreeEntry(f"{kind}:{rest}@{lm.digest()}", speaker, USUAL_MARGIN)


def _endpoint(kind: str, rest: str) -> Entry:
    from rapps.orchestrator.chat import Chat
    from rapps.orchestrator.endpoint import EndpointError
    from training.orchestrator.free_entry import EndpointSpeaker, FreeEntry

    try:
        chat = Chat.of(rest)
    except EndpointError as error:
        raise OutsideError(f"{kind}: {error}") from None
    return FreeEntry(f"{kind}:{rest}", EndpointSpeaker(chat, held=kind == "schema"))


MAKERS: dict[str, Callable[[str], Entry]] = {
    "free": lambda rest: _local("free", rest),
    "taught": lambda rest: _local("taught", rest),
    "endpoint": lambda rest: _endpoint("endpoint", rest),
    "schema": lambda rest: _endpoint("schema", rest),
}
"""What makes an entry, by its kind, from what follows the colon."""
