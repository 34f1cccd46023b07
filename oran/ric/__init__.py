"""An embedded near-RT RIC that speaks the same bytes as the O-RAN SC platform."""

from oran.ric.config import RicConfig
from oran.ric.errors import ConfigError, RicError
from oran.ric.ric import NearRtRic

__all__ = ["ConfigError", "NearRtRic", "RicConfig", "RicError"]
