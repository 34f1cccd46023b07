"""Errors of the orchestrator's training.

OrchestratorError (a ValueError)
└── StageError    a stage that cannot begin or go on: says what is missing or does not fit
"""


class OrchestratorError(ValueError):
    """What training or evaluating an orchestrator refuses."""


class StageError(OrchestratorError):
    """A stage that cannot begin or go on."""
