"""The nodes' configuration endpoint: a slice's link chain, given and taken back over HTTP while the cells run.

    GET    /link-chains              the chain of each slice; null stands for the cells' own link adaptation
    PUT    /link-chains/{S-NSSAI}    a link chain as JSON, fields as in `twin.link.plan.LinkChain`
    DELETE /link-chains/{S-NSSAI}    back to the cells' own

A chain that the equipment cannot run is refused with the step, the field and the range (422).

The network twin knows each UE's SINR, fading in it, so that a chain's curve is that over a channel that does not
fade: what modulation, code, antennas, estimator and detector make of an SINR.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from oran.rest import AsgiApp, Endpoint, JsonObject, RequestError, guarded, json_answer, read_object
from oran.slices import SNssai
from twin.link.catalogue import ChannelClass
from twin.link.equipment import EquipmentState, check
from twin.link.errors import LinkError
from twin.link.evaluate import rate_curve
from twin.link.plan import LinkChain
from twin.network.curve import RateCurve

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


DU_EQUIPMENT = EquipmentState(
    free_prbs=275,
    tx_antennas=4,
    rx_antennas=4,
    compute_flops=1e13,
    max_tx_power_dbm=46,
    channel=ChannelClass.AWGN,
    snr_db=20.0,
    delay_spread_s=0.0,
    doppler_hz=0.0,
    has_deeprx=True,
)
"""What a DU of the twin has: four antennas, DeepRx, and ten tera-operations a second."""
CURVE_SNRS_DB = np.arange(-20.0, 45.5, 0.5)


def curve_of(chain: LinkChain, equipment: EquipmentState = DU_EQUIPMENT) -> RateCurve:
    """What a chain makes of each SINR, by the link twin's tables."""
    efficiency, bler, delay_s = rate_curve(chain, equipment, CURVE_SNRS_DB)
    return RateCurve(
        snr_db=tuple(CURVE_SNRS_DB.tolist()),
        efficiency=tuple(efficiency.tolist()),
        bler=tuple(bler.tolist()),
        delay_s=float(delay_s.min()),
    )


class LinkChains:
    """The link chains in force; `apply` is told the index of a slice and its new curve, or None."""

    def __init__(
        self,
        slices: tuple[SNssai, ...],
        apply: Callable[[int, RateCurve | None], None],
        equipment: EquipmentState = DU_EQUIPMENT,
    ) -> None:
        self._equipment = equipment
        self._apply = apply
        self._chains: dict[SNssai, LinkChain | None] = dict.fromkeys(slices)

    def as_json(self) -> JsonObject:
        """The chain of each slice."""
        return {
            str(name): None if chain is None else chain.model_dump(mode="json")
            for name, chain in self._chains.items()
        }

    def put(self, slice_text: str, chain: JsonObject | None) -> None:
        """Take over a slice's chain; RequestError for an unknown slice, and for a chain that cannot be or run."""
        index, name = self._find(slice_text)
        try:
            made = None if chain is None else _chain(chain)
            if made is not None:
                check(made, self._equipment)
            curve = None if made is None else curve_of(made, self._equipment)
        except LinkError as error:
            raise RequestError(422, str(error)) from None
        self._apply(index, curve)
        self._chains[name] = made

    def _find(self, text: str) -> tuple[int, SNssai]:
        for index, name in enumerate(self._chains):
            if str(name) == text:
                return index, name
        raise RequestError(404, f"there is no slice {text[:40]!r}; there are {', '.join(map(str, self._chains))}")


def _chain(values: dict[str, Any]) -> LinkChain:
    return LinkChain(**values)


def link_chains_app(chains: LinkChains) -> AsgiApp:
    """The endpoint as an ASGI application."""
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    async def show(request: Request) -> Response:
        return json_answer(chains.as_json())

    async def put(request: Request) -> Response:
        chains.put(request.path_params["slice"], await read_object(request))
        return json_answer(chains.as_json())

    async def delete(request: Request) -> Response:
        chains.put(request.path_params["slice"], None)
        return Response(status_code=204)

    def route(path: str, endpoint: Endpoint, method: str) -> Route:
        return Route(path, guarded(endpoint), methods=[method])

    return Starlette(
        routes=[
            route("/link-chains", show, "GET"),
            route("/link-chains/{slice}", put, "PUT"),
            route("/link-chains/{slice}", delete, "DELETE"),
        ]
    )
