"""The exceptions of the near-RT RIC.

RicError
  ConfigError           a setting out of its range (also a ValueError)
  SubscriptionFailed    an E2 subscription could not be made; says who failed and how
"""


class RicError(Exception):
    """Anything that goes wrong inside the RIC."""


class ConfigError(RicError, ValueError):
    """A setting is out of its range; the message names the setting, the value and the range."""


class SubscriptionFailed(RicError):
    """An E2 subscription could not be made; `source` and `timeout_type` are what the xApp is told."""

    def __init__(self, cause: str, *, source: str = "SUBMGR", timeout_type: str = "") -> None:
        super().__init__(cause)
        self.source = source
        self.timeout_type = timeout_type
