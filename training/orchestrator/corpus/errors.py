"""Errors of the corpus.

CorpusError (an OrchestratorError)   a build that cannot be done as asked: says what to change
└── Unreadable                       a file that no text comes from; a build counts it and goes on
"""

from training.orchestrator.errors import OrchestratorError


class CorpusError(OrchestratorError):
    """A corpus that cannot be built or read as asked."""


class Unreadable(CorpusError):
    """A file that no text comes from; the message is the reason that a report counts it under."""
