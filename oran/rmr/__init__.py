"""RMR, the RIC message router, spoken on the wire without librmr.

endpoint = RmrEndpoint(RmrConfig.from_env())
async with endpoint:
    indication = await endpoint.receive()
    endpoint.send(RmrMessage(types.RIC_CONTROL_REQ, control, meid=indication.meid))
"""

from oran.rmr.config import RmrConfig
from oran.rmr.endpoint import RmrEndpoint
from oran.rmr.errors import (
    CallError,
    CallTimeout,
    ConfigError,
    FrameError,
    NativeUnavailable,
    RmrError,
    RouteTableError,
    TransportClosed,
)
from oran.rmr.message import RmrMessage
from oran.rmr.transport import Counters, SendResult, Transport

__all__ = [
    "CallError",
    "CallTimeout",
    "ConfigError",
    "Counters",
    "FrameError",
    "NativeUnavailable",
    "RmrConfig",
    "RmrEndpoint",
    "RmrError",
    "RmrMessage",
    "RouteTableError",
    "SendResult",
    "Transport",
    "TransportClosed",
]
