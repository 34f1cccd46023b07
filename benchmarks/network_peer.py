"""mobile-env at 6 base stations and 200 UEs: a part of `benchmarks/network.py`, run by a Python that has it.

Warms up, says so in a line of JSON, and then answers each line it reads by timing that many steps of each of its
own handlers: the central one and the multi-agent one, under random actions and without rendering.
"""

import json
import sys
import time
from importlib import import_module
from importlib.metadata import version
from typing import Any

STATIONS = tuple((x, y) for y in (50.0, 150.0) for x in (50.0, 150.0, 250.0))
"""Six sites on 300 m x 200 m, 100 m apart: as dense as mobile-env's own scenarios."""
UES = 200
WARM_UP_STEPS = 20
"""Random actions connect UEs step by step; by then as many connect as disconnect."""


def environment(handler: str, name: str) -> Any:
    """An environment of mobile-env under one of its handlers."""
    core, entities = import_module("mobile_env.core.base"), import_module("mobile_env.core.entities")
    config = core.MComCore.default_config()
    config["movement_params"] |= {"width": 300, "height": 200}
    config |= {"width": 300, "height": 200, "EP_MAX_TIME": 1_000_000, "seed": 1}
    config["arrival_params"]["ep_time"] = config["EP_MAX_TIME"]
    config["handler"] = getattr(import_module(f"mobile_env.handlers.{handler}"), name)
    stations = [entities.BaseStation(number, place, **config["bs"]) for number, place in enumerate(STATIONS)]
    users = [entities.UserEquipment(number, **config["ue"]) for number in range(UES)]
    return core.MComCore(stations, users, config)


def play(env: Any, steps: int) -> float:
    """Steps per second under random actions, which are drawn beforehand."""
    actions = [env.action_space.sample() for _ in range(steps)]
    began_s = time.perf_counter()
    for action in actions:
        env.step(action)
    return steps / (time.perf_counter() - began_s)


def main() -> None:
    """Warm up, then answer."""
    envs = {
        "central": environment("central", "MComCentralHandler"),
        "multi_agent": environment("multi_agent", "MComMAHandler"),
    }
    for env in envs.values():
        env.reset(seed=1)
        env.action_space.seed(1)
        play(env, WARM_UP_STEPS)
    print(json.dumps({"version": version("mobile-env")}), flush=True)
    for line in sys.stdin:
        print(json.dumps({name: play(env, int(line)) for name, env in envs.items()}), flush=True)


if __name__ == "__main__":
    main()
