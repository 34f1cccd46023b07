"""Registration of an xApp with the application manager, so that the RIC knows its endpoints and messages."""

import json
from dataclasses import dataclass

from oran.errors import RegistrationError
from oran.rest import JsonObject
from oran.rest_client import RestClient, RestError


@dataclass(frozen=True, slots=True)
class Registration:
    """What the application manager is told. Endpoints are `host:port`; `config` is the descriptor's content.

    With an empty `config` the application manager fetches it from `http://{http_endpoint}{config_path}`, five
    times at most, every four seconds: then that address must answer.
    """

    name: str
    version: str
    instance: str
    http_endpoint: str
    rmr_endpoint: str
    config: JsonObject
    config_path: str = "/ric/v1/config"


class RegistrationClient:
    """Registers and deregisters; both raise RegistrationError when that fails."""

    def __init__(
        self, url: str = "http://service-ricplt-appmgr-http.ricplt:8080", *, timeout_s: float = 5.0
    ) -> None:
        self._rest = RestClient(url, timeout_s=timeout_s)

    async def register(self, registration: Registration) -> None:
        """Tell the application manager that this instance runs (POST /ric/v1/register, 201)."""
        await self._post(
            "/ric/v1/register",
            {
                "appName": registration.name,
                "appVersion": registration.version,
                "appInstanceName": registration.instance,
                "httpEndpoint": registration.http_endpoint,
                "rmrEndpoint": registration.rmr_endpoint,
                "configPath": registration.config_path,
                "config": json.dumps(registration.config) if registration.config else "",
            },
        )

    async def deregister(self, registration: Registration) -> None:
        """Tell it that this instance stops (POST /ric/v1/deregister, 204)."""
        await self._post(
            "/ric/v1/deregister", {"appName": registration.name, "appInstanceName": registration.instance}
        )

    async def close(self) -> None:
        """Give the connections back."""
        await self._rest.close()

    async def _post(self, path: str, body: JsonObject) -> None:
        try:
            answer = await self._rest.request("POST", path, body)
        except RestError as error:
            raise RegistrationError(str(error)) from error
        if not answer.ok:
            raise RegistrationError(f"POST {self._rest.url}{path}: {answer.reason}")
