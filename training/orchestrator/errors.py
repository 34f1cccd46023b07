"""Errors of the orchestrator's training.

OrchestratorError (a ValueError)
├── StageError         a stage that cannot begin or go on: says what is missing or does not fit
├── CorpusError        a corpus that cannot be built or read (`corpus.errors`)
├── InstructionError   instructions that cannot be read or mixed: names line and field
├── EvaluationError    an evaluation that cannot be done as asked
├── EntryError         an entry that there is not: says which there are
├── ShippingError      a model that cannot be shipped: says what is missing, or what the check found
├── GraphError         a network that has no graph for the rApp: says why
├── OutsideError       an entry that answers in free text and cannot be made: says how to write it
└── TwinPoolError      no question to the twin is answered any more: says why the last one was not
"""


class OrchestratorError(ValueError):
    """What training or evaluating an orchestrator refuses."""


class StageError(OrchestratorError):
    """A stage that cannot begin or go on."""
