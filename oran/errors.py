"""The exceptions of the clients of the RIC platform.

PlatformError
  SdlError                the shared data layer cannot be reached, or refused
  NodeListError           the E2 manager cannot be reached, or gave no usable answer
  RegistrationError       the application manager cannot be reached, or refused
  SubscriptionError       a subscription could not be made or ended
    SubscriptionRefused   ... the RIC or the node said no (`reason`)
    SubscriptionTimeout   ... nobody answered in time
"""


class PlatformError(Exception):
    """Anything that goes wrong between an xApp and the RIC platform."""


class SdlError(PlatformError):
    """The shared data layer cannot be reached, or refused an operation."""


class NodeListError(PlatformError):
    """The E2 manager cannot be reached, or gave no usable answer."""


class RegistrationError(PlatformError):
    """The application manager cannot be reached, or refused."""


class SubscriptionError(PlatformError):
    """A subscription could not be made or ended."""


class SubscriptionRefused(SubscriptionError):
    """The RIC or the E2 node refused a subscription; `reason` is the cause it gave."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"subscription refused: {reason}")
        self.reason = reason


class SubscriptionTimeout(SubscriptionError):
    """Nobody answered a subscription in time."""
